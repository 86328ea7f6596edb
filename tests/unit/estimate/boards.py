"""Boards and knowledge to estimate: by hand, and drawn by hypothesis."""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from kis.estimate.busbars import Row
from kis.estimate.engine import Outcome, estimate
from kis.estimate.gates import check_statements, normalise
from kis.estimate.model import (
    AccessoryDraft,
    BoardDraft,
    Device,
    DeviceDraft,
    SelectedAccessory,
    SelectedDevice,
)
from kis.knowledge.model import Accessory, Breaker, StockEnclosure
from kis.knowledge.snapshot import Snapshot

FRAMES_A = (30, 32, 50, 60, 63, 100, 125, 150, 200, 225, 250, 300, 400, 500, 600, 630, 800)
"""Frames of every class, some of them between two rows of a rule table."""

TALL = StockEnclosure("TALL", "T", "STEEL", "INDOOR", "SURFACE", 9000, 22_000, 4000)
"""Stock that is tall enough for every drawn main, so that busbars have room under it."""


# --- by hand ---------------------------------------------------------------------------


def line(model: str, quantity: int = 1, **stated: Any) -> DeviceDraft:
    return DeviceDraft(model=model, quantity=quantity, **stated)


def draft(
    main: str | DeviceDraft,
    *branches: DeviceDraft,
    accessories: Sequence[tuple[str, int]] = (),
    **stated: Any,
) -> BoardDraft:
    """Return a board of SANGDO breakers, indoors on a wall, unless stated otherwise."""
    board = {"brand": "SANGDO", "location": "INDOOR", "mount": "SURFACE", **stated}
    return BoardDraft(
        main=line(main) if isinstance(main, str) else main,
        branches=branches,
        accessories_enabled=bool(accessories),
        accessories=tuple(AccessoryDraft(code, quantity) for code, quantity in accessories),
        **board,
    )


def run(board: BoardDraft, snapshot: Snapshot) -> Outcome:
    """Estimate a draft that must pass the gates; MIXED is allowed."""
    findings = check_statements(board, snapshot.rules, allow_mixed=True)
    assert findings == []
    normalised, origins = normalise(board, snapshot.rules)
    return estimate(normalised, snapshot, origins)


def with_tables(snapshot: Snapshot, **parts: Any) -> Snapshot:
    """Return knowledge with other breakers, enclosures, accessories or rules."""
    return Snapshot(msgspec.structs.replace(snapshot.tables, **parts), label="other")


def breaker(
    model: str = "X", poles: int = 3, frame: int = 100, width: int = 750, **more: Any
) -> Breaker:
    """Return a body; lengths in tenths of a millimetre."""
    outline = {"height_dmm": 1300, "depth_dmm": 600, "type": "MCCB", **more}
    return Breaker(
        brand="LS", model=model, poles=poles, frame_size_a=frame, width_dmm=width, **outline
    )


def selected(row: Breaker, quantity: int = 1, **stated: Any) -> SelectedDevice:
    return SelectedDevice(
        Device(brand=row.brand, model=row.model, quantity=quantity, **stated), row
    )


def accessory(code: str, kind: str, width: int | None, height: int | None) -> Accessory:
    return Accessory(code, kind, width, height)


def selected_accessory(row: Accessory, quantity: int = 1) -> SelectedAccessory:
    return SelectedAccessory(row, quantity)


def enclosure(width: int, height: int, depth: int, model: str = "") -> StockEnclosure:
    """Return stock of that size in millimetres."""
    name = model or f"E{width}x{height}x{depth}"
    return StockEnclosure(
        name, "E", "STEEL", "INDOOR", "SURFACE", width * 10, height * 10, depth * 10
    )


def rows_of(*heights: int) -> tuple[Row, ...]:
    """Return rows of one breaker each, as wide as stated."""
    return tuple(
        Row(selected(breaker(f"R{index}", width=height)), None, height)
        for index, height in enumerate(heights)
    )


# --- drawn ------------------------------------------------------------------------------


