"""A request without what only people read: what the size of a board follows from. Pure.

It is kept beside each answer, so that a replay need not read and decode whole
answers. Two boards that differ in labels, customers, notes and names of circuits
alone have the same bytes, and are estimated once.
"""

import msgspec

from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.estimate.engine import Sized, size_of
from kis.estimate.gates import check_statements
from kis.estimate.model import MIXED, AccessoryDraft, Board, BoardDraft, Device, DeviceDraft
from kis.evidence.encoding import canonical
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Snapshot

_decoder = msgspec.json.Decoder(Board)


def bare_request(board: Board) -> bytes:
    """Return `board` in canonical bytes, without label, customer, note and names.

    Lines stay what and where they are: the path of a finding leads to the same line
    of the request that was answered.
    """
    return canonical(
        Board(
            board.brand, board.form, board.installation, _bare(board.main),
            tuple([_bare(line) for line in board.branches]), board.accessories,
        )
    )  # fmt: skip


def _bare(line: Device) -> Device:
    if not line.name:
        return line
    return Device(
        line.brand, line.poles, line.type, line.model, line.af, line.at, line.quantity
    )  # fmt: skip


def decode_bare(request: bytes) -> Board:
    """Return the board of `bare_request`.

    Raises:
        DomainError: INVALID_REQUEST, it is none.

    """
    try:
        return _decoder.decode(request)
    except msgspec.DecodeError as error:
        raise refusal(
            ErrorCode.INVALID_REQUEST,
            Text("저장된 요청이 손상되었습니다.", "The stored request is damaged."),
            Text(
                "kis-backend evidence verify 로 그 견적을 확인하십시오.",
                "Check that estimate with kis-backend evidence verify.",
            ),
            "$",
        ) from error


def size_bare(board: Board, snapshot: Snapshot) -> Sized:
    """Return what decides the size of a bare board under `snapshot`.

    Brands may be mixed: whether that is allowed was decided when it was asked.

    Raises:
        DomainError: the board cannot be answered under this knowledge.

    """
    _check_brands(board, snapshot.rules)
    return size_of(board, snapshot)


def _check_brands(board: Board, rules: RuleSet) -> None:
    """Pass the gates once more. All that they take from the rules is the brands.

    Raises:
        DomainError: what the gates found.

    """
    brands = {board.brand, board.main.brand, *[line.brand for line in board.branches]}
    if brands <= {*rules.brands, MIXED, ""}:
        return
    findings = check_statements(_draft_of(board), rules, allow_mixed=True)
    if findings:
        raise DomainError(*findings)


def _draft_of(board: Board) -> BoardDraft:
    accessories = board.accessories
    return BoardDraft(
        brand=board.brand,
        form=board.form,
        location=board.installation.location,
        mount=board.installation.mount,
        material=board.installation.material,
        main=_draft_line(board.main),
        branches=tuple(_draft_line(line) for line in board.branches),
        accessories_enabled=accessories.enabled,
        accessories=tuple(AccessoryDraft(i.code, i.quantity) for i in accessories.items),
    )


def _draft_line(line: Device) -> DeviceDraft:
    return DeviceDraft(
        line.model or None, line.af, line.poles or None, line.at, line.type, line.brand or None,
        line.quantity,
    )  # fmt: skip
