"""Stored answers are read again, or refused as damaged."""

import pytest

from kis.errors import DomainError, ErrorCode
from kis.estimate.stored import decode_stored


@pytest.mark.parametrize("answer", [b"", b"{", b"[1]", b"\xff", b'{"a": "x"}'])
def test_what_is_damaged_is_told(answer: bytes) -> None:
    with pytest.raises(DomainError) as raised:
        decode_stored(answer, dict[str, int])
    assert raised.value.main.code == ErrorCode.INTERNAL
    assert "evidence verify" in raised.value.main.hint.ko


def test_what_is_sound_is_read() -> None:
    assert decode_stored(b'{"a": 1}', dict[str, int]) == {"a": 1}
