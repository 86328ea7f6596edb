"""Idempotency keys: which are allowed, and who holds one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.errors import DomainError, ErrorCode
from kis.idempotency.model import MAX_KEY_LENGTH, Claims, RecordKey, check_key, key_reused

KEY = RecordKey("api-bcd", "estimate.create", "k-1")
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))


@given(PRINTABLE.filter(lambda text: 0 < len(text) <= MAX_KEY_LENGTH))
def test_printable_keys_are_allowed(key: str) -> None:
    check_key(key)


def test_no_key_is_allowed() -> None:
    check_key(None)


@pytest.mark.parametrize(
    "key", ["", "k" * (MAX_KEY_LENGTH + 1), "키", "\x7f", "a\nb", "a\x00", "\xa0", "\ud800"]
)
def test_other_keys_are_refused(key: str) -> None:
    with pytest.raises(DomainError) as refused:
        check_key(key)
    finding = refused.value.main
    assert (finding.code, finding.path) == (ErrorCode.INVALID_REQUEST, "Idempotency-Key")
    assert str(MAX_KEY_LENGTH) in finding.hint.ko
    assert str(MAX_KEY_LENGTH) in finding.hint.en


def test_key_is_held_by_one() -> None:
    claims = Claims()
    with claims.hold(KEY):
        with pytest.raises(DomainError) as refused, claims.hold(KEY):
            pass
        assert refused.value.main.code is ErrorCode.IDEMPOTENCY_IN_FLIGHT
        # The refused one has not taken it away from the holder.
        with pytest.raises(DomainError), claims.hold(KEY):
            pass
    with claims.hold(KEY):
        pass


@pytest.mark.parametrize("field", RecordKey._fields)
def test_keys_that_differ_in_anything_are_held_apart(field: str) -> None:
    claims = Claims()
    with claims.hold(KEY), claims.hold(KEY._replace(**{field: "other"})):
        pass


def test_no_key_is_held_by_any_number() -> None:
    claims = Claims()
    with claims.hold(None), claims.hold(None):
        pass


def test_what_fails_lets_its_key_go() -> None:
    claims = Claims()
    with pytest.raises(ZeroDivisionError), claims.hold(KEY):
        raise ZeroDivisionError
    with claims.hold(KEY):
        pass


def test_reused_key_is_named() -> None:
    finding = key_reused().main
    assert (finding.code, finding.path) == (
        ErrorCode.IDEMPOTENCY_KEY_REUSED,
        "Idempotency-Key",
    )
