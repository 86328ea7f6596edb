"""Another master key, on purpose or by loss."""

import os
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial

import pytest

from kis.access.keys import EnvKey, Scope
from kis.db.engine import Database
from kis.evidence import key_store
from kis.evidence.envelope import key_id_for
from kis.evidence.keys import CurrentLockedError, EvidenceKeyState, Opener, state_of
from kis.evidence.master import MasterKey
from kis.ops.endpoints import Refused
from kis.ops.keys.looking import trouble_with_secrets
from kis.ops.keys.relocking import Relocked, left_locked, relock
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
    database: Database, before: str, *, given: str = OTHER, lost: Collection[str] = ()
) -> Relocked:
    opener = Opener(NEW, given)
    return database.write_now(lambda c: relock(c, before, opener, AT, os.urandom, lost=lost))


def test_encrypted_under_the_new_one(rotated: Database) -> None:
    before = Opener(OLD, SECRET).open(rotated.read_now(load_rows).secrets)
    found = relocked(rotated, OLD)
    assert (sorted(found.relocked), found.locked, found.lost) == (sorted(IDS), [], [])
    rows = rotated.read_now(load_rows).secrets
    after = Opener(NEW, SECRET).open(rows)
    assert dict(after.secrets) == dict(before.secrets)
    assert after.current_id == before.current_id
    with pytest.raises(CurrentLockedError):
        Opener(OLD, SECRET).open(rows)


def test_done_twice_it_changes_nothing(rotated: Database) -> None:
    relocked(rotated, OLD)
    rows = rotated.read_now(load_rows)
    assert relocked(rotated, OLD) == Relocked([], [], [])
    assert rotated.read_now(load_rows) == rows


def test_what_cannot_be_opened_stays(rotated: Database) -> None:
    rows = rotated.read_now(load_rows)
    assert sorted(relocked(rotated, "").locked) == sorted(IDS)
    assert rotated.read_now(load_rows) == rows


@pytest.mark.parametrize("before", [LOST, OLD[:-1] + "+", NEW])
@pytest.mark.parametrize("given", [OTHER, NEXT])
def test_key_that_opens_nothing_is_refused_and_changes_nothing(
    rotated: Database, before: str, given: str
) -> None:
    """One mistyped character, and `--forget-lost` would give all of them up."""
    rows = rotated.read_now(load_rows)
    with pytest.raises(Refused, match="opens no evidence key"):
        relocked(rotated, before, given=given, lost=IDS)
    with pytest.raises(Refused):
        rotated.read_now(lambda c: left_locked(c, before, Opener(NEW, given)))
    assert rotated.read_now(load_rows) == rows


def test_what_the_env_gives_needs_no_other_key(rotated: Database) -> None:
    found = relocked(rotated, "", given=NEXT)
    assert found == Relocked([IDS[1]], [IDS[0]], [])
    keyring = Opener(NEW, NEXT).open(rotated.read_now(load_rows).secrets)
    assert (keyring.current_id, *keyring.locked) == (IDS[1], IDS[0])


def test_what_nobody_can_open_is_given_up_and_kept(rotated: Database) -> None:
    left = rotated.read_now(lambda c: left_locked(c, "", Opener(NEW, OTHER)))
    assert {row.key_id for row in left} == set(IDS)
    assert set(relocked(rotated, "", lost=IDS).lost) == set(IDS)
    sources = KeySources((), Opener(NEW, OTHER))
    rows = rotated.write_now(lambda c: begin(c, sources, AT, bytes))
    assert {row.key_id for row in rows.secrets if state_of(row) is EvidenceKeyState.LOST} == {*IDS}
    keyring = sources.opener.open(rows.secrets)
    assert keyring.current_id not in IDS
    assert keyring.locked == {*IDS}
    assert rotated.read_now(lambda c: trouble_with_secrets(c, MasterKey(NEW))) is None


def test_only_what_was_agreed_to_is_given_up(rotated: Database) -> None:
    found = relocked(rotated, "", lost=IDS[:1])
    assert found == Relocked([], [IDS[1]], [IDS[0]])
    assert rotated.read_now(lambda c: left_locked(c, "", Opener(NEW, OTHER)))[0].key_id == IDS[1]


def test_what_was_given_up_comes_back_with_its_master_key(rotated: Database) -> None:
    before = Opener(OLD, SECRET).open(rotated.read_now(load_rows).secrets)
    relocked(rotated, "", lost=IDS)
    assert relocked(rotated, "") == Relocked([], [], IDS)
    assert set(relocked(rotated, OLD).relocked) == set(IDS)
    rows = rotated.read_now(load_rows).secrets
    after = Opener(NEW, SECRET).open(rows)
    assert before.secrets.items() <= after.secrets.items()
    assert after.current_id not in IDS
    assert not after.locked
    assert not any(row.is_lost for row in rows)


def test_given_up_under_the_key_that_is_set_again(rotated: Database) -> None:
    relocked(rotated, "", lost=IDS)
    again = Opener(OLD, OTHER)
    new_id = Opener(NEW, OTHER).open(rotated.read_now(load_rows).secrets).current_id
    found = rotated.write_now(lambda c: relock(c, NEW, again, AT, os.urandom))
    assert set(found.relocked) == {*IDS, new_id}
    assert not again.open(rotated.read_now(load_rows).secrets).locked


def test_retired_secret_does_not_come_back_in_place_of_a_lost_one(rotated: Database) -> None:
    """It may be known to those for whom it was replaced."""
    rotated.write_now(lambda c: key_store.mark_compromised(c, IDS[0], AT))
    relocked(rotated, "", given=SECRET, lost=IDS)
    sources = KeySources((), Opener(NEW, SECRET))
    rows = rotated.write_now(lambda c: begin(c, sources, AT, bytes))
    keyring = sources.opener.open(rows.secrets)
    assert keyring.current_id not in IDS
    assert set(keyring.secrets) == {IDS[0], keyring.current_id}
    assert keyring.compromised == {IDS[0]: AT}
