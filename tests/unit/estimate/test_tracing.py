"""Every device on the front view leads to the line of the request that asked for it."""

from collections import Counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.estimate.engine import Outcome
from kis.estimate.gates import normalise
from kis.estimate.model import BoardDraft, DeviceDraft, Placement
from kis.estimate.tracing import Part, trace, typed_rows
from kis.knowledge.snapshot import Snapshot

from .boards import accessory, draft, drafts, line, run, with_tables

many = settings(max_examples=60, deadline=None)


def traced(board: BoardDraft, outcome: Outcome, snapshot: Snapshot) -> tuple[Part, ...]:
    result = outcome.estimate
    normalised, _ = normalise(board, snapshot.rules)
    return trace(normalised, result.bill_of_materials, result.layout.placements)


def rows_of(board: BoardDraft, snapshot: Snapshot) -> dict[str, str]:
    parts = traced(board, run(board, snapshot), snapshot)
    return typed_rows(board, normalise(board, snapshot.rules)[0], parts)


def by_frame(**stated: object) -> DeviceDraft:
    return DeviceDraft(**{"af": 50, "poles": "2P", "type": "ELCB", **stated})  # type: ignore[arg-type]


def test_main_branches_and_accessories(seed_snapshot: Snapshot) -> None:
    board = draft(
        "SBS-54", line("SIE-32", 2, name="전등"), line("SES-54"), accessories=[("METER-3PH", 1)]
    )
    assert [
        (part.row, part.circuit, part.devices)
        for part in traced(board, run(board, seed_snapshot), seed_snapshot)
    ] == [
        ("main", "", ("M1",)),
        ("branches[0]", "", ("B1",)),
        ("branches[1]", "전등", ("B2", "B3")),
        ("accessories.items[0]", "", ("A1",)),
        ("", "", ()),  # the busbar
    ]
    assert rows_of(board, seed_snapshot) == {
        "M1": "main", "B1": "branches[1]", "B2": "branches[0]", "B3": "branches[0]",
        "A1": "accessories.items[0]",
    }  # fmt: skip


def test_lines_of_one_model_take_their_bodies_in_order(seed_snapshot: Snapshot) -> None:
    """They differ in what does not show in the layout: the name, and the rated current."""
    board = draft("SBS-54", line("SIE-32", name="b"), line("SIE-32", 2, at=20), line("SIE-32"))
    parts = traced(board, run(board, seed_snapshot), seed_snapshot)
    found = {part.row: (part.circuit, part.item.specification, part.devices) for part in parts}
    assert found["branches[0]"] == ("", "ELCB 2P 30AF", ("B1",))
    assert found["branches[1]"] == ("b", "ELCB 2P 30AF", ("B4",))
    assert found["branches[2]"] == ("", "ELCB 2P 30AF/20AT", ("B2", "B3"))


def test_merged_lines_get_their_own_devices_back(seed_snapshot: Snapshot) -> None:
    board = draft(
        "SBS-54", line("SIE-32"), line("SES-54"), line("SIE-32", 2),
        accessories=[("TIMER-24H", 1), ("METER-3PH", 1), ("TIMER-24H", 2)],
    )  # fmt: skip
    counts = Counter(rows_of(board, seed_snapshot).values())
    assert counts == {
        "main": 1, "branches[0]": 1, "branches[1]": 1, "branches[2]": 2,
        "accessories.items[0]": 1, "accessories.items[1]": 1, "accessories.items[2]": 2,
    }  # fmt: skip


def test_line_by_model_beside_one_by_frame_that_could_mean_it(seed_snapshot: Snapshot) -> None:
    """Both are an ELCB of 50 A with 2P; only one of them names its body."""
    board = draft("SBS-54", by_frame(), line("SEC-52"))
    outcome = run(board, seed_snapshot)
    models = {p.device: p.model for p in outcome.estimate.layout.placements}
    chosen = {b.line.model: b.row.model for b in outcome.selection.branches}
    assert chosen[""] != "SEC-52"
    rows = rows_of(board, seed_snapshot)
    assert {rows[device]: model for device, model in models.items()} == {
        "main": "SBS-54", "branches[0]": chosen[""], "branches[1]": "SEC-52",
    }  # fmt: skip


