"""The rule set: every constant of layout and enclosure sizing, as knowledge.

The shipped values and their sources are in `kis/seed/catalogue.json`. In the
import format lengths are millimetres (`...Mm`); here they are tenths (`_dmm`).
Tables are ordered by their upper frame size; a frame between two rows uses the
next larger row, a frame above the last row is not known.
"""

from typing import Annotated, TypeVar

import msgspec

from kis.knowledge.model import Accessory, Material

MIXED_BRANDS = "MIXED"
"""What a board says instead of a brand when it has several: no brand's name."""

Length = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
PositiveLength = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Frame = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class _Rule(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Base of all rule structs: strict, immutable, camelCase outside."""


class PitchClass(_Rule, frozen=True):
    """Frames up to `max_frame_size_a` share a busbar pitch; above the last, none do."""

    max_frame_size_a: Frame
    pole_pitch_dmm: PositiveLength


class DepthRow(_Rule, frozen=True):
    """Enclosure depth by the largest frame of the board."""

    max_frame_size_a: Frame
    depth_dmm: PositiveLength


class Depth(_Rule, frozen=True):
    """D = table by largest frame, and never less than deepest body + clearance."""

    table: tuple[DepthRow, ...]
    body_clearance_dmm: Length


class Economic(_Rule, frozen=True):
    """ECONOMIC: H = main + rows + allowance, W = 2 x tallest branch + allowance."""

    height_allowance_dmm: Length
    width_allowance_dmm_by_main_poles: dict[str, Length]
    confirmed_main_frame_size_a: Frame
    confirmed_branches: Count


class StandardMainRow(_Rule, frozen=True):
    """STANDARD by main frame: top and bottom wiring space, least width."""

    max_frame_size_a: Frame
    top_dmm: Length
    bottom_dmm: Length
    min_width_dmm: PositiveLength


class StandardBranchRow(_Rule, frozen=True):
    """STANDARD least width by the largest branch frame."""

    max_frame_size_a: Frame
    min_width_dmm: PositiveLength


class StandardMainOnlyRow(_Rule, frozen=True):
    """STANDARD enclosure of a main on its own: a fixed height, or body + extra."""

    max_frame_size_a: Frame
    width_dmm: PositiveLength
    depth_dmm: PositiveLength
    height_dmm: PositiveLength | None = None
    height_above_body_dmm: Length | None = None


class Standard(_Rule, frozen=True):
    """STANDARD: H = A + main + B + C + E + Dn with wiring space; W by table."""

    main: tuple[StandardMainRow, ...]
    branch: tuple[StandardBranchRow, ...]
    main_only: tuple[StandardMainOnlyRow, ...]
    main_to_branches_dmm: Length
    facing_four_pole_pitches: Count
    accessory_share_percent: Percent
    duct_dmm: Length


class Stock(_Rule, frozen=True):
    """How a requirement becomes an enclosure: rounding, stock, made to order."""

    step_dmm: PositiveLength
    made_to_order_depth_step_dmm: PositiveLength
    max_front_percent: Percent
    default_material: Material


class Shelf(_Rule, frozen=True):
    """Rows of one kind of accessory: at most `per_row` to a row of a fixed height."""

    per_row: Count
    row_height_dmm: PositiveLength


class Companion(_Rule, frozen=True):
    """What one accessory brings along in the bill of materials."""

    kind: str
    quantity: Count
    code: str = ""


class AccessoryRules(_Rule, frozen=True):
    """Where accessories go and what they bring."""

    beside_main_kinds: tuple[str, ...]
    shelves: dict[str, Shelf]
    duct_between_rows_dmm: Length
    duct_kind: str
    companions: dict[str, tuple[Companion, ...]]
    door_kinds: tuple[str, ...]
    door_min_depth_dmm: Length
    extra_depth_dmm_by_kind: dict[str, Length]
    widen_up_to_dmm: PositiveLength
    """No enclosure is made wider than this only to shorten its accessory rows."""

    def takes_room(self, row: Accessory) -> bool:
        """Tell whether the accessory stands on the mounting plate."""
        return row.kind != self.duct_kind and row.kind not in self.door_kinds

    def can_place(self, row: Accessory) -> bool:
        """Tell whether the outline of the accessory is known, or not needed."""
        return not self.takes_room(row) or None not in (row.width_dmm, row.height_dmm)


class Drawing(_Rule, frozen=True):
    """How the allowances are split up on the front view; decides no size."""

    busbar_gap_dmm: Length
    economic_top_dmm: Length
    economic_main_to_branches_dmm: Length
    side_clearance_dmm: Length
    beside_main_gap_dmm: Length


class RuleSet(_Rule, frozen=True):
    """All constants. `sources` says in words where each group comes from."""

    version: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    brands: tuple[str, ...]
    sources: dict[str, str]
    grade_preference: dict[str, tuple[str, ...]]
    pitch_classes: tuple[PitchClass, ...]
    pole_pitch_above_dmm: PositiveLength
    depth: Depth
    economic: Economic
    standard: Standard
    stock: Stock
    accessories: AccessoryRules
    drawing: Drawing
    stock_mount: dict[str, str]


Row = TypeVar("Row", PitchClass, DepthRow, StandardMainRow, StandardBranchRow, StandardMainOnlyRow)


def row_for_frame(table: tuple[Row, ...], frame_size_a: int) -> Row | None:
    """Return the first row that covers `frame_size_a`; None above the last."""
    # A loop: a generator would take longer to make than these few rows to look at.
    for row in table:
        if frame_size_a <= row.max_frame_size_a:
            return row
    return None
