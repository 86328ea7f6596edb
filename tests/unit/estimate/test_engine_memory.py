"""What a snapshot remembers never changes an answer."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.errors import DomainError, Finding
from kis.estimate.model import BoardDraft, DeviceDraft
from kis.knowledge.snapshot import Snapshot

from .boards import draft, drafts, knowledge, line, run

THREADS = 4


def answer(board: BoardDraft, snapshot: Snapshot) -> bytes | tuple[Finding, ...]:
    """Return the estimate as it is answered, with all candidates, or why there is none."""
    try:
        outcome = run(board, snapshot)
    except DomainError as refusal:
        return refusal.findings
    return msgspec.json.encode((outcome.estimate, outcome.selection))


def fresh(snapshot: Snapshot) -> Snapshot:
    """Return the same knowledge, with nothing remembered."""
    return Snapshot(snapshot.tables, label=snapshot.label)


def by_frame(board: BoardDraft, snapshot: Snapshot) -> BoardDraft:
    """Return `board` with its branches by frame instead of model."""
    rows = [(one, snapshot.breakers_by_model(one.model or "")[0]) for one in board.branches or ()]
    lines = [
        DeviceDraft(
            af=row.frame_size_a, poles=f"{row.poles}P", type=row.type, quantity=one.quantity
        )
        for one, row in rows
    ]
    return msgspec.structs.replace(board, branches=tuple(lines))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_answer_is_the_same_with_and_without_memory(
    seed_snapshot: Snapshot, data: st.DataObject
) -> None:
    snapshot = data.draw(knowledge(seed_snapshot))
    drawn = data.draw(st.lists(drafts(snapshot), min_size=1, max_size=4))
    boards = [*drawn, *(by_frame(board, snapshot) for board in drawn)]
    warm = fresh(snapshot)
    at_first = [answer(board, warm) for board in boards]
    once_more = [answer(board, warm) for board in boards]
    alone = [answer(board, fresh(snapshot)) for board in boards]
    assert at_first == once_more == alone


def test_equal_needs_share_their_rejections(seed_snapshot: Snapshot) -> None:
    snapshot = fresh(seed_snapshot)
    one, other = (run(draft("SBS-54", line("SIE-32", count)), snapshot) for count in (7, 8))
    assert one.estimate.rejected is other.estimate.rejected
    assert len(one.estimate.rejected) > 1


def test_places_of_stock_are_kept_apart(seed_snapshot: Snapshot) -> None:
    snapshot = fresh(seed_snapshot)
    for mount in ("SURFACE", "FLUSH", "SURFACE"):
        board = draft("SBS-54", line("SIE-32", 20), mount=mount)
        outcome = run(board, snapshot)
        rejected = {row.model for row in outcome.estimate.rejected}
        assert rejected
        assert rejected <= {row.model for row in outcome.stock}


def test_threads_may_ask_the_same_snapshot(seed_snapshot: Snapshot) -> None:
    boards = [draft("SBS-54", line("SIE-32", count % 20 + 1)) for count in range(200)]
    expected = [answer(board, fresh(seed_snapshot)) for board in boards]
    warm = fresh(seed_snapshot)
    with ThreadPoolExecutor(THREADS) as threads:
        assert list(threads.map(lambda board: answer(board, warm), boards)) == expected
