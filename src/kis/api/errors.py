"""Codes as HTTP: one status each, one shape for every error (RFC 9457)."""

import msgspec

from kis.errors import DomainError, ErrorCode, Finding, Text, refusal
from kis.knowledge.questions import Question
from kis.telemetry import Refused, log_refusals

STATUS = {
    ErrorCode.REQ_MORE_INFO: 422,
    ErrorCode.ACCESSORY_CONFLICT: 422,
    ErrorCode.BRAND_CONFLICT: 422,
    ErrorCode.POLES_MISMATCH: 422,
    ErrorCode.DEVICE_TYPE_MISMATCH: 422,
    ErrorCode.FRAME_SIZE_MISMATCH: 422,
    ErrorCode.RATED_CURRENT_MISMATCH: 422,
    ErrorCode.NEED_KNOWLEDGE_UPDATE: 422,
    ErrorCode.BOARD_TOO_LARGE: 422,
    ErrorCode.MALFORMED_JSON: 400,
    ErrorCode.INVALID_REQUEST: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.BODY_TOO_LARGE: 413,
    ErrorCode.HEADERS_TOO_LARGE: 431,
    ErrorCode.REQUEST_TIMEOUT: 408,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.IDEMPOTENCY_IN_FLIGHT: 409,
    ErrorCode.IDEMPOTENCY_KEY_REUSED: 422,
    ErrorCode.NOTE_CHANGED: 409,
    ErrorCode.KEY_NOT_FOUND: 404,
    ErrorCode.KEY_ENDED: 409,
    ErrorCode.KEY_CURRENT: 409,
    ErrorCode.KEY_LAST_ADMIN: 409,
    ErrorCode.KNOWLEDGE_INVALID: 422,
    ErrorCode.VERSION_NOT_FOUND: 404,
    ErrorCode.VERSION_ALREADY_EXISTS: 409,
    ErrorCode.VERSION_BASE_MOVED: 409,
    ErrorCode.VERSION_NOT_VALIDATED: 409,
    ErrorCode.VERSION_NEVER_ACTIVATED: 409,
    ErrorCode.VERSION_ACTIVE: 409,
    ErrorCode.ACTIVATION_CONFLICT: 409,
    ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED: 503,
    ErrorCode.REGRESSION_FAILED: 409,
    ErrorCode.GOLDEN_CASE_EXISTS: 409,
    ErrorCode.GOLDEN_SIZE_MISMATCH: 422,
    ErrorCode.BACKUP_RUNNING: 409,
    ErrorCode.BACKUP_FAILED: 503,
    ErrorCode.DISK_FULL: 507,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.NOT_READY: 503,
    ErrorCode.INTERNAL: 500,
}

WARNED_OF = frozenset({409, 422, 503, 507})
"""Abstentions and conflicts, and what could not be stored: the log has them with their codes."""
TITLES = {
    ErrorCode.REQ_MORE_INFO: "More information required",
    ErrorCode.MALFORMED_JSON: "Malformed JSON",
}
"""Where the words of a code make no title."""
PROBLEM_TYPE = "application/problem+json"
MAX_FINDINGS = 100
TYPE_BASE = "urn:kis:problem:"
RETRY_AFTER_S = {
    ErrorCode.OVERLOADED: 1,
    ErrorCode.NOT_READY: 5,
    ErrorCode.IDEMPOTENCY_IN_FLIGHT: 1,
    ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED: 60,
}


class ProblemFinding(msgspec.Struct, frozen=True, rename="camel"):
    """One of several findings."""

    code: str
    path: str
    detail: str
    detail_en: str
    hint: str
    hint_en: str
    data: dict[str, object]


class Problem(msgspec.Struct, frozen=True, rename="camel"):
    """An error: what (`code`, `detail`), where (`path`), what instead (`hint`).

    `detail` and `hint` are Korean, `detailEn` and `hintEn` English. The first
    finding is spread out on top; `findings` has all of them.
    """

    type: str
    title: str
    status: int
    detail: str
    detail_en: str
    code: str
    path: str
    hint: str
    hint_en: str
    request_id: str
    findings: tuple[ProblemFinding, ...]


def problem_body(error: DomainError, request_id: str) -> bytes:
    """Return `error` as the bytes of a problem."""
    main = error.main
    problem = Problem(
        type=TYPE_BASE + main.code.lower().replace("_", "-"),
        title=TITLES.get(main.code) or main.code.replace("_", " ").capitalize(),
        status=status_of(error),
        detail=main.message.ko,
        detail_en=main.message.en,
        code=main.code,
        path=main.path,
        hint=main.hint.ko,
        hint_en=main.hint.en,
        request_id=request_id,
        findings=tuple(finding_of(finding) for finding in error.findings[:MAX_FINDINGS]),
    )
    return msgspec.json.encode(problem)


def status_of(error: DomainError) -> int:
    """Return the HTTP status of `error`, which is its first finding's."""
    return STATUS[error.main.code]


def log_refusal(error: DomainError, request_id: str) -> None:
    """Log `error` with its codes, if it is one that the log is to have."""
    if status_of(error) in WARNED_OF:
        log_refusals(map(_refused, error.findings), request_id)


def _refused(finding: Finding) -> Refused:
    question = finding.data.get("question")
    subject = question.subject if isinstance(question, Question) else ""
    return Refused(finding.code, finding.path, subject)


def headers_of(error: DomainError) -> dict[str, str]:
    """Return the headers that belong to `error`."""
    retry_after_s = error.main.data.get("retryAfter", RETRY_AFTER_S.get(error.main.code))
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    if error.main.code is ErrorCode.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = 'ApiKey header="X-API-Key"'
    return headers


def finding_of(finding: Finding) -> ProblemFinding:
    """Return `finding` as it stands in a problem."""
    return ProblemFinding(
        code=finding.code,
        path=finding.path,
        detail=finding.message.ko,
        detail_en=finding.message.en,
        hint=finding.hint.ko,
        hint_en=finding.hint.en,
        data=finding.data,
    )


def internal_fault() -> DomainError:
    """Return what a client is told of a fault of ours: that it is ours, and nothing else."""
    return refusal(
        ErrorCode.INTERNAL,
        Text("서버 내부 오류입니다.", "A fault on our side."),
        Text("requestId를 운영자에게 알려 주십시오.", "Tell the operator the requestId."),
    )


def silence(for_s: float) -> DomainError:
    """Return what a client is told that sent no more of its request `for_s` seconds long."""
    return refusal(
        ErrorCode.REQUEST_TIMEOUT,
        Text(
            f"요청의 나머지가 {for_s:.0f}초 동안 오지 않았습니다.",
            f"Nothing more of the request came for {for_s:.0f} s.",
        ),
        Text("답을 받지 못한 것부터 다시 보내십시오.", "Send again what was not answered."),
    )


def unavailable() -> DomainError:
    """Return what a client is told while the database cannot be used."""
    return refusal(
        ErrorCode.NOT_READY,
        Text("데이터베이스를 쓸 수 없습니다.", "The database cannot be used now."),
        Text("잠시 후 다시 시도하십시오.", "Retry in a moment."),
    )
