"""JSON: the four parts, their rows, and every refusal with its path."""

import copy
import json
import math
import re
from typing import Any

import pytest
from hypothesis import given, settings

from kis.knowledge.formats import parse_upload
from kis.knowledge.model import Breaker

from .rows import (
    BRANDS,
    Json,
    breaker,
    cells_of,
    paths,
    refused,
    seed_catalogue,
    seed_tables,
    tables_rows,
)

BREAKER: Json = {
    "brand": "LS",
    "series": "METASOL",
    "model": "ABN-53",
    "af": 50,
    "poles": "3P",
    "widthMm": 75,
    "heightMm": 130,
    "depthMm": 60,
    "meta": {"type": "MCCB"},
}
ENCLOSURE: Json = {
    "model": "HB405015",
    "series": "HB",
    "material": "STEEL",
    "location": "INDOOR",
    "mount": "SURFACE",
    "widthMm": 400,
    "heightMm": 500,
    "depthMm": 150,
    "thicknessMm": 1.6,
}
ACCESSORY: Json = {"code": "FUSE-HOLDER", "kind": "fuse_holder", "widthMm": 30.2}


def breakers_of(content: object) -> tuple[Breaker, ...] | None:
    return parse_upload("json", content, brands=BRANDS).breakers


def test_the_shipped_catalogue() -> None:
    tables = seed_tables()
    assert len(tables.enclosures) == 163
    assert len(tables.accessories) == 18
    assert tables.rules.brands == BRANDS
    upload = parse_upload("json", seed_catalogue())
    assert upload.breakers is None


def test_rows_of_each_part() -> None:
    upload = parse_upload(
        "json",
        {
            "breakers": [BREAKER],
            "enclosures": [ENCLOSURE, ENCLOSURE | {"model": "A", "thicknessMm": None}],
            "accessories": [ACCESSORY],
        },
        brands=BRANDS,
    )
    assert upload.breakers == (breaker(),)
    assert upload.rules is None
    assert upload.enclosures is not None
    assert [(row.model, row.thickness_dmm) for row in upload.enclosures] == [
        ("A", None),
        ("HB405015", 16),
    ]
    assert upload.accessories is not None
    assert upload.accessories[0].width_dmm == 302
    assert upload.accessories[0].depth_dmm is None


def test_the_largest_and_the_smallest_that_is_allowed() -> None:
    row = BREAKER | {
        "model": "M" * 100,
        "af": 10_000,
        "widthMm": 1,
        "heightMm": 1000,
        "meta": {
            "type": "MCCB",
            "at": [1, 10_000],
            "icu_ka": 1000,
            "warning": "w" * 1000,
            "k" * 100: [2**53 - 1, 1e-4],
        },
    }
    enclosures = [
        ENCLOSURE | {"widthMm": 50, "heightMm": 3000, "thicknessMm": 0.1},
        ENCLOSURE | {"model": "X", "thicknessMm": 100},
    ]
    accessories = [{"code": "A", "kind": "timer", "heightMm": 1, "depthMm": 1000}]
    content = {"breakers": [row], "enclosures": enclosures, "accessories": accessories}
    assert parse_upload("json", content, brands=BRANDS)


def test_parts_that_are_empty_are_given() -> None:
    upload = parse_upload("json", {"accessories": []})
    assert upload.accessories == ()
    assert upload.breakers is None


def test_lengths_of_breakers_in_both_spellings() -> None:
    snake = {key: value for key, value in BREAKER.items() if not key.endswith("Mm")}
    snake |= {"width_mm": 75.0, "height_mm": 130, "depth_mm": 60}
    assert breakers_of({"breakers": [snake]}) == (breaker(),)
    assert paths(refused("json", {"breakers": [snake | {"depth_mm": 0}]})) == [
        "$.breakers[0].depth_mm"
    ]
    assert paths(refused("json", {"breakers": [snake | {"widthMm": 75}]})) == [
        "$.breakers[0].width_mm"
    ]


