"""The engine: a board and a snapshot in, an estimate out. Pure and deterministic."""

from functools import partial
from typing import NamedTuple

from kis.estimate.accessories import placeable_units
from kis.estimate.bom import bill
from kis.estimate.busbars import pair_rows
from kis.estimate.cautions import cautions
from kis.estimate.enclosure import Choice, rejections_at, stock_at
from kis.estimate.fitting import Fit, fit
from kis.estimate.gates import Origins
from kis.estimate.model import Board, Enclosure, Estimate, Selection
from kis.estimate.placement import Plan, place
from kis.estimate.selection import select
from kis.estimate.siblings import siblings
from kis.estimate.sizing import Budget, budget
from kis.knowledge.model import StockEnclosure
from kis.knowledge.snapshot import Snapshot
from kis.units import Size, to_mm


class Outcome(NamedTuple):
    """An estimate and the rows that it follows from."""

    estimate: Estimate
    selection: Selection
    stock: tuple[StockEnclosure, ...]


class Sized(NamedTuple):
    """What decides the size of a board, before anything is drawn or listed."""

    selection: Selection
    stock: tuple[StockEnclosure, ...]
    needs: Budget
    found: Fit


def size_of(board: Board, snapshot: Snapshot, origins: Origins | None = None) -> Sized:
    """Return the enclosure of `board` under `snapshot`, and what it was chosen by.

    It is the first part of `estimate`, and all of it that can refuse: whoever wants
    sizes alone gets the same ones, for less than half the work.

    Raises:
        DomainError: as `estimate`.

    """
    rules = snapshot.rules
    selection = select(board, snapshot, origins)
    stock = stock_at(snapshot, board.installation)
    needs = budget(board.form, selection, rules)
    found = fit(
        needs,
        partial(siblings, board.form, selection, rules, snapshot.tallest_stock_dmm),
        pair_rows(selection.branches, board.form, rules),
        placeable_units(selection.accessories, rules.accessories),
        selection.main.row.width_dmm,
        stock,
        snapshot.tallest_stock_dmm,
        rules,
    )
    return Sized(selection, stock, needs, found)


def estimate(board: Board, snapshot: Snapshot, origins: Origins | None = None) -> Outcome:
    """Estimate `board` under `snapshot`.

    `origins` leads the paths of findings back to the request as it was typed.

    Raises:
        DomainError: a line that cannot be told, or a rule that is missing.

    """
    rules = snapshot.rules
    selection, stock, needs, found = size_of(board, snapshot, origins)
    layout = place(Plan.of(selection.main, needs, found), found.choice, rules.drawing)
    enclosure = _enclosure(board, found.choice)
    result = Estimate(
        enclosure=enclosure,
        required=Size(to_mm(found.width_dmm), to_mm(found.height_dmm), to_mm(needs.depth_dmm)),
        layout=layout,
        bill_of_materials=bill(enclosure, selection, layout.busbars, rules.accessories),
        rejected=rejections_at(snapshot, board.installation, found.need, found.choice),
        warnings=cautions(
            board, selection, found.need, found.choice, stock, snapshot.tallest_stock_dmm, rules
        ),
    )
    return Outcome(result, selection, stock)


def _enclosure(board: Board, choice: Choice) -> Enclosure:
    installation = board.installation
    return Enclosure(
        W=to_mm(choice.width_dmm),
        H=to_mm(choice.height_dmm),
        D=to_mm(choice.depth_dmm),
        source="stock" if choice.stock else "madeToOrder",
        model=choice.stock.model if choice.stock else None,
        material=installation.material,
        location=installation.location,
        mount=installation.mount,
    )
