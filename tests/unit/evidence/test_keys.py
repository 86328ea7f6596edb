"""The keyring through its life: rotated, compromised, under another master key."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode
from kis.evidence import key_store
from kis.evidence.envelope import key_id_for
from kis.evidence.key_store import StoredSecret
from kis.evidence.keys import (
    CurrentLockedError,
    EvidenceKeyState,
    LiveKeyring,
    Opener,
    compromised_since,
    current_of,
    require_replaced,
    state_of,
)
from kis.evidence.master import NONCE_BYTES, MasterKey

AT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST, SECOND, THIRD = b"1" * 32, b"2" * 32, b"3" * 32
OPENER = Opener("m" * 32, FIRST.decode())
OTHER = "another master key 0123456789abcdef"


def row(
    secret: bytes, *, made: timedelta = 0 * DAY, retired: timedelta | None = None,
    since: timedelta | None = None, master: str = "m" * 32,
) -> StoredSecret:  # fmt: skip
    key, key_id = MasterKey(master), key_id_for(secret)
    return StoredSecret(
        key_id, key.master_id, AT + made, None if retired is None else AT + retired,
        None if since is None else AT + since, key.lock(key_id, secret, bytes(NONCE_BYTES)),
    )  # fmt: skip


ROTATED = (row(FIRST, retired=DAY), row(SECOND, made=DAY))


def test_nothing_stored_yet() -> None:
    keyring = OPENER.open(())
    assert keyring.secrets == {key_id_for(FIRST): FIRST}
    assert keyring.current_id == key_id_for(FIRST)


def test_the_newest_seals_and_all_verify() -> None:
    keyring = OPENER.open(ROTATED)
    assert keyring.current_id == key_id_for(SECOND)
    assert dict(keyring.secrets) == {key_id_for(s): s for s in (FIRST, SECOND)}
    assert (dict(keyring.compromised), keyring.locked) == ({}, frozenset())


def test_compromised_from_a_moment() -> None:
    keyring = OPENER.open((row(FIRST, retired=DAY, since=-DAY), row(SECOND)))
    assert dict(keyring.compromised) == {key_id_for(FIRST): AT - DAY}


def test_of_two_that_seal_the_later_one_does() -> None:
    """Two processes that were started at one instant with two secrets."""
    assert current_of((row(SECOND, made=DAY), row(FIRST))) == row(SECOND, made=DAY)
    assert current_of((row(FIRST, retired=DAY),)) is None


def test_retired_key_under_another_master_is_locked() -> None:
    keyring = OPENER.open((row(THIRD, retired=DAY, master=OTHER), row(SECOND)))
    assert keyring.locked == {key_id_for(THIRD)}
    assert keyring.knows(key_id_for(THIRD))
    assert not keyring.knows("evk-000000000000")


def test_without_the_master_key_nothing_is_sealed() -> None:
    rows = (row(FIRST, retired=DAY), row(SECOND, master=OTHER))
    with pytest.raises(CurrentLockedError, match=key_id_for(SECOND)):
        OPENER.open(rows)
    keyring = OPENER.open_to_verify(rows)
    assert key_id_for(FIRST) in keyring.secrets
    assert keyring.locked == {key_id_for(SECOND)}


def test_secret_of_the_environment_verifies_though_its_row_is_locked() -> None:
    keyring = OPENER.open_to_verify((row(FIRST, master=OTHER),))
    assert key_id_for(FIRST) in keyring.secrets
    assert keyring.locked == frozenset()


def test_opener_shows_no_secret() -> None:
    assert "mmm" not in repr(OPENER)
    assert "111" not in repr(OPENER)


def test_keyring_in_use_follows_what_is_stored() -> None:
    live = LiveKeyring(OPENER, (row(FIRST),))
    before = live.current
    live.take((row(FIRST),))
    assert live.current is before
    live.take(ROTATED)
    assert live.current.current_id == key_id_for(SECOND)


def test_keyring_in_use_stays_when_it_could_not_seal() -> None:
    live = LiveKeyring(OPENER, (row(FIRST),))
    for _ in range(2):
        with pytest.raises(CurrentLockedError):
            live.take((row(FIRST, retired=DAY), row(SECOND, master=OTHER)))
    assert live.current.current_id == key_id_for(FIRST)


def test_key_that_another_process_made_is_looked_up(migrated: Database) -> None:
    live = LiveKeyring(OPENER, (row(FIRST),))
    for secret in ROTATED:
        migrated.write_now(partial(key_store.make_current, secret=secret))
    for key_id, is_known in ((key_id_for(SECOND), True), ("evk-none", False), (None, False)):
        found = migrated.read_now(partial(live.knowing, key_id=key_id))
        assert found.knows(key_id or "") is is_known
        assert found.knows(key_id_for(FIRST))
    assert live.current.current_id == key_id_for(FIRST)


@pytest.mark.parametrize(
    ("stored", "state"),
    [
        (row(FIRST), EvidenceKeyState.CURRENT),
        (row(FIRST, retired=DAY), EvidenceKeyState.RETIRED),
        (row(FIRST, retired=DAY, since=-DAY), EvidenceKeyState.COMPROMISED),
    ],
)
def test_state(stored: StoredSecret, state: EvidenceKeyState) -> None:
    assert state_of(stored) is state


def test_what_seals_is_not_revoked() -> None:
    with pytest.raises(DomainError) as refused:
        require_replaced(row(FIRST))
    assert refused.value.main.code is ErrorCode.KEY_CURRENT
    require_replaced(row(FIRST, retired=DAY))


SECOND_OF_TIME = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("retired", "told", "expected"),
    [
        (-DAY, None, 0 * DAY),
        (0 * DAY, None, 2 * SECOND_OF_TIME),
        (-SECOND_OF_TIME, None, SECOND_OF_TIME),
        (-3 * SECOND_OF_TIME, None, 0 * DAY),
        (-DAY, -2 * DAY, -2 * DAY),
        (0 * DAY, -DAY, -DAY),
    ],
)
def test_compromised_since_what_nobody_seals_any_more(
    retired: timedelta, told: timedelta | None, expected: timedelta
) -> None:
    assert compromised_since(row(FIRST, retired=retired, since=told), AT) == AT + expected