@pytest.mark.parametrize("part", ["enclosures", "accessories"])
def test_lengths_of_stock_in_both_spellings(part: str) -> None:
    camel: Json = {
        "enclosures": ENCLOSURE | {"thicknessMm": 1.6},
        "accessories": ACCESSORY | {"heightMm": 30, "depthMm": 20},
    }[part]
    snake = {re.sub("Mm$", "_mm", key): value for key, value in camel.items()}
    assert "width_mm" in snake
    assert parse_upload("json", {part: [snake]}) == parse_upload("json", {part: [camel]})
    assert paths(refused("json", {part: [snake | {"depth_mm": 0}]})) == [f"$.{part}[0].depth_mm"]
    assert paths(refused("json", {part: [snake | {"widthMm": 75}]})) == [f"$.{part}[0].width_mm"]
    (unknown,) = refused("json", {part: [camel | {"width": 75}]})
    assert "widthMm" in unknown.hint.en
    assert "width_mm" in unknown.hint.en


@settings(max_examples=40)
@given(rows=tables_rows)
def test_any_rows_come_back(rows: list[Breaker]) -> None:
    decoded = []
    for row in rows:
        cells: Json = dict(cells_of(row))
        for column in ("af", "width_mm", "height_mm", "depth_mm", "meta"):
            cells[column] = json.loads(cells[column])
        decoded.append(cells)
    expected = tuple(sorted(rows, key=lambda row: row.key))
    assert breakers_of({"breakers": decoded}) == expected
    assert breakers_of(json.dumps({"breakers": decoded})) == expected


def test_brands_of_uploaded_rules_are_the_known_ones() -> None:
    rules = seed_catalogue()["rules"] | {"brands": ["NEW"]}
    content = {"rules": rules, "breakers": [BREAKER | {"brand": "NEW"}]}
    assert parse_upload("json", content, brands=["LS"]).breakers
    content = {"rules": rules, "breakers": [BREAKER]}
    assert paths(refused("json", content, brands=["LS"])) == ["$.breakers[0].brand"]


def test_rules_that_are_refused_do_not_blame_the_brands() -> None:
    rules = copy.deepcopy(seed_catalogue()["rules"])
    rules["stock"]["stepMm"] = "x"
    content = {"rules": rules, "breakers": [BREAKER, BREAKER | {"model": "X", "brand": "LSIS"}]}
    assert paths(refused("json", content)) == ["$.rules.stock.stepMm"]


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ("", "$"),
        ("{", "$"),
        ("null", "$"),
        ("[]", "$"),
        ("{}", "$"),
        ({}, "$"),
        ("[" * 100_000, "$"),
        ("1" * 5_000, "$"),
        ({"colours": []}, "$.colours"),
        ({"breakers": None}, "$.breakers"),
        ({"breakers": {}}, "$.breakers"),
        ({"enclosures": "x"}, "$.enclosures"),
        ({"accessories": 1}, "$.accessories"),
        ({"rules": []}, "$.rules"),
        ({"breakers": [1]}, "$.breakers[0]"),
        ({"enclosures": [ENCLOSURE, None]}, "$.enclosures[1]"),
    ],
)
def test_a_shape_that_is_refused(content: object, path: str) -> None:
    assert path in paths(refused("json", content))


def test_repeated_keys_anywhere() -> None:
    text = (
        '{"breakers":[],"breakers":[{"model":"A","model":"B",'
        '"meta":{"type":"MCCB","x":[{"y":1,"y":2}]}}]}'
    )
    found = paths(refused("json", text))
    assert found[:3] == [
        "$.breakers",
        "$.breakers[0].model",
        "$.breakers[0].meta.x[0].y",
    ]


def test_rows_given_twice_name_both_places() -> None:
    content = {
        "breakers": [BREAKER, BREAKER | {"model": "B"}, BREAKER],
        "enclosures": [ENCLOSURE, ENCLOSURE],
        "accessories": [ACCESSORY, ACCESSORY | {"widthMm": -1}],
    }
    findings = refused("json", content)
    assert paths(findings) == [
        "$.breakers[2].model",
        "$.enclosures[1].model",
        "$.accessories[1].widthMm",
        "$.accessories[1].code",
    ]
    assert "$.breakers[0] and $.breakers[2]" in findings[0].message.en
    assert "$.enclosures[0], $.enclosures[1]" in findings[1].message.ko


