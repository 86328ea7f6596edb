"""A board looked over: everything that is wrong with it, told at once. Pure."""

from typing import NamedTuple

import msgspec

from kis.errors import DomainError, ErrorCode, Finding
from kis.estimate.engine import Outcome, estimate
from kis.estimate.gates import (
    DEFAULT_FORM,
    Identity,
    check_statements,
    identify,
    merge_accessories,
    normalise,
    to_device,
)
from kis.estimate.model import Board, BoardDraft, Device, DeviceDraft
from kis.estimate.selection import Lines, check_lines
from kis.knowledge.snapshot import Snapshot

# As the request documents them; within a line, as lines are mostly typed.
_FIELDS = (
    "brand", "installation", "location", "mount", "device", "main", "branches", "accessories",
    "items", "model", "code", "af", "poles", "at", "type",
)  # fmt: skip
_RANKS = {name: rank for rank, name in enumerate(_FIELDS)}


class Tried(NamedTuple):
    """A board that can be estimated, and its estimate."""

    board: Board
    outcome: Outcome


def check_board(draft: BoardDraft, snapshot: Snapshot, *, allow_mixed: bool) -> list[Finding]:
    """Return everything that the gates and the tables have against `draft`."""
    try:
        try_board(draft, snapshot, allow_mixed=allow_mixed)
    except DomainError as refusal:
        return list(refusal.findings)
    return []


def try_board(draft: BoardDraft, snapshot: Snapshot, *, allow_mixed: bool) -> Tried:
    """Estimate `draft`, or tell all that is wrong with it.

    Where a gate fails, the lines that are sound are looked up all the same; both
    kinds of findings stand in the order of the request. Rules are not asked then:
    they need the whole board.

    Raises:
        DomainError: everything that the gates and the tables have against it.

    """
    findings = check_statements(draft, snapshot.rules, allow_mixed=allow_mixed)
    if findings:
        objected = {finding.path for finding in findings}
        findings += [
            finding
            for finding in check_lines(_sound_lines(draft, objected), snapshot)
            if not _asks_again(finding, objected)
        ]
        raise DomainError(*sorted(findings, key=_place))
    board, origins = normalise(draft, snapshot.rules)
    return Tried(board, estimate(board, snapshot, origins))


def _sound_lines(draft: BoardDraft, objected: set[str]) -> Lines:
    """Return those lines of `draft` that can be looked up, whatever is wrong with the rest.

    `objected` are the paths of what the gates have against it: a list, a brand or
    a kind that they object to counts as not stated.
    """
    listed = () if "$.branches" in objected else draft.branches or ()
    branches: dict[Identity, tuple[Device, int]] = {}
    for index, line in enumerate(listed):
        device = _sound_device(line, f"$.branches[{index}]", draft, objected)
        if device is not None:
            # Of equal lines the first is enough: the tables have the same against each.
            branches.setdefault(identify(device), (device, index))
    return Lines(
        brand=draft.brand or "",
        form=draft.form or DEFAULT_FORM,
        main=_sound_device(draft.main or DeviceDraft(), "$.main", draft, objected),
        branches=branches.values(),
        accessories=[] if "$.accessories.items" in objected else merge_accessories(draft),
    )


def _sound_device(
    line: DeviceDraft, path: str, draft: BoardDraft, objected: set[str]
) -> Device | None:
    """Return `line` as far as it is sound; None when that does not tell a body."""
    device = to_device(line, draft, is_main=path == "$.main")
    if f"{path}.brand" in objected or (line.brand is None and "$.brand" in objected):
        device = msgspec.structs.replace(device, brand="")
    if f"{path}.type" in objected:
        device = msgspec.structs.replace(device, type=None)
    by_frame = device.af and device.poles and device.type and device.brand
    return device if device.model or by_frame else None


def _asks_again(finding: Finding, objected: set[str]) -> bool:
    """Whether a table asks for a brand that only a gate's objection left open."""
    return (
        finding.code is ErrorCode.REQ_MORE_INFO
        and finding.path.endswith(".brand")
        and not objected.isdisjoint(("$.brand", finding.path))
    )


def _place(finding: Finding) -> list[int]:
    """Return where in the request `finding` points: what is wrong with a whole comes first."""
    steps = finding.path.replace("[", ".").replace("]", "").split(".")[1:]
    return [int(step) if step.isdigit() else _RANKS.get(step, len(_RANKS)) for step in steps]
