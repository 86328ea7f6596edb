"""Checks an evidence package in numbered steps, each reported on its own.

1. shape            exactly the known fields, of the known types
2. statementDigest  the canonical statement has the envelope's digest
3. key              the key is known here, of the known algorithm, and was nobody else's then
4. signature        the tag is that key's tag of the canonical statement
5. evidenceId       it is the one that follows from the estimate id
6. rows             each row has its digest and is listed once
7. documents        the documents have the digests in the statement
8. recomputation    the engine gives the same result from request and rows
9. database         this installation stores the same package

A step that fails does not hide the later ones, unless they stand on it: those
are skipped. A package is a stranger's, so nothing in it may raise from here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from kis.errors import DomainError, Text, path_step
from kis.evidence import encoding
from kis.evidence.difference import first_difference
from kis.evidence.encoding import NotCanonicalError, canonical_strict, sha256_hex
from kis.evidence.envelope import ALGORITHM, Keyring, verify_signature
from kis.evidence.statement import PACKAGE_SHAPE, document_digest, evidence_id
from kis.korean import with_particle
from kis.moments import moment_text

Json = dict[str, Any]
Recompute = Callable[[Json, Json], object]
"""(statement, documents) -> the engine's result as builtins; raises DomainError.

Its paths lead into the package: `$.statement.request.main.model`.
"""

_TYPE_NAMES: dict[type, Text] = {
    dict: Text("객체가", "an object"),
    list: Text("배열이", "an array"),
    str: Text("문자열이", "a string"),
}


class Outcome(StrEnum):
    """How a step ended. A skipped step could not run; it is not a pass."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Check(msgspec.Struct, frozen=True, rename="camel"):
    """One step. `path` is where in the package it failed, else None."""

    step: int
    name: str
    outcome: Outcome
    passed: bool
    detail_ko: str
    detail_en: str
    path: str | None = None


class Verification(msgspec.Struct, frozen=True, rename="camel"):
    """`valid` when every step passed; `reason` is the first failure, else None."""

    valid: bool
    checks: tuple[Check, ...]
    reason: str | None


class _FailedError(Exception):
    """The step found something wrong, at `path`."""

    def __init__(self, text: Text, path: str) -> None:
        super().__init__(text.en)
        self.text = text
        self.path = path


class _SkippedError(Exception):
    """The step has nothing to stand on: the step `need` did not pass."""

    def __init__(self, need: str) -> None:
        super().__init__(need)
        self.text = Text(
            f"{need} 단계를 통과하지 못해 확인하지 않았습니다",
            f"not checked: the step {need} did not pass",
        )


@dataclass(frozen=True)
class _Case:
    """What the steps look at. The properties hold once the shape has passed."""

    package: Any
    keyring: Keyring
    recompute: Recompute
    stored: Json | None
    contradiction: str | None

    @property
    def statement(self) -> Json:
        statement: Json = self.package["statement"]
        return statement

    @property
    def documents(self) -> Json:
        documents: Json = self.package["documents"]
        return documents

    @property
    def envelope(self) -> dict[str, str]:
        envelope: dict[str, str] = self.package["envelope"]
        return envelope

    @cached_property
    def sealed_bytes(self) -> bytes | None:
        """The statement as one of our keys has sealed it; None when none has."""
        secret = self.keyring.secrets.get(self.envelope["keyId"])
        found = encoding.canonical_of_ours(self.statement)
        is_sealed = secret and found and verify_signature(found, self.envelope["signature"], secret)
        return found if is_sealed else None

    @cached_property
    def statement_bytes(self) -> bytes:
        """Raises NotCanonicalError."""
        return self.sealed_bytes or canonical_strict(self.statement)


class _Step(NamedTuple):
    """`run` returns what it found in order, or raises one of the two errors above."""

    name: str
    run: Callable[[_Case], Text]
    needs: tuple[str, ...] = ("shape",)


def verify(
    package: object,
    *,
    keyring: Keyring,
    recompute: Recompute,
    stored: Json | None = None,
    contradiction: str | None = None,
) -> Verification:
    """Check `package` (any JSON value) and report every step.

    `stored` is the package as composed from our own database, as builtins, or
    None when its id is unknown to this installation. `contradiction` names a
    column of ours that does not say what the answer beside it says. Raises
    nothing, whatever the JSON value.
    """
    case = _Case(package, keyring, recompute, stored, contradiction)
    checks: dict[str, Check] = {}
    for number, step in enumerate(_STEPS, start=1):
        checks[step.name] = _run(number, step, case, checks)
    failed = next((c for c in checks.values() if c.outcome is Outcome.FAILED), None)
    return Verification(
        valid=all(check.passed for check in checks.values()),
        checks=tuple(checks.values()),
        reason=None if failed is None else _reason(failed),
    )


