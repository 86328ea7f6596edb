"""Secrets under the master key: opened by it alone, each under its own id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.evidence.master import NONCE_BYTES, LockedError, MasterKey

MASTER = MasterKey("a master key of the tests, 0123456789")
NONCE = bytes(range(NONCE_BYTES))
SECRET = b"the secret that seals evidence"
LOCKED = MASTER.lock("evk-1", SECRET, NONCE)


@given(st.binary(max_size=100), st.text(max_size=20))
def test_locked_and_unlocked(secret: bytes, key_id: str) -> None:
    locked = MASTER.lock(key_id, secret, NONCE)
    assert MASTER.opens(key_id, locked)
    assert MASTER.unlock(key_id, locked) == secret


def test_the_secret_does_not_show() -> None:
    assert SECRET not in LOCKED
    assert MASTER.lock("evk-1", SECRET, bytes(NONCE_BYTES)) != LOCKED


def test_the_same_text_is_the_same_key() -> None:
    again = MasterKey("a master key of the tests, 0123456789")
    assert again.unlock("evk-1", LOCKED) == SECRET
    assert again.master_id == MASTER.master_id


def test_another_master_key_opens_nothing() -> None:
    other = MasterKey("a master key of the tests, 012345678_")
    assert other.master_id != MASTER.master_id
    assert not other.opens("evk-1", LOCKED)
    with pytest.raises(LockedError):
        other.unlock("evk-1", LOCKED)


def test_row_in_the_place_of_another() -> None:
    with pytest.raises(LockedError):
        MASTER.unlock("evk-2", LOCKED)


@pytest.mark.parametrize("locked", [b"", LOCKED[:-1], LOCKED[:11], LOCKED + b"\x00", NONCE])
def test_cut_short(locked: bytes) -> None:
    with pytest.raises(LockedError):
        MASTER.unlock("evk-1", locked)


def test_every_bit_counts() -> None:
    for at in range(len(LOCKED) * 8):
        altered = bytearray(LOCKED)
        altered[at // 8] ^= 1 << at % 8
        with pytest.raises(LockedError):
            MASTER.unlock("evk-1", bytes(altered))


def test_it_does_not_show_itself() -> None:
    assert "tests" not in repr(MASTER) + repr(vars(MASTER)) + MASTER.master_id