def test_accessory_that_others_bring_along(seed_snapshot: Snapshot) -> None:
    """A contactor brings a fuse holder: the bill has two, one of which was asked for."""
    rows = seed_snapshot.tables.accessories
    others = [row for row in rows if row.code != "FUSE-HOLDER"]
    holder = accessory("FUSE-HOLDER", "fuse_holder", 300, 600)
    snapshot = with_tables(seed_snapshot, accessories=(*others, holder))
    board = draft("SBS-54", accessories=[("MC-9..22", 1), ("FUSE-HOLDER", 1)])
    parts = traced(board, run(board, snapshot), snapshot)
    (found,) = [part for part in parts if part.item.model == "FUSE-HOLDER"]
    assert (found.item.quantity, found.row) == (2, "accessories.items[0]")
    assert [rows_of(board, snapshot)[device] for device in found.devices] == [
        "accessories.items[1]"
    ]


def test_bodies_of_one_model_go_by_their_width(seed_snapshot: Snapshot) -> None:
    """A shop's own table may have one model with 2P and 4P."""
    board = draft("SBS-54", line("SIE-32"), line("SES-54"))
    result = run(board, seed_snapshot).estimate
    bill = tuple(
        msgspec.structs.replace(item, model="X") if item.category == "branch" else item
        for item in result.bill_of_materials
    )
    normalised, _ = normalise(
        draft("SBS-54", line("X", poles="2P"), line("X", poles="4P")), seed_snapshot.rules
    )
    for devices in (("B1", "B2"), ("B2", "B1")):
        narrow, wide = (
            Placement(device, "branch", "X", 0, 0, 96, width, rotated=True)
            for device, width in zip(devices, (33, 100), strict=True)
        )
        found = {part.row: part.devices for part in trace(normalised, bill, (narrow, wide))}
        assert found["branches[1]"] == (narrow.device,)
        assert found["branches[0]"] == (wide.device,)


def test_answer_that_contradicts_itself(seed_snapshot: Snapshot) -> None:
    board = draft("SBS-54", line("SIE-32", 3), accessories=[("METER-3PH", 1)])
    other, _ = normalise(draft("SBS-52", line("SES-54", 2)), seed_snapshot.rules)
    result = run(board, seed_snapshot).estimate
    bill = tuple(
        msgspec.structs.replace(item, specification="?") for item in result.bill_of_materials
    )
    parts = trace(other, bill, result.layout.placements[:2])
    assert [(part.row, part.devices) for part in parts] == [
        ("main", ("M1",)), ("", ("B1",)), ("", ()), ("", ()),
    ]  # fmt: skip


@many
@given(data=st.data())
def test_every_device_has_its_line(seed_snapshot: Snapshot, data: st.DataObject) -> None:
    board = named(data, data.draw(drafts(seed_snapshot)))
    outcome = run(board, seed_snapshot)
    placements = outcome.estimate.layout.placements
    models = {placement.device: placement.model for placement in placements}
    rows = rows_of(board, seed_snapshot)
    assert rows.keys() == models.keys()
    counts = Counter(rows.values())
    for index, branch in enumerate(board.branches or ()):
        path = f"branches[{index}]"
        assert counts.pop(path) == branch.quantity
        assert {models[d] for d, row in rows.items() if row == path} == {branch.model}
    assert counts.pop("main") == 1
    assert all(path.startswith("accessories.items[") for path in counts)


@many
@given(data=st.data())
def test_parts_are_the_bill(seed_snapshot: Snapshot, data: st.DataObject) -> None:
    board = named(data, data.draw(drafts(seed_snapshot)))
    outcome = run(board, seed_snapshot)
    normalised, _ = normalise(board, seed_snapshot.rules)
    parts = traced(board, outcome, seed_snapshot)
    assert tuple(part.item for part in parts) == outcome.estimate.bill_of_materials[1:]
    for part in parts:
        if part.item.category in ("main", "branch"):
            assert len(part.devices) == part.item.quantity
    lines = [f"branches[{index}]" for index in range(len(normalised.branches))]
    assert sorted(p.row for p in parts if p.item.category == "branch") == sorted(lines)
    devices = [device for part in parts for device in part.devices]
    assert sorted(devices) == sorted(p.device for p in outcome.estimate.layout.placements)


def named(data: st.DataObject, board: BoardDraft) -> BoardDraft:
    """Return `board` with names at some lines, so that equal bodies are of several lines."""
    names = st.sampled_from(["", "전등", "전열 1", "전열"])
    branches = [
        msgspec.structs.replace(branch, name=data.draw(names)) for branch in board.branches or ()
    ]
    return msgspec.structs.replace(board, branches=tuple(branches))