def _run(number: int, step: _Step, case: _Case, earlier: dict[str, Check]) -> Check:
    path = None
    try:
        _require_passed(step.needs, earlier)
        outcome, text = Outcome.PASSED, step.run(case)
    except _SkippedError as skip:
        outcome, text = Outcome.SKIPPED, skip.text
    except _FailedError as failure:
        outcome, text, path = Outcome.FAILED, failure.text, failure.path
    return Check(
        step=number,
        name=step.name,
        outcome=outcome,
        passed=outcome is Outcome.PASSED,
        detail_ko=text.ko,
        detail_en=text.en,
        path=path,
    )


def _require_passed(needs: tuple[str, ...], earlier: dict[str, Check]) -> None:
    for need in needs:
        if not earlier[need].passed:
            raise _SkippedError(need)


def _reason(check: Check) -> str:
    return f"{check.name} {check.path}: {check.detail_ko} / {check.detail_en}"


# --- the steps, in their order -------------------------------------------------


def _check_shape(case: _Case) -> Text:
    _require_shape(case.package, PACKAGE_SHAPE, "$")
    return Text("필드와 형식이 맞습니다", "exactly the known fields and types")


def _require_shape(value: Any, shape: Any, path: str) -> None:
    # Recursion ends where the shape does, however deep the value goes.
    if isinstance(shape, str):
        if value != shape:
            raise _FailedError(Text(f"'{shape}' 값이 아닙니다", f"it is not '{shape}'"), path)
        return
    _require_type(value, shape if isinstance(shape, type) else type(shape), path)
    if isinstance(shape, dict):
        _require_members(value, shape, path)
        for key, inner in shape.items():
            _require_shape(value[key], inner, path + path_step(key))
    elif isinstance(shape, list):
        for index, item in enumerate(value):
            _require_shape(item, shape[0], f"{path}[{index}]")


def _require_type(value: object, kind: type, path: str) -> None:
    if not isinstance(value, kind):
        name = _TYPE_NAMES[kind]
        raise _FailedError(Text(f"{name.ko} 아닙니다", f"it is not {name.en}"), path)


def _require_members(value: Json, shape: Json, path: str) -> None:
    odd = min(value.keys() ^ shape.keys(), default=None)
    if odd is not None:
        missing = Text("필드가 없습니다", "the field is missing")
        unknown = Text("모르는 필드입니다", "the field is unknown")
        raise _FailedError(missing if odd in shape else unknown, path + path_step(odd))


def _check_statement_digest(case: _Case) -> Text:
    try:
        digest = sha256_hex(case.statement_bytes)
    except NotCanonicalError:
        text = Text("RFC 8785로 나타낼 수 없는 값이 있습니다", "a value has no RFC 8785 form")
        raise _FailedError(text, "$.statement") from None
    if digest != case.envelope["statementDigest"]:
        text = Text("진술의 다이제스트가 다릅니다", "the statement does not have this digest")
        raise _FailedError(text, "$.envelope.statementDigest")
    return Text("진술의 다이제스트가 맞습니다", "the statement has the envelope's digest")


def _check_key(case: _Case) -> Text:
    if case.envelope["algorithm"] != ALGORITHM:
        text = Text(
            f"알고리즘이 {with_particle(ALGORITHM, '이/가')} 아닙니다",
            f"the algorithm is not {ALGORITHM}",
        )
        raise _FailedError(text, "$.envelope.algorithm")
    key_id = case.envelope["keyId"]
    if key_id in case.keyring.locked:
        text = Text(
            "다른 마스터 키(KIS_MASTER_KEY)로 잠긴 키입니다",
            "the key is locked under another master key (KIS_MASTER_KEY)",
        )
        raise _FailedError(text, "$.envelope.keyId")
    if key_id not in case.keyring.secrets:
        text = Text("이 설치가 모르는 키입니다", "the key is not known to this installation")
        raise _FailedError(text, "$.envelope.keyId")
    _require_sealed_in_time(case, key_id)
    return Text("아는 키입니다", "the key is known to this installation")


def _require_sealed_in_time(case: _Case, key_id: str) -> None:
    """Check that the key was nobody else's when it sealed.

    Whoever has it can state any time: only what is stored here (step 9) was sealed then.
    """
    since = case.keyring.compromised.get(key_id)
    if since is None:
        return
    moment = moment_text(since)
    if case.statement["createdAt"] >= moment:
        text = Text(
            f"이 키는 {moment}부터 유출된 것으로 표시되었고, 이 증거는 그 뒤에 봉인되었습니다",
            f"the key is marked as compromised since {moment}, and this was sealed after that",
        )
        raise _FailedError(text, "$.envelope.keyId")


