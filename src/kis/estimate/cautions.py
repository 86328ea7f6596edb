"""What the estimator should know about an answer that is nevertheless given."""

from kis.estimate.enclosure import Choice, Need
from kis.estimate.model import Board, Caution, Selection
from kis.estimate.words import LOCATIONS, MATERIALS, MOUNTS
from kis.knowledge.model import StockEnclosure
from kis.knowledge.rules import RuleSet
from kis.knowledge.validation import table_note
from kis.units import to_mm


def cautions(
    board: Board,
    selection: Selection,
    need: Need,
    choice: Choice,
    stock: tuple[StockEnclosure, ...],
    tallest_stock_dmm: int,
    rules: RuleSet,
) -> tuple[Caution, ...]:
    """Return the cautions for an estimate, in a fixed order."""
    return (
        *_unconfirmed_rule(board, selection, rules),
        *_low_confidence(selection),
        *_unknown_depths(selection, rules),
        *_more_than_needed(need, choice),
        *_unusual_enclosure(board, choice, stock, tallest_stock_dmm),
    )


def _unconfirmed_rule(board: Board, selection: Selection, rules: RuleSet) -> list[Caution]:
    if board.form != "ECONOMIC":
        return []
    economic = rules.economic
    branches = sum(branch.line.quantity for branch in selection.branches)
    frame = selection.main.row.frame_size_a
    if frame <= economic.confirmed_main_frame_size_a and branches <= economic.confirmed_branches:
        return []
    return [
        Caution(
            "ECONOMIC_RULE_UNCONFIRMED",
            f"경제형 규칙은 메인 {economic.confirmed_main_frame_size_a}AF, 분기"
            f" {economic.confirmed_branches}개까지만 실물로 확인되었습니다"
            f" (이 반: 메인 {frame}AF, 분기 {branches}개).",
            f"Known boards confirm the ECONOMIC rule only up to a main of"
            f" {economic.confirmed_main_frame_size_a} AF and {economic.confirmed_branches}"
            f" branches (this board: {frame} AF, {branches}).",
        )
    ]


def _low_confidence(selection: Selection) -> list[Caution]:
    rows = {
        device.row.key: device.row
        for device in (selection.main, *selection.branches)
        if device.row.confidence == "low"
    }
    return [
        Caution(
            "LOW_CONFIDENCE_ROW",
            f"{row.brand} {row.model} {row.poles}P의 치수는 신뢰도가 낮습니다."
            f" 제조사에 확인하십시오.{table_note(row).ko}",
            f"The dimensions of {row.brand} {row.model} {row.poles}P are of low confidence."
            f" Confirm them with the maker.{table_note(row).en}",
        )
        for _, row in sorted(rows.items())
    ]


def _unknown_depths(selection: Selection, rules: RuleSet) -> list[Caution]:
    codes = sorted(
        item.row.code
        for item in selection.accessories
        if item.row.depth_dmm is None and rules.accessories.takes_room(item.row)
    )
    if not codes:
        return []
    names = ", ".join(codes)
    return [
        Caution(
            "ACCESSORY_DEPTH_UNKNOWN",
            f"깊이를 모르는 부속자재가 있어 외함 깊이에 반영하지 못했습니다: {names}.",
            f"D could not take these accessories into account, their depth is unknown: {names}.",
        )
    ]


def _more_than_needed(need: Need, choice: Choice) -> list[Caution]:
    """Tell of a made-to-order front that had to be lifted (docs/adr/0003)."""
    is_lifted = (choice.width_dmm, choice.height_dmm) != (need.width_dmm, need.height_dmm)
    if choice.stock is not None or not is_lifted:
        return []
    needed = f"{to_mm(need.width_dmm)}x{to_mm(need.height_dmm)}"
    given = f"{to_mm(choice.width_dmm)}x{to_mm(choice.height_dmm)}"
    return [
        Caution(
            "LARGER_THAN_NEEDED",
            f"이 반만 보면 {needed} mm 제작함으로 충분합니다. 다만 분기가 더 적은 같은 반의 외함이"
            f" 그보다 커서 {given} mm로 정했습니다.",
            f"Made to order at {needed} mm would do. The same board with fewer branches is given"
            f" a larger front than that, hence {given} mm.",
        )
    ]


def _unusual_enclosure(
    board: Board, choice: Choice, stock: tuple[StockEnclosure, ...], tallest_stock_dmm: int
) -> list[Caution]:
    warnings = []
    place = board.installation
    if not stock:
        warnings.append(
            Caution(
                "NO_STOCK_FOR_INSTALLATION",
                f"{LOCATIONS[place.location].ko}·{MOUNTS[place.mount].ko}"
                f"·{MATERIALS[place.material].ko}"
                " 기성함이 지식에 없어 제작함으로 견적합니다.",
                f"No stock enclosure is known for {place.location}, {place.mount},"
                f" {place.material}: made to order.",
            )
        )
    if 0 < tallest_stock_dmm < choice.height_dmm:
        warnings.append(
            Caution(
                "TALLER_THAN_STOCK",
                f"외함 높이 {to_mm(choice.height_dmm)} mm는 가장 높은 기성함"
                f" {to_mm(tallest_stock_dmm)} mm보다 높습니다. 운반과 설치를 확인하십시오.",
                f"At {to_mm(choice.height_dmm)} mm the enclosure is taller than the tallest"
                f" stock one ({to_mm(tallest_stock_dmm)} mm): check transport and installation.",
            )
        )
    return warnings
