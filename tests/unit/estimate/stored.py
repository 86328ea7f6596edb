"""Stored estimates for tests of the replay."""

from typing import Any

from kis.estimate.bare import bare_request
from kis.estimate.replay import StoredSize
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit
from kis.estimate.verdict import judge
from kis.knowledge.snapshot import Snapshot
from tests.services import board


def bare(snapshot: Snapshot, **changes: Any) -> bytes:
    """Return the stored request of the board of the tests, with changes."""
    admitted, _ = admit(parse_board(board(**changes)), snapshot.rules, allow_mixed=True)
    return bare_request(admitted)


def stored(name: str, snapshot: Snapshot, version: str = "seed", **changes: Any) -> StoredSize:
    """Return an estimate of that board under `snapshot`, as the table has it."""
    request = bare(snapshot, **changes)
    verdict = judge(request, snapshot)
    assert verdict.sides is not None
    width, height, depth = map(float, verdict.sides)
    return StoredSize(name, width, height, depth, verdict.model, version, request)
