"""Errors as HTTP: status, headers, and the bytes of a problem."""

import json

import pytest

from kis.api.errors import (
    MAX_FINDINGS,
    STATUS,
    headers_of,
    internal_fault,
    problem_body,
    status_of,
    unavailable,
)
from kis.errors import DomainError, ErrorCode, Finding, Text, refusal
from kis.knowledge.questions import Question

FINDING = Finding(
    ErrorCode.POLES_MISMATCH, "$.main.poles", Text("극수가 다릅니다.", "Other poles."),
    Text("4P", "4P"), {"expected": "4P"},
)  # fmt: skip


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_has_a_status_and_a_body(code: ErrorCode) -> None:
    error = refusal(code, Text("안 됨", "no"), Text("힌트", "hint"))
    problem = json.loads(problem_body(error, "request-1"))
    assert problem["status"] == status_of(error) == STATUS[code]
    assert problem["type"] == f"urn:kis:problem:{code.lower().replace('_', '-')}"
    titles = {"REQ_MORE_INFO": "More information required", "MALFORMED_JSON": "Malformed JSON"}
    assert problem["title"] == titles.get(code, code.replace("_", " ").capitalize())


def test_first_finding_is_spread_out_on_top() -> None:
    other = Finding(ErrorCode.REQ_MORE_INFO, "$.branches", Text("둘", "two"))
    problem = json.loads(problem_body(DomainError(FINDING, other), "request-1"))
    first, second = problem["findings"]
    assert first == {
        "code": "POLES_MISMATCH", "path": "$.main.poles", "detail": "극수가 다릅니다.",
        "detailEn": "Other poles.", "hint": "4P", "hintEn": "4P", "data": {"expected": "4P"},
    }  # fmt: skip
    assert {name: problem[name] for name in first if name != "data"} == {
        name: value for name, value in first.items() if name != "data"
    }
    assert (second["code"], second["hint"], second["data"]) == ("REQ_MORE_INFO", "", {})
    assert problem["requestId"] == "request-1"


def test_structs_in_the_data_are_written_in_camel_case() -> None:
    question = Question(kind="breakerFrame", brand="LS", frame_size_a=100)
    error = refusal(ErrorCode.NEED_KNOWLEDGE_UPDATE, Text("", ""), Text("", ""), question=question)
    data = json.loads(problem_body(error, ""))["findings"][0]["data"]
    assert data == {"question": {"kind": "breakerFrame", "brand": "LS", "frameSizeA": 100}}


def test_findings_are_bounded() -> None:
    problem = json.loads(problem_body(DomainError(*[FINDING] * 1_000), ""))
    assert len(problem["findings"]) == MAX_FINDINGS


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (ErrorCode.OVERLOADED, "Retry-After"),
        (ErrorCode.NOT_READY, "Retry-After"),
        (ErrorCode.IDEMPOTENCY_IN_FLIGHT, "Retry-After"),
        (ErrorCode.UNAUTHENTICATED, "WWW-Authenticate"),
    ],
)
def test_codes_with_a_header(code: ErrorCode, name: str) -> None:
    headers = headers_of(refusal(code, Text("", ""), Text("", "")))
    assert list(headers) == [name]
    if name == "Retry-After":
        assert int(headers[name]) > 0


def test_limit_tells_its_own_time() -> None:
    error = refusal(ErrorCode.RATE_LIMITED, Text("", ""), Text("", ""), retryAfter=17)
    assert headers_of(error) == {"Retry-After": "17"}


@pytest.mark.parametrize("code", [ErrorCode.NOT_FOUND, ErrorCode.INTERNAL, ErrorCode.FORBIDDEN])
def test_codes_without_a_header(code: ErrorCode) -> None:
    assert headers_of(refusal(code, Text("", ""), Text("", ""))) == {}


def test_what_is_told_of_our_faults() -> None:
    assert status_of(internal_fault()) == 500
    assert status_of(unavailable()) == 503
    for error in (internal_fault(), unavailable()):
        assert error.main.data == {}
        assert error.main.path == ""
