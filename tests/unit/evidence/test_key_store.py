"""Secrets in the database: one seals, those before are kept."""

from datetime import UTC, datetime, timedelta

from kis.db.engine import Database
from kis.evidence import key_store
from kis.evidence.key_store import StoredSecret

AT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
LATER = AT + timedelta(days=1)
FIRST = StoredSecret("evk-1", "mk-1", AT, None, None, b"\x00locked")
SECOND = StoredSecret("evk-2", "mk-1", LATER, None, None, b"\xfflocked")


def test_one_replaces_the_other(migrated: Database) -> None:
    migrated.write_now(lambda c: key_store.make_current(c, FIRST))
    assert migrated.read_now(key_store.load_secrets) == [FIRST]
    migrated.write_now(lambda c: key_store.make_current(c, SECOND))
    stored = set(migrated.read_now(key_store.load_secrets))
    assert stored == {FIRST._replace(retired_at=LATER), SECOND}


def test_compromised(migrated: Database) -> None:
    migrated.write_now(lambda c: key_store.make_current(c, FIRST))
    migrated.write_now(lambda c: key_store.mark_compromised(c, "evk-1", LATER))
    assert migrated.read_now(key_store.load_secrets) == [FIRST._replace(compromised_since=LATER)]
