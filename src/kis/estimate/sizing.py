"""What the two forms require: the vertical and horizontal budget of a board.

All lengths are tenths of a millimetre. Formulas are DOMAIN's, "ECONOMIC" and
"STANDARD"; every constant comes from the rule set.
"""

import msgspec

from kis.errors import ErrorCode, Text, refusal
from kis.estimate.model import Form, SelectedDevice, Selection
from kis.knowledge.questions import Question, RuleTable, ask, rule_in_korean
from kis.knowledge.rules import Row, RuleSet, row_for_frame


class Budget(msgspec.Struct, frozen=True):
    """Height and width of a board as functions of its busbars; depth outright.

    Down the enclosure: top, main band, gap, rows (and accessories), bottom.
    `least_*` are floors that hold whatever the branches need.
    """

    top_dmm: int
    main_dmm: int
    gap_dmm: int
    bottom_dmm: int
    width_per_busbar_dmm: int
    least_width_dmm: int
    least_height_dmm: int
    depth_dmm: int
    accessory_share_percent: int
    accessory_duct_dmm: int

    @property
    def outside_dmm(self) -> int:
        """Return the height of everything but rows and accessories."""
        return self.top_dmm + self.main_dmm + self.gap_dmm + self.bottom_dmm

    def height_dmm(self, rows_dmm: int) -> int:
        """Return the required height over rows that tall, the accessories' share included."""
        share = -(-rows_dmm * self.accessory_share_percent // 100) + self.accessory_duct_dmm
        return max(self.outside_dmm + rows_dmm + share, self.least_height_dmm)

    def width_dmm(self, busbars: int) -> int:
        """Return the required width with `busbars` side by side."""
        return max(busbars * self.width_per_busbar_dmm, self.least_width_dmm)


def budget(form: Form, selection: Selection, rules: RuleSet) -> Budget:
    """Return what a board of that form requires before any rounding.

    Raises:
        DomainError: NEED_KNOWLEDGE_UPDATE where a frame is above a rule's table.

    """
    if form == "ECONOMIC":
        return _economic(selection, rules)
    return _standard(selection, rules)


def _width_allowance_dmm(selection: Selection, rules: RuleSet) -> int:
    poles = f"{selection.main.row.poles}P"
    return rules.economic.width_allowance_dmm_by_main_poles[poles]


def _tallest_branch_dmm(selection: Selection) -> int:
    return max((branch.row.height_dmm for branch in selection.branches), default=0)


def _economic(selection: Selection, rules: RuleSet) -> Budget:
    """H = main + rows + 200; W = 2 x tallest branch + 300 (3P, 4P main) or 250."""
    drawing = rules.drawing
    allowance = _width_allowance_dmm(selection, rules)
    height_allowance = rules.economic.height_allowance_dmm
    above_rows = drawing.economic_top_dmm + drawing.economic_main_to_branches_dmm
    return Budget(
        top_dmm=drawing.economic_top_dmm,
        main_dmm=selection.main.row.height_dmm,
        gap_dmm=drawing.economic_main_to_branches_dmm,
        bottom_dmm=height_allowance - above_rows,
        width_per_busbar_dmm=2 * _tallest_branch_dmm(selection) + allowance,
        least_width_dmm=selection.main.row.width_dmm + allowance,
        least_height_dmm=0,
        depth_dmm=_depth_dmm(selection, rules),
        accessory_share_percent=0,
        accessory_duct_dmm=0,
    )


def _standard(selection: Selection, rules: RuleSet) -> Budget:
    """H = A + main + B + C + E + Dn, W by table; never below the main's own enclosure."""
    main = selection.main
    alone = _rule(rules.standard.main_only, "standardMainOnly", main)
    around = 2 * rules.drawing.side_clearance_dmm
    alone_width = max(alone.width_dmm, main.row.width_dmm + around)
    alone_height = max(
        alone.height_dmm or 0,
        main.row.height_dmm + max(alone.height_above_body_dmm or 0, around),
    )
    allowance = _width_allowance_dmm(selection, rules)
    body_width = main.row.width_dmm + allowance
    if not selection.branches and not selection.accessories:
        # The body stands centred: the drawing convention splits what is left.
        return Budget(
            top_dmm=(alone_height - main.row.height_dmm) // 2,
            main_dmm=main.row.height_dmm,
            gap_dmm=0,
            bottom_dmm=0,
            width_per_busbar_dmm=0,
            least_width_dmm=alone_width,
            least_height_dmm=alone_height,
            depth_dmm=max(alone.depth_dmm, _deepest_dmm(selection, rules)),
            accessory_share_percent=0,
            accessory_duct_dmm=0,
        )
    row = _rule(rules.standard.main, "standardMain", main)
    column_widths = [2 * _tallest_branch_dmm(selection) + allowance]
    column_widths += [
        _rule(rules.standard.branch, "standardBranch", branch).min_width_dmm
        for branch in selection.branches
    ]
    has_duct = _uses_duct(selection, rules)
    return Budget(
        top_dmm=row.top_dmm,
        main_dmm=main.row.height_dmm,
        gap_dmm=rules.standard.main_to_branches_dmm,
        bottom_dmm=row.bottom_dmm,
        width_per_busbar_dmm=max(column_widths),
        least_width_dmm=max(row.min_width_dmm, alone_width, body_width),
        least_height_dmm=alone_height,
        depth_dmm=_depth_dmm(selection, rules),
        accessory_share_percent=(
            rules.standard.accessory_share_percent if selection.accessories else 0
        ),
        accessory_duct_dmm=rules.standard.duct_dmm if has_duct else 0,
    )


def _uses_duct(selection: Selection, rules: RuleSet) -> bool:
    """Whether a wiring duct is asked for, or brought along by an accessory."""
    kinds = {accessory.row.kind for accessory in selection.accessories}
    brought = {
        companion.kind for kind in kinds for companion in rules.accessories.companions.get(kind, ())
    }
    return rules.accessories.duct_kind in kinds | brought


def _deepest_dmm(selection: Selection, rules: RuleSet) -> int:
    bodies = [selection.main.row.depth_dmm]
    bodies += [branch.row.depth_dmm for branch in selection.branches]
    bodies += [accessory.row.depth_dmm or 0 for accessory in selection.accessories]
    return max(bodies) + rules.depth.body_clearance_dmm


def _depth_dmm(selection: Selection, rules: RuleSet) -> int:
    """D by the largest frame, the deepest body, and what is mounted in the door."""
    largest = max((selection.main, *selection.branches), key=lambda d: d.row.frame_size_a)
    depth = max(
        _rule(rules.depth.table, "depth", largest).depth_dmm, _deepest_dmm(selection, rules)
    )
    if not selection.accessories:
        return depth
    kinds = {accessory.row.kind for accessory in selection.accessories}
    if kinds.intersection(rules.accessories.door_kinds):
        depth = max(depth, rules.accessories.door_min_depth_dmm)
    extra = rules.accessories.extra_depth_dmm_by_kind
    return depth + max((extra.get(kind, 0) for kind in kinds), default=0)


def _rule(table: tuple[Row, ...], name: RuleTable, device: SelectedDevice) -> Row:
    frame = device.row.frame_size_a
    row = row_for_frame(table, frame)
    if row is not None:
        return row
    question = Question(kind="rule", rule_table=name, frame_size_a=frame)
    raise refusal(
        ErrorCode.NEED_KNOWLEDGE_UPDATE,
        Text(
            f"{frame}AF에 적용할 {rule_in_korean(name)} 규칙이 없습니다.",
            f"There is no {name} rule for frame {frame} A.",
        ),
        ask(question),
        "$",
        question=question,
    )
