"""Codes, findings and the one exception."""

import pytest

from kis.errors import FINAL_CODES, NO_HINT, DomainError, ErrorCode, Finding, Text

ONE = Finding(ErrorCode.POLES_MISMATCH, "$.main.poles", Text("하나", "one"))
TWO = Finding(ErrorCode.REQ_MORE_INFO, "$.branches", Text("둘", "two"), Text("힌트", "hint"))


def test_first_finding_is_the_main_one() -> None:
    error = DomainError(ONE, TWO)
    assert error.main is ONE
    assert error.findings == (ONE, TWO)


def test_error_in_words_is_english_with_its_place() -> None:
    assert str(DomainError(ONE, TWO)) == (
        "POLES_MISMATCH $.main.poles: one; REQ_MORE_INFO $.branches: two"
    )


def test_finding_alone() -> None:
    assert (ONE.hint, ONE.data) == (NO_HINT, {})
    with pytest.raises(AttributeError):
        ONE.path = "$"  # type: ignore[misc]


@pytest.mark.parametrize("code", ErrorCode)
def test_code_is_its_name(code: ErrorCode) -> None:
    assert code == code.name == code.value


def test_final_codes_are_not_about_tables() -> None:
    """What an import could change must not be kept under a key."""
    assert not FINAL_CODES & {ErrorCode.NEED_KNOWLEDGE_UPDATE, ErrorCode.BRAND_CONFLICT,
                              ErrorCode.POLES_MISMATCH, ErrorCode.INVALID_REQUEST}  # fmt: skip
