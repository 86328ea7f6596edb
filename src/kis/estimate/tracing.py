"""Which line of the request each device on the front view came from. Pure.

An answer says where bodies stand, not which circuit is which: bodies of one model may
change places. Here lines take theirs in the order of their numbers, so that drawings
and pages agree on it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from kis.estimate.bom import Rating, breaker_name, rating_of
from kis.estimate.gates import identify, to_device
from kis.estimate.model import BillItem, Board, BoardDraft, Device, Placement

Key = TypeVar("Key")
MAIN_ROW = "main"


class Part(NamedTuple):
    """A row of the bill of materials with what stands for it on the front view.

    `row` is the path of its line in the request (`branches[2]`), as in findings but
    without the `$.`; empty for what no line asked for by itself. `circuit` is the name
    of the line.
    """

    item: BillItem
    row: str
    circuit: str
    devices: tuple[str, ...]


def trace(
    board: Board, bill: Sequence[BillItem], placements: Sequence[Placement]
) -> tuple[Part, ...]:
    """Return the rows of `bill` but the enclosure, each with its line and its devices.

    All three are of one answer. Where they contradict each other, which those of an
    answer of ours do not, a row is without a line or a device without a row.
    """
    ratings = [rating_of(item) for item in bill]
    lines = _lines_of(board, bill, ratings)
    devices = _devices_of(bill, ratings, placements)
    return tuple(
        Part(item, *lines.get(number, ("", "")), devices[number])
        for number, item in enumerate(bill)
        if item.category != "enclosure"
    )


def typed_rows(draft: BoardDraft, board: Board, parts: Iterable[Part]) -> dict[str, str]:
    """Return by device the path of its line in `draft`, as it was typed.

    `board` is `draft` normalised, of which `parts` were traced. Of lines that were
    merged each gets as many devices as it asked for, in the order of the lines.
    """
    typed = {MAIN_ROW: [MAIN_ROW]}
    branches = [
        (identify(to_device(line, draft, is_main=False)), line.quantity)
        for line in draft.branches or ()
    ]
    merged = [identify(line) for line in board.branches]
    typed |= _spread("branches", merged, branches)
    items = [(item.code, item.quantity) for item in draft.accessories]
    codes = [item.code for item in board.accessories.items]
    typed |= _spread("accessories.items", codes, items)
    return {
        device: path
        for part in parts
        # Beyond what was typed stands what an accessory brings of the same code.
        for device, path in zip(part.devices, typed.get(part.row, ()), strict=False)
    }


def _spread(
    name: str, merged: Sequence[Key], typed: Sequence[tuple[Key, int]]
) -> dict[str, list[str]]:
    """Return by the path of a merged line those of the typed ones, each once for a piece."""
    places: dict[Key, list[str]] = defaultdict(list)
    for index, (key, quantity) in enumerate(typed):
        places[key] += [f"{name}[{index}]"] * quantity
    return {f"{name}[{index}]": places[key] for index, key in enumerate(merged)}


def _lines_of(
    board: Board, bill: Sequence[BillItem], ratings: Sequence[Rating | None]
) -> dict[int, tuple[str, str]]:
    """Return path and circuit of the line behind a row of `bill`, by the row's number."""
    codes = {item.code: f"accessories.items[{i}]" for i, item in enumerate(board.accessories.items)}
    found = {}
    free = []
    for number, item in enumerate(bill):
        if item.category == "main":
            found[number] = MAIN_ROW, board.main.name
        elif item.category == "branch":
            free.append(number)
        elif item.category == "accessory" and item.model in codes:
            found[number] = codes[item.model], ""
    # A line by frame may agree with what a line by model became, not the other way round.
    for index in sorted(range(len(board.branches)), key=lambda i: not board.branches[i].model):
        line = board.branches[index]
        agreeing = next((n for n in free if _agrees(line, bill[n], ratings[n])), None)
        if agreeing is not None:
            free.remove(agreeing)
            found[agreeing] = f"branches[{index}]", line.name
    return found


def _agrees(line: Device, item: BillItem, rating: Rating | None) -> bool:
    """Whether `item` can be what `line` became in the bill."""
    return (
        line.quantity == item.quantity
        and line.model in ("", item.model)
        and line.brand in ("", item.brand)
        and breaker_name("branch", line.name) == item.name
        and rating is not None
        and line.poles in ("", f"{rating.poles}P")
        and line.type in (None, rating.type)
        and line.af in (None, rating.frame_size_a)
        and line.at == rating.rated_current_a
    )


def _devices_of(
    bill: Sequence[BillItem], ratings: Sequence[Rating | None], placements: Sequence[Placement]
) -> list[tuple[str, ...]]:
    """Return what stands for each row of `bill`, in the order in which it stands."""
    free: dict[tuple[str, str], list[int]] = defaultdict(list)
    # A model is of one size in all but a table of the shop's own; then more poles are wider.
    for number in sorted(range(len(placements)), key=lambda n: -placements[n].h):
        free[placements[number].role, placements[number].model].append(number)
    devices: list[tuple[str, ...]] = [()] * len(bill)
    for number in sorted(range(len(bill)), key=lambda n: -_poles(ratings[n])):
        item = bill[number]
        bodies = free[item.category, item.model]
        taken = sorted(bodies[: item.quantity])
        del bodies[: item.quantity]
        devices[number] = tuple(placements[n].device for n in taken)
    return devices


def _poles(rating: Rating | None) -> int:
    return rating.poles if rating else 0
