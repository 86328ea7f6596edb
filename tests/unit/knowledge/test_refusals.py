"""Every refusal of the life cycle: in both languages, with a way out."""

from collections.abc import Callable

import pytest

from kis.errors import DomainError, ErrorCode
from kis.knowledge import refusals
from kis.units import Size

CASES: dict[str, tuple[Callable[[], DomainError], ErrorCode, str]] = {
    "version_not_found": (
        lambda: refusals.version_not_found("v-a"), ErrorCode.VERSION_NOT_FOUND, "$.versionLabel",
    ),
    "version_exists": (
        lambda: refusals.version_exists("v-a"), ErrorCode.VERSION_ALREADY_EXISTS,
        "$.versionLabel",
    ),
    "label_reserved": (
        lambda: refusals.label_reserved("v-a"), ErrorCode.INVALID_REQUEST, "$.versionLabel",
    ),
    "not_validated": (
        lambda: refusals.not_validated("v-a"), ErrorCode.VERSION_NOT_VALIDATED, "$.versionLabel",
    ),
    "staged_again": (
        lambda: refusals.staged_again("v-a"), ErrorCode.VERSION_NOT_VALIDATED, "$.versionLabel",
    ),
    "base_moved": (
        lambda: refusals.base_moved("v-a", "v-b"), ErrorCode.VERSION_BASE_MOVED,
        "$.versionLabel",
    ),
    "never_activated": (
        lambda: refusals.never_activated("v-a"), ErrorCode.VERSION_NEVER_ACTIVATED,
        "$.targetVersionLabel",
    ),
    "version_active": (lambda: refusals.version_active("v-a"), ErrorCode.VERSION_ACTIVE, ""),
    "not_acknowledged": (
        lambda: refusals.not_acknowledged("v-b", "v-a", (), "done"),
        ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED,
        "",
    ),
    "activation_conflict": (refusals.activation_conflict, ErrorCode.ACTIVATION_CONFLICT, ""),
    "regression_failed": (
        lambda: refusals.regression_failed(["v-a"], {"total": 1}), ErrorCode.REGRESSION_FAILED,
        "$.versionLabel",
    ),
    "reason_needed": (refusals.reason_needed, ErrorCode.REQ_MORE_INFO, "$.reason"),
    "golden_exists": (
        lambda: refusals.golden_exists("v-a"), ErrorCode.GOLDEN_CASE_EXISTS, "$.name",
    ),
    "golden_size_mismatch": (
        lambda: refusals.golden_size_mismatch("v-a", Size(1, 2, 3), Size(4, 5, 6)),
        ErrorCode.GOLDEN_SIZE_MISMATCH, "$.expected",
    ),
    "acceptance_reason_needed": (
        refusals.acceptance_reason_needed, ErrorCode.REQ_MORE_INFO, "$.reason",
    ),
    "golden_not_found": (lambda: refusals.golden_not_found("v-a"), ErrorCode.NOT_FOUND, ""),
}  # fmt: skip
NAMELESS = ("activation_conflict", "reason_needed", "acceptance_reason_needed")


@pytest.mark.parametrize("name", CASES)
def test_refusal_says_what_where_and_what_now(name: str) -> None:
    make, code, path = CASES[name]
    (finding,) = make().findings
    assert (finding.code, finding.path) == (code, path)
    assert any("가" <= character <= "힣" for character in finding.message.ko)
    assert finding.message.en.isascii()
    assert finding.hint.ko
    assert finding.hint.en
    if name not in NAMELESS:
        assert "v-a" in finding.message.ko
        assert "v-a" in finding.message.en


def test_no_refusal_is_left_out() -> None:
    public = {
        name
        for name, value in vars(refusals).items()
        if callable(value) and getattr(value, "__module__", "") == refusals.__name__
        and not name.startswith("_")
    }  # fmt: skip
    assert public == set(CASES)


def test_moved_base_names_who_came_first() -> None:
    finding = refusals.base_moved("v-a", "v-b").main
    assert "v-b" in finding.message.ko
    assert "v-b" in finding.message.en


def test_failed_regression_brings_the_report() -> None:
    assert refusals.regression_failed(["g"], {"total": 1}).main.data == {"regression": {"total": 1}}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refusals.version_not_found("v2026-01-01"), "버전 v2026-01-01이 없습니다."),
        (refusals.version_active("v-a"), "버전 v-a는 지금 활성 버전입니다."),
        (refusals.base_moved("v-1", "v-2"), "v-1을 검증한 뒤 v-2가 활성화되었습니다."),
        (refusals.golden_exists("기준 판"), "기준 사례 기준 판이 이미 있습니다."),
    ],
)
def test_names_take_the_particle_of_their_last_sound(error: DomainError, said: str) -> None:
    assert error.main.message.ko == said
