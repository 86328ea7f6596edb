"""Another master key, on purpose or by loss."""

import os
from datetime import UTC, datetime
from functools import partial

import pytest

from kis.access.keys import EnvKey, Scope
from kis.db.engine import Database
from kis.evidence import key_store
from kis.evidence.envelope import key_id_for
from kis.evidence.keys import CurrentLockedError, Opener
from kis.ops.keys.relocking import Relocked, relock
from kis.ops.keys.rows import load_rows
from kis.ops.keys.start import KeySources, begin

AT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
OLD, NEW, LOST = "old-" * 8, "new-" * 8, "lost" * 8
SECRET, NEXT, OTHER = "1" * 32, "2" * 32, "3" * 32
IDS = [key_id_for(secret.encode()) for secret in (SECRET, NEXT)]


@pytest.fixture
def rotated(migrated: Database) -> Database:
    """A keyring of two secrets under the old master key."""
    for secret in (SECRET, NEXT):
        sources = KeySources((EnvKey("API_KEY", Scope.API, "k" * 32),), Opener(OLD, secret))
        migrated.write_now(partial(begin, sources=sources, now=AT, random_bytes=bytes))
    return migrated


def relocked(
    database: Database, before: str, *, given: str = OTHER, forget: bool = False
) -> Relocked:
    opener = Opener(NEW, given)
    return database.write_now(lambda c: relock(c, before, opener, AT, os.urandom, forget=forget))


def test_encrypted_under_the_new_one(rotated: Database) -> None:
    before = Opener(OLD, SECRET).open(rotated.read_now(load_rows).secrets)
    found = relocked(rotated, OLD)
    assert (sorted(found.relocked), found.locked) == (sorted(IDS), [])
    rows = rotated.read_now(load_rows).secrets
    after = Opener(NEW, SECRET).open(rows)
    assert dict(after.secrets) == dict(before.secrets)
    assert after.current_id == before.current_id
    with pytest.raises(CurrentLockedError):
        Opener(OLD, SECRET).open(rows)


def test_done_twice_it_changes_nothing(rotated: Database) -> None:
    relocked(rotated, OLD)
    rows = rotated.read_now(load_rows)
    assert relocked(rotated, OLD) == Relocked([], [])
    assert rotated.read_now(load_rows) == rows


def test_what_cannot_be_opened_stays(rotated: Database) -> None:
    rows = rotated.read_now(load_rows)
    assert sorted(relocked(rotated, LOST).locked) == sorted(IDS)
    assert rotated.read_now(load_rows) == rows


def test_what_the_env_gives_needs_no_other_key(rotated: Database) -> None:
    found = relocked(rotated, LOST, given=NEXT)
    assert found == Relocked([IDS[1]], [IDS[0]])
    keyring = Opener(NEW, NEXT).open(rotated.read_now(load_rows).secrets)
    assert (keyring.current_id, *keyring.locked) == (IDS[1], IDS[0])


def test_what_nobody_can_open_is_forgotten(rotated: Database) -> None:
    relocked(rotated, LOST, forget=True)
    sources = KeySources((), Opener(NEW, OTHER))
    rows = rotated.write_now(lambda c: begin(c, sources, AT, bytes))
    keyring = sources.opener.open(rows.secrets)
    assert [keyring.current_id] == list(keyring.secrets) == [key_id_for(OTHER.encode())]


def test_retired_secret_does_not_come_back_in_place_of_a_forgotten_one(rotated: Database) -> None:
    """It may be known to those for whom it was replaced."""
    rotated.write_now(lambda c: key_store.mark_compromised(c, IDS[0], AT))
    relocked(rotated, LOST, given=SECRET, forget=True)
    sources = KeySources((), Opener(NEW, SECRET))
    rows = rotated.write_now(lambda c: begin(c, sources, AT, bytes))
    keyring = sources.opener.open(rows.secrets)
    assert keyring.current_id not in IDS
    assert set(keyring.secrets) == {IDS[0], keyring.current_id}
    assert keyring.compromised == {IDS[0]: AT}
