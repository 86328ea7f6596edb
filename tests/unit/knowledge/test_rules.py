"""The rule set: DOMAIN's constants as shipped, looked up by frame, and strict."""

from typing import Any

import msgspec
import pytest

from kis.knowledge.rules import (
    DepthRow,
    Drawing,
    PitchClass,
    RuleSet,
    Shelf,
    StandardBranchRow,
    row_for_frame,
)

from .rows import seed_tables

RULES = seed_tables().rules


class TestRowForFrame:
    table = (DepthRow(100, 1500), DepthRow(250, 2000))

    @pytest.mark.parametrize(
        ("frame", "depth"), [(1, 1500), (100, 1500), (101, 2000), (225, 2000), (250, 2000)]
    )
    def test_frame_between_two_rows_uses_the_larger(self, frame: int, depth: int) -> None:
        row = row_for_frame(self.table, frame)
        assert row is not None
        assert row.depth_dmm == depth

    def test_frame_above_the_last_is_unknown(self) -> None:
        assert row_for_frame(self.table, 251) is None

    def test_empty_table_knows_nothing(self) -> None:
        empty: tuple[StandardBranchRow, ...] = ()
        assert row_for_frame(empty, 30) is None


class TestShipped:
    """Figures of DOMAIN, in tenths of a millimetre."""

    def test_economic(self) -> None:
        economic = RULES.economic
        assert economic.height_allowance_dmm == 2000
        assert economic.width_allowance_dmm_by_main_poles == {
            "1P": 2500, "2P": 2500, "3P": 3000, "4P": 3000,
        }  # fmt: skip
        assert (economic.confirmed_main_frame_size_a, economic.confirmed_branches) == (100, 20)

    def test_depth(self) -> None:
        assert [(row.max_frame_size_a, row.depth_dmm) for row in RULES.depth.table] == [
            (200, 1500), (250, 2000), (400, 2500), (600, 3500), (800, 4000),
        ]  # fmt: skip
        assert RULES.depth.body_clearance_dmm == 400

    def test_standard_by_main(self) -> None:
        rows = [
            (row.max_frame_size_a, row.top_dmm, row.bottom_dmm, row.min_width_dmm)
            for row in RULES.standard.main
        ]
        assert rows == [
            (60, 1300, 1500, 6000), (100, 1700, 1500, 6000), (125, 1700, 1500, 7000),
            (250, 2000, 1500, 7000), (400, 4000, 2000, 8000), (600, 5000, 2500, 9000),
            (800, 6000, 2500, 10_000),
        ]  # fmt: skip

    def test_standard_by_branch(self) -> None:
        rows = [(row.max_frame_size_a, row.min_width_dmm) for row in RULES.standard.branch]
        assert rows == [
            (30, 5000), (100, 6000), (125, 7000), (250, 8000), (400, 9000), (10_000, 10_000),
        ]  # fmt: skip

    def test_standard_main_only(self) -> None:
        rows = [
            (row.width_dmm, row.height_dmm, row.height_above_body_dmm, row.depth_dmm)
            for row in RULES.standard.main_only
        ]
        assert rows == [
            (3000, 4000, None, 1500), (7000, None, 6800, 2500), (8000, None, 9800, 3000),
            (8000, None, 11_600, 3000),
        ]  # fmt: skip

    def test_standard_constants(self) -> None:
        standard = RULES.standard
        assert standard.main_to_branches_dmm == 300
        assert standard.facing_four_pole_pitches == 5
        assert standard.accessory_share_percent == 25
        assert standard.duct_dmm == 400

    def test_pitch_classes(self) -> None:
        rows = [(row.max_frame_size_a, row.pole_pitch_dmm) for row in RULES.pitch_classes]
        assert rows == [(30, 250), (100, 250), (125, 300), (250, 350), (400, 470)]
        assert RULES.pole_pitch_above_dmm == 700

    def test_stock(self) -> None:
        stock = RULES.stock
        assert (stock.step_dmm, stock.made_to_order_depth_step_dmm) == (1000, 500)
        assert stock.max_front_percent == 130

    def test_accessories(self) -> None:
        rules = RULES.accessories
        assert rules.shelves == {"meter": Shelf(2, 2000), "contactor": Shelf(5, 2500)}
        assert rules.duct_between_rows_dmm == 400
        assert rules.door_min_depth_dmm == 2000
        assert rules.extra_depth_dmm_by_kind == {"spd": 1000}
        brought = {(c.kind, c.quantity) for c in rules.companions["contactor"]}
        assert brought == {("fuse_holder", 1), ("terminal_block", 3), ("wiring_duct", 2)}

    def test_allowances_hold_what_is_drawn(self) -> None:
        """The drawing splits allowances up; parts must not exceed the whole."""
        drawing, economic = RULES.drawing, RULES.economic
        drawn = drawing.economic_top_dmm + drawing.economic_main_to_branches_dmm
        assert drawn <= economic.height_allowance_dmm
        beside_branches = drawing.busbar_gap_dmm + 2 * drawing.side_clearance_dmm
        assert beside_branches <= min(economic.width_allowance_dmm_by_main_poles.values())

    def test_every_group_names_its_source(self) -> None:
        groups = {
            "pitchClasses", "depth", "economic", "standard", "stock", "accessories", "drawing",
            "stockMount",
        }  # fmt: skip
        assert groups <= set(RULES.sources)
        assert all(RULES.sources.values())


class TestStrict:
    plain: dict[str, Any] = msgspec.to_builtins(RULES)

    def test_round_trip(self) -> None:
        assert msgspec.convert(self.plain, RuleSet) == RULES

    @pytest.mark.parametrize(
        ("part", "value"),
        [
            ("version", ""),
            ("polePitchAboveDmm", 0),
            ("polePitchAboveDmm", 100_001),
            ("polePitchAboveDmm", 700.5),
            ("drawing", {**plain["drawing"], "sideClearanceDmm": -1}),
            ("drawing", {**plain["drawing"], "unknown": 1}),
            ("stock", {**plain["stock"], "stepDmm": 0}),
            ("stock", {**plain["stock"], "defaultMaterial": "WOOD"}),
            ("unknown", 1),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, part: str, value: object) -> None:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**self.plain, part: value}, RuleSet)

    @pytest.mark.parametrize("part", ["depth", "standard", "drawing", "stockMount"])
    def test_nothing_may_be_left_out(self, part: str) -> None:
        rest = {key: value for key, value in self.plain.items() if key != part}
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(rest, RuleSet)

    def test_rules_do_not_change(self) -> None:
        row: Any = PitchClass(100, 250)
        drawing: Any = Drawing(0, 0, 0, 0, 0)
        with pytest.raises(AttributeError):
            row.pole_pitch_dmm = 1
        with pytest.raises(AttributeError):
            drawing.busbar_gap_dmm = 1