@st.composite
def drafts(draw: st.DrawFn, snapshot: Snapshot, *, most: int = 12) -> BoardDraft:
    """Draw a board that can be estimated: at most `most` of each kind of breaker."""
    brand = draw(st.sampled_from(snapshot.rules.brands))
    rows = [row for row in snapshot.tables.breakers if row.brand == brand]
    lines = st.builds(_line, st.sampled_from(rows), st.integers(1, most))
    codes = [row.code for row in snapshot.tables.accessories if row.height_dmm is not None]
    items = st.builds(AccessoryDraft, st.sampled_from(codes), st.integers(1, 4))
    accessories = draw(st.one_of(st.just([]), st.lists(items, min_size=1, max_size=4)))
    return BoardDraft(
        brand=brand,
        form=draw(st.sampled_from(["ECONOMIC", "STANDARD", None])),
        location=draw(st.sampled_from(["INDOOR", "OUTDOOR"])),
        mount=draw(st.sampled_from(["WALL", "SURFACE", "FLUSH", "STAND"])),
        material=draw(st.sampled_from(["STEEL", "SUS", None])),
        main=draw(st.builds(_line, st.sampled_from(rows))),
        branches=tuple(draw(st.lists(lines, max_size=6))),
        accessories_enabled=bool(accessories),
        accessories=tuple(accessories),
    )


def _line(row: Breaker, quantity: int = 1) -> DeviceDraft:
    return DeviceDraft(model=row.model, poles=f"{row.poles}P", quantity=quantity)


@st.composite
def invented(draw: st.DrawFn, seed: Snapshot) -> Snapshot:
    """Draw knowledge with bodies, accessories and stock that no maker has."""
    width = st.one_of(st.integers(100, 3500), st.sampled_from([178, 250, 356, 712, 750, 1000]))
    rows = st.builds(
        breaker,
        poles=st.integers(1, 4),
        frame=st.sampled_from(FRAMES_A),
        width=width,
        height_dmm=st.integers(500, 4500),
        depth_dmm=st.integers(300, 3000),
        type=st.sampled_from(["MCCB", "ELCB"]),
    )
    kinds = st.sampled_from(["meter", "contactor", "timer", "spd", "lamp", "new kind"])
    side = st.integers(50, 6000)
    accessories = draw(st.lists(st.builds(accessory, st.just(""), kinds, side, side), max_size=3))
    stock = draw(st.one_of(st.just(seed.tables.enclosures), st.builds(tuple, _stock)))
    return with_tables(
        seed,
        breakers=_named(draw(st.lists(rows, min_size=2, max_size=6)), "model", "X"),
        accessories=(*seed.tables.accessories, *_named(accessories, "code", "A")),
        enclosures=(*_named(stock, "model", "E"), TALL),
        rules=msgspec.structs.replace(seed.rules, brands=("LS",)),
    )


_stock = st.lists(
    st.builds(
        enclosure,
        st.integers(4, 30).map(lambda n: n * 50),
        st.integers(6, 40).map(lambda n: n * 50),
        st.sampled_from([150, 200, 250, 400]),
    ),
    max_size=20,
)


def _named(rows: Sequence[Any], field: str, letter: str) -> tuple[Any, ...]:
    """Return `rows` under names of their own."""
    return tuple(
        msgspec.structs.replace(row, **{field: f"{letter}{index}"})
        for index, row in enumerate(rows)
    )


def knowledge(seed: Snapshot) -> st.SearchStrategy[Snapshot]:
    """Draw the shipped knowledge or an invented one."""
    return st.one_of(st.just(seed), invented(seed))


_MODELS = ("SBS-54", "SIE-32", "ABN-104", "ABS-803", "TS800U", "BKN-1P", "METASOL-600")
_CODES = ("METER-3PH", "MC-9..22", "SPD-VAL-MS-2P", "DUCT-40x60", "FUSE-HOLDER", "NEW")


def _optional(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from([None, *values])


_devices = st.builds(
    DeviceDraft,
    model=_optional(*_MODELS),
    af=_optional(30, 50, 100, 225, 800, 1000),
    poles=_optional("1P", "2P", "3P", "4P"),
    at=_optional(20, 100, 5000),
    type=_optional("MCCB", "ELCB", "MCB", "RCBO"),
    brand=_optional("LS", "SANGDO", "NEW"),
    quantity=st.integers(1, 30),
)
any_drafts = st.builds(
    BoardDraft,
    brand=_optional("LS", "SANGDO", "MIXED", "NEW"),
    form=_optional("ECONOMIC", "STANDARD"),
    location=_optional("INDOOR", "OUTDOOR"),
    mount=_optional("WALL", "SURFACE", "FLUSH", "STAND"),
    material=_optional("STEEL", "SUS"),
    device_type=_optional("MCCB", "ELCB"),
    main=st.one_of(st.none(), _devices),
    branches=st.one_of(st.none(), st.lists(_devices, max_size=3).map(tuple)),
    accessories_enabled=_optional(True, False),
    accessories=st.lists(
        st.builds(AccessoryDraft, st.sampled_from(_CODES), st.integers(1, 9)), max_size=2
    ).map(tuple),
)
"""Any board that the wire lets through: whole, incomplete, contradictory or unknown."""
