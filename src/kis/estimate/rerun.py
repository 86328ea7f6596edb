"""A stored or sampled request once more, under whatever knowledge."""

from kis.errors import DomainError
from kis.estimate.engine import Outcome, estimate, size_of
from kis.estimate.gates import Origins, check_statements, normalise
from kis.estimate.model import Board, BoardDraft
from kis.estimate.request import parse_board
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Snapshot
from kis.units import Size


def admit(draft: BoardDraft, rules: RuleSet, *, allow_mixed: bool) -> tuple[Board, Origins]:
    """Return `draft` normalised, once it has passed the gates.

    Raises:
        DomainError: everything that the gates found.

    """
    findings = check_statements(draft, rules, allow_mixed=allow_mixed)
    if findings:
        raise DomainError(*findings)
    return normalise(draft, rules)


def rerun(request: object, snapshot: Snapshot) -> Outcome:
    """Estimate a decoded JSON `request` under `snapshot`.

    Brands may be mixed: whether that is allowed was decided when it was asked.

    Raises:
        DomainError: the request cannot be answered under this knowledge.

    """
    board, origins = admit(parse_board(request), snapshot.rules, allow_mixed=True)
    return estimate(board, snapshot, origins)


def resize(request: object, snapshot: Snapshot) -> Size:
    """Return only the enclosure's size of `rerun`, in mm, and do only that part of it.

    Raises:
        DomainError: as `rerun`.

    """
    board, origins = admit(parse_board(request), snapshot.rules, allow_mixed=True)
    return size_of(board, snapshot, origins).found.choice.size