def _check_signature(case: _Case) -> Text:
    secret = case.keyring.secrets[case.envelope["keyId"]]
    try:
        matches = verify_signature(case.statement_bytes, case.envelope["signature"], secret)
    except NotCanonicalError:
        need = "statementDigest"
        raise _SkippedError(need) from None
    if not matches:
        text = Text("서명이 맞지 않습니다", "the signature is not this key's for this statement")
        raise _FailedError(text, "$.envelope.signature")
    return Text("서명이 맞습니다", "the signature is this key's for this statement")


def _check_evidence_id(case: _Case) -> Text:
    if case.package["evidenceId"] != evidence_id(case.statement["estimateId"]):
        text = Text(
            "견적 ID의 증거 ID가 아닙니다", "the evidence id is not that of the estimate id"
        )
        raise _FailedError(text, "$.evidenceId")
    return Text("증거 ID가 견적 ID와 맞습니다", "the evidence id is that of the estimate id")


def _check_rows(case: _Case) -> Text:
    count = 0
    for table in ("breakers", "accessories"):
        seen: set[str] = set()
        for index, entry in enumerate(case.statement["rows"][table]):
            path = f"$.statement.rows.{table}[{index}]"
            _require_digest(case, entry["row"], entry["digest"], path)
            if entry["digest"] in seen:
                text = Text("같은 행이 두 번 있습니다", "the same row is listed twice")
                raise _FailedError(text, path)
            seen.add(entry["digest"])
        count += len(seen)
    return Text(f"{count}개 행의 다이제스트가 맞습니다", f"{count} rows have their digests")


def _check_documents(case: _Case) -> Text:
    for name, document in case.documents.items():
        stated = case.statement["rows"][name]["digest"]
        _require_digest(case, document, stated, f"$.documents.{name}")
    return Text("문서의 다이제스트가 맞습니다", "the documents have the stated digests")


def _require_digest(case: _Case, content: object, stated: str, path: str) -> None:
    if case.sealed_bytes is not None:
        # What our seal states is the digest of bytes that we wrote: a tenth of the time.
        found = encoding.canonical_of_ours(content)
        if found is not None and sha256_hex(found) == stated:
            return
    try:
        matches = document_digest(content) == stated
    except NotCanonicalError:
        matches = False
    if not matches:
        text = Text("내용의 다이제스트가 다릅니다", "the content does not have the stated digest")
        raise _FailedError(text, path)


def _check_recomputation(case: _Case) -> Text:
    try:
        result = case.recompute(case.statement, case.documents)
    except DomainError as error:
        message = error.main.message
        text = Text(f"다시 계산할 수 없습니다: {message.ko}", f"cannot recompute: {message.en}")
        raise _FailedError(text, error.main.path) from None
    except Exception as error:  # noqa: BLE001 - the engine trusts its rows; these are a stranger's
        kind = type(error).__name__
        text = Text(f"다시 계산할 수 없습니다 ({kind})", f"cannot recompute ({kind})")
        raise _FailedError(text, "$.statement") from None
    stated = case.statement["result"]
    # Equal bytes are equal values, which takes a tenth of the time to see.
    found = encoding.canonical_of_ours(result)
    is_same = found and found == encoding.canonical_of_ours(stated)
    difference = None if is_same else first_difference(result, stated, "$.statement.result")
    if difference is not None:
        text = Text("다시 계산한 결과와 다릅니다", "it differs from the recomputed result")
        raise _FailedError(text, difference)
    return Text("다시 계산한 결과와 같습니다", "recomputed to the same result")


def _check_database(case: _Case) -> Text:
    if case.stored is None:
        text = Text("이 설치에 저장되지 않은 증거입니다", "this evidence is not stored here")
        raise _FailedError(text, "$.evidenceId")
    # The content first: once it differs, what is derived from it does too.
    for part in ("documents", "statement", "evidenceId", "envelope"):
        difference = first_difference(case.package[part], case.stored.get(part), f"$.{part}")
        if difference is not None:
            text = Text("저장된 것과 다릅니다", "it differs from what is stored here")
            raise _FailedError(text, difference)
    if case.contradiction is not None:
        text = Text("저장된 답과 다른 열이 있습니다", "a column differs from the answer beside it")
        raise _FailedError(text, case.contradiction)
    return Text("저장된 것과 같습니다", "it equals what is stored here")


_STEPS = (
    _Step("shape", _check_shape, needs=()),
    _Step("statementDigest", _check_statement_digest),
    _Step("key", _check_key),
    _Step("signature", _check_signature, needs=("shape", "key")),
    _Step("evidenceId", _check_evidence_id),
    _Step("rows", _check_rows),
    _Step("documents", _check_documents),
    _Step("recomputation", _check_recomputation),
    _Step("database", _check_database),
)