@pytest.mark.parametrize(
    ("key", "value", "inside"),
    [
        ("brand", "LSIS", ""),
        ("brand", ["LS"], ""),
        ("series", None, ""),
        ("series", " ", ""),
        ("model", 53, ""),
        ("model", "M" * 101, ""),
        ("af", "50", ""),
        ("af", 50.0, ""),
        ("af", True, ""),
        ("af", 0, ""),
        ("af", 10**400, ""),
        ("poles", 3, ""),
        ("widthMm", "75", ""),
        ("widthMm", True, ""),
        ("widthMm", 0, ""),
        ("widthMm", 1000.1, ""),
        ("widthMm", 10**400, ""),
        ("heightMm", 17.85, ""),
        ("heightMm", math.nan, ""),
        ("depthMm", math.inf, ""),
        ("depthMm", None, ""),
        ("meta", None, ""),
        ("meta", '{"type":"MCCB"}', ""),
        ("meta", {}, ".type"),
        ("meta", {"type": "MCCB", "at": [20, "30"]}, ".at[1]"),
        ("meta", {"type": "MCCB", "note": object()}, ".note"),
        ("meta", {"type": "MCCB", "note": 10**400}, ".note"),
        ("meta", {"type": "MCCB", "note": 1e-5}, ".note"),
        ("meta", {"type": "MCCB", "k" * 101: 1}, "." + "k" * 101),
        ("meta", {"type": "MCCB", 7: 1}, "[7]"),
        ("widthDmm", 750, ""),
        ("colour", "red", ""),
        ("두 낱말", 1, ""),
    ],
)
def test_a_breaker_value_that_is_refused(key: str, value: object, inside: str) -> None:
    (finding,) = refused("json", {"breakers": [BREAKER, BREAKER | {"model": "X", key: value}]})
    step = key if key.isascii() else ascii([key])
    path = f"$.breakers[1].{step}{inside}".replace(".[", "[")
    assert finding.path == path
    assert finding.data["line"] is None
    assert finding.data["allowed"]
    json.dumps(finding.data, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("part", "row", "key", "value"),
    [
        ("enclosures", ENCLOSURE, "model", ""),
        ("enclosures", ENCLOSURE, "series", None),
        ("enclosures", ENCLOSURE, "material", "WOOD"),
        ("enclosures", ENCLOSURE, "location", "indoor"),
        ("enclosures", ENCLOSURE, "mount", "WALL"),
        ("enclosures", ENCLOSURE, "widthMm", 49.9),
        ("enclosures", ENCLOSURE, "heightMm", 3000.1),
        ("enclosures", ENCLOSURE, "depthMm", None),
        ("enclosures", ENCLOSURE, "thicknessMm", 0),
        ("enclosures", ENCLOSURE, "thicknessMm", "1.6"),
        ("enclosures", ENCLOSURE, "grade", 1),
        ("enclosures", ENCLOSURE, "width_mm", 400),
        ("accessories", ACCESSORY, "code", "a\nb"),
        ("accessories", ACCESSORY, "kind", None),
        ("accessories", ACCESSORY, "widthMm", 0.9),
        ("accessories", ACCESSORY, "heightMm", 1001),
        ("accessories", ACCESSORY, "depthMm", 22.95),
        ("accessories", ACCESSORY, "depthMm", 1000.1),
        ("enclosures", ENCLOSURE, "thicknessMm", 100.1),
        ("accessories", ACCESSORY, "depthMm", False),
        ("accessories", ACCESSORY, "poles", "3P"),
    ],
)
def test_a_stock_value_that_is_refused(part: str, row: Json, key: str, value: Any) -> None:
    (finding,) = refused("json", {part: [row | {key: value}]})
    assert finding.path == f"$.{part}[0].{key}"
    assert finding.data["column"] == key


def test_a_key_that_is_missing() -> None:
    rows = [{key: value for key, value in BREAKER.items() if key != "heightMm"}]
    (finding,) = refused("json", {"breakers": rows})
    assert finding.path == "$.breakers[0].heightMm"
    assert finding.message.en.startswith("No value is given.")


def test_problems_of_all_parts_at_once() -> None:
    content = {
        "breakers": [BREAKER | {"af": 0, "poles": "9P"}],
        "enclosures": [ENCLOSURE | {"widthMm": 1, "mount": "X"}],
        "accessories": [{}],
        "rules": {},
    }
    found = paths(refused("json", content))
    assert {"$.breakers[0].af", "$.breakers[0].poles", "$.enclosures[0].mount"} <= set(found)
    assert {"$.enclosures[0].widthMm", "$.accessories[0].code", "$.rules.brands"} <= set(found)
