"""Lines of a batch, from their bytes to what is to be stored: what its workers do."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, NamedTuple

import msgspec
from pydantic import Field

from kis import strict_json
from kis.errors import FINAL_CODES, DomainError, ErrorCode, Finding, Text, refusal
from kis.estimate.answer import Asked, Caller, compose_record
from kis.estimate.engine import estimate
from kis.estimate.gates import check_statements
from kis.estimate.model import BoardDraft
from kis.estimate.request import EstimateRequest, parse_board
from kis.estimate.rerun import admit
from kis.estimate.service import CREATE
from kis.estimate.store import EstimateRecord
from kis.evidence.encoding import canonical, sha256_hex
from kis.evidence.envelope import Keyring
from kis.idempotency.model import MAX_KEY_LENGTH, RecordKey, check_key
from kis.knowledge.active import Active

KEY_FIELD = "idempotencyKey"
KEY_PATH = f"$.{KEY_FIELD}"


class BatchLine(EstimateRequest):
    """A line of a batch: the board as `create` takes it, and the line's own key."""

    idempotency_key: Annotated[
        str | None,
        Field(
            alias=KEY_FIELD,
            min_length=1,
            max_length=MAX_KEY_LENGTH,
            description="같은 키와 내용의 줄은 한 번만 저장된다. One key and board: one estimate.",
        ),
    ] = None


class Chunk(NamedTuple):
    """Some lines of one caller, with the ids that their estimates get.

    The ids come from outside, so that lines that are computed a second time, by
    another worker or under another version, are still the same estimates.
    `answered` are the places of lines whose key has an answer: they are only read.
    """

    lines: Sequence[bytes]
    ids: Sequence[str]
    at: datetime
    caller: Caller
    allow_mixed: bool
    answered: frozenset[int] = frozenset()

    def only(self, places: Sequence[int]) -> "Chunk":
        """Return the chunk of the lines at `places`, all of them to be computed."""
        return self._replace(
            lines=[self.lines[place] for place in places],
            ids=[self.ids[place] for place in places],
            answered=frozenset(),
        )


class Computed(NamedTuple):
    """What came of a line: a record to store, findings, or a fault of ours.

    `is_final` says that the findings follow from the line alone, whatever the
    knowledge; `fault` is a traceback; `is_answered`: it was only read.
    """

    key: RecordKey | None = None
    fingerprint: str = ""
    record: EstimateRecord | None = None
    findings: tuple[Finding, ...] = ()
    is_final: bool = False
    fault: str = ""
    is_answered: bool = False


def compute(chunk: Chunk, active: Active, keyring: Keyring) -> list[Computed]:
    """Return what comes of each line of `chunk` under `active`; raises nothing."""
    return [_compute(chunk, place, active, keyring) for place in range(len(chunk.lines))]


def _compute(chunk: Chunk, place: int, active: Active, keyring: Keyring) -> Computed:
    try:
        key, draft = _parse(chunk.lines[place], chunk.caller.owner)
    except DomainError as refusal:
        return Computed(findings=refusal.findings)
    except Exception:  # noqa: BLE001 - a fault with one line must not take its neighbours along
        return Computed(fault=traceback.format_exc())
    fingerprint = "" if key is None else sha256_hex(canonical(draft))
    if place in chunk.answered:
        return Computed(key, fingerprint, is_answered=True)
    try:
        board, origins = admit(draft, active.snapshot.rules, allow_mixed=chunk.allow_mixed)
        outcome = estimate(board, active.snapshot, origins)
        asked = Asked(chunk.ids[place], chunk.at, chunk.caller, key, fingerprint)
        record = compose_record(board, outcome, active, asked, keyring)
    except DomainError as refusal:
        is_final = _is_final(refusal, draft, active, allow_mixed=chunk.allow_mixed)
        return Computed(key, fingerprint, findings=refusal.findings, is_final=is_final)
    except Exception:  # noqa: BLE001 - as above
        return Computed(key, fault=traceback.format_exc())
    return Computed(key, fingerprint, record)


def _is_final(
    refusal: DomainError, draft: BoardDraft, active: Active, *, allow_mixed: bool
) -> bool:
    """Whether `draft` alone is the reason: tables that are ambiguous also ask for more."""
    codes = {finding.code for finding in refusal.findings}
    return codes <= FINAL_CODES and bool(
        check_statements(draft, active.snapshot.rules, allow_mixed=allow_mixed)
    )


class _Glance(msgspec.Struct):
    """The key of a line, whatever else is in it."""

    key: str | None = msgspec.field(default=None, name=KEY_FIELD)


_glance = msgspec.json.Decoder(_Glance).decode


def key_in(raw: bytes, owner: str) -> RecordKey | None:
    """Return a line's key at a glance; None where it has none, or is no JSON.

    A hundredth of the work of reading the line. Who reads it may still find that
    it is malformed, or has a key twice.
    """
    try:
        return _record_key(_glance(raw).key, owner)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, DomainError):
        return None


def _parse(raw: bytes, owner: str) -> tuple[RecordKey | None, BoardDraft]:
    """Return a line's key and board.

    Raises:
        DomainError: MALFORMED_JSON, INVALID_REQUEST.

    """
    try:
        value = strict_json.loads(raw)
    except strict_json.StrictJsonError as error:
        hint = Text("한 줄에 올바른 JSON 하나를 쓰십시오.", "Write one valid JSON text a line.")
        raise refusal(ErrorCode.MALFORMED_JSON, error.text, hint) from None
    key = value.pop(KEY_FIELD, None) if isinstance(value, dict) else None
    return _record_key(key, owner), parse_board(value)


def _record_key(key: object, owner: str) -> RecordKey | None:
    """Return the key of the record: the one that `create` with this key would have.

    Raises:
        DomainError: INVALID_REQUEST, it is no key.

    """
    if key is None:
        return None
    try:
        check_key(key if isinstance(key, str) else "")
    except DomainError as error:
        raise DomainError(*(replace(found, path=KEY_PATH) for found in error.findings)) from None
    return RecordKey(owner, CREATE, str(key))
