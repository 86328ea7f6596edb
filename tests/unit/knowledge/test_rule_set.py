"""Rules: shapes, bounds and coherence, every problem with its path."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from kis.knowledge.formats import parse_upload

from .rows import Json, paths, refused, seed_catalogue, seed_tables


def seed_rules() -> Json:
    rules: Json = copy.deepcopy(seed_catalogue()["rules"])
    return rules


def at(rules: Json, path: str) -> tuple[Any, Any]:
    """Return what holds the value at a dotted path, and its key or index there."""
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    holder: Any = rules
    for step in way:
        holder = holder[step]
    return holder, last


def test_lengths_become_tenths_also_under_keys_that_go_on() -> None:
    rules = seed_tables().rules
    assert rules.economic.height_allowance_dmm == 2000
    assert rules.economic.width_allowance_dmm_by_main_poles["4P"] == 3000
    assert rules.accessories.extra_depth_dmm_by_kind == {"spd": 1000}
    assert rules.pitch_classes[0].pole_pitch_dmm == 250
    assert rules.standard.facing_four_pole_pitches == 5
    assert rules.economic.confirmed_main_frame_size_a == 100


def test_whole_floats_are_whole_numbers() -> None:
    rules = seed_rules()
    rules["stock"] |= {"stepMm": 100.0, "maxFrontPercent": 130.0}
    assert parse_upload("json", {"rules": rules}).rules == seed_tables().rules


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("version", "", "version"),
        ("version", 1, "version"),
        ("version", "v" * 65, "version"),
        ("brands", "LS", "brands"),
        ("brands", [], "brands"),
        ("brands", ["LS", " "], "brands[1]"),
        ("brands", ["LS", "SANGDO "], "brands[1]"),
        ("brands", ["LS", "MIXED"], "brands[1]"),
        ("sources.depth", 7, "sources.depth"),
        ("sources.depth", "a\x00", "sources.depth"),
        ("sources.depth", "a\ud800", "sources.depth"),
        ("polePitchAboveMm", 0, "polePitchAboveMm"),
        ("polePitchAboveMm", -1, "polePitchAboveMm"),
        ("polePitchAboveMm", 10000.1, "polePitchAboveMm"),
        ("polePitchAboveMm", 0.05, "polePitchAboveMm"),
        ("polePitchAboveMm", "70", "polePitchAboveMm"),
        ("polePitchAboveMm", True, "polePitchAboveMm"),
        ("polePitchAboveMm", None, "polePitchAboveMm"),
        ("polePitchAboveMm", float("nan"), "polePitchAboveMm"),
        ("polePitchAboveMm", float("inf"), "polePitchAboveMm"),
        ("pitchClasses", [], "pitchClasses"),
        ("pitchClasses", {}, "pitchClasses"),
        ("pitchClasses.1", 5, "pitchClasses[1]"),
        ("pitchClasses.1.maxFrameSizeA", 30, "pitchClasses[1].maxFrameSizeA"),
        ("pitchClasses.1.maxFrameSizeA", 99.5, "pitchClasses[1].maxFrameSizeA"),
        ("pitchClasses.1.maxFrameSizeA", 10001, "pitchClasses[1].maxFrameSizeA"),
        ("depth.table", [], "depth.table"),
        ("depth.table.2.maxFrameSizeA", 100, "depth.table[2].maxFrameSizeA"),
        ("depth.table.0.depthMm", 0, "depth.table[0].depthMm"),
        ("standard.main", [], "standard.main"),
        ("standard.main.0.maxFrameSizeA", 9000, "standard.main[1].maxFrameSizeA"),
        ("standard.branch.3.maxFrameSizeA", 125, "standard.branch[3].maxFrameSizeA"),
        ("standard.mainOnly", [], "standard.mainOnly"),
        ("standard.mainOnly.1.maxFrameSizeA", 1, "standard.mainOnly[1].maxFrameSizeA"),
        ("standard.mainOnly.0.heightMm", None, "standard.mainOnly[0]"),
        ("standard.mainOnly.1.heightMm", 400, "standard.mainOnly[1]"),
        ("standard.accessorySharePercent", 1001, "standard.accessorySharePercent"),
        ("standard.facingFourPolePitches", 0, "standard.facingFourPolePitches"),
        ("economic", None, "economic"),
        ("economic.colour", 1, "economic.colour"),
        ("economic.heightAllowanceDmm", 2000, "economic.heightAllowanceDmm"),
        (
            "economic.widthAllowanceMmByMainPoles.3P",
            "300",
            "economic.widthAllowanceMmByMainPoles['3P']",
        ),
        (
            "economic.widthAllowanceMmByMainPoles",
            {"1P": 250, "2P": 250, "4P": 300},
            "economic.widthAllowanceMmByMainPoles['3P']",
        ),
        (
            "economic.widthAllowanceMmByMainPoles.1P",
            199,
            "economic.widthAllowanceMmByMainPoles['1P']",
        ),
        ("economic.heightAllowanceMm", 109.9, "economic.heightAllowanceMm"),
        ("stock.defaultMaterial", "WOOD", "stock.defaultMaterial"),
        ("accessories.shelves.meter.perRow", 0, "accessories.shelves.meter.perRow"),
        ("accessories.shelves.meter", None, "accessories.shelves.meter"),
        (
            "accessories.companions.contactor.0.quantity",
            -1,
            "accessories.companions.contactor[0].quantity",
        ),
        ("accessories.companions", [], "accessories.companions"),
        ("stockMount.WALL", "HUNG", "stockMount.WALL"),
        (
            "stockMount",
            {"WALL": "SURFACE", "SURFACE": "SURFACE", "FLUSH": "FLUSH"},
            "stockMount.STAND",
        ),
        ("gradePreference", {"ECONOMIC": ["economy"]}, "gradePreference.STANDARD"),
        ("gradePreference.ECONOMIC", ["economy", "cheap"], "gradePreference.ECONOMIC[1]"),
        ("gradePreference.ECONOMIC", "economy", "gradePreference.ECONOMIC"),
        ("colour", 1, "colour"),
    ],
)
def test_a_rule_that_is_refused(path: str, value: object, found: str) -> None:
    rules = seed_rules()
    holder, last = at(rules, path)
    holder[last] = value
    (finding,) = refused("json", {"rules": rules})
    assert finding.path == f"$.rules.{found}"
    assert finding.data["allowed"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("version", "1~64자의 문자열"),
        ("brands", "JSON 배열"),
        ("drawing", "JSON 객체"),
        ("depth.table.0.depthMm", " mm의 수"),
        ("economic.heightAllowanceMm", " mm의 수"),
        ("gradePreference.STANDARD", "JSON 배열"),
        ("stockMount.STAND", "SURFACE, FLUSH, STAND"),
    ],
)
def test_a_rule_that_is_missing(path: str, allowed: str) -> None:
    rules = seed_rules()
    holder, last = at(rules, path)
    del holder[last]
    (finding,) = refused("json", {"rules": rules})
    assert finding.path == "$.rules." + path.replace(".0.", "[0].")
    assert finding.message.ko == f"필수 항목입니다: {last}"
    assert finding.hint.ko.startswith("허용: ")
    assert finding.hint.ko.endswith(allowed)


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        (lambda rules: rules["stock"].update(stepMm=0), "a number in 0.1~10000 mm"),
        (lambda rules: rules["stock"].update(maxFrontPercent=-1), "a whole number in 0~1000"),
        (lambda rules: rules["stock"].update(defaultMaterial=1), "STEEL, SUS"),
        (lambda rules: rules.update(version=""), "text of 1~64 characters"),
        (lambda rules: rules["sources"].update(depth=[]), "text"),
    ],
)
def test_what_is_allowed_is_told_in_outside_units(
    change: Callable[[Json], None], allowed: str
) -> None:
    rules = seed_rules()
    change(rules)
    (finding,) = refused("json", {"rules": rules})
    assert finding.data["allowed"] == allowed


def test_values_are_told_in_mm() -> None:
    rules = seed_rules()
    rules["stock"]["stepMm"] = 20_000.5
    (finding,) = refused("json", {"rules": rules})
    assert finding.data["value"] == 20_000.5


def test_all_problems_at_once() -> None:
    rules = seed_rules()
    rules["stock"]["stepMm"] = 0
    rules["depth"]["table"][0]["depthMm"] = "x"
    rules["depth"]["table"][1]["depthMm"] = "y"
    del rules["drawing"]["busbarGapMm"]
    assert paths(refused("json", {"rules": rules})) == [
        "$.rules.depth.table[0].depthMm",
        "$.rules.depth.table[1].depthMm",
        "$.rules.stock.stepMm",
        "$.rules.drawing.busbarGapMm",
    ]
    rules = seed_rules()
    rules["pitchClasses"].reverse()
    rules["brands"] = []
    assert len(refused("json", {"rules": rules})) == 5
