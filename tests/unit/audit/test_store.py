"""The audit trail: written in the transaction that it tells of, read in order."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection

from kis.audit.store import Entry, load_entries, record
from kis.db.engine import Database

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENTRY = Entry(NOON, "admin-bcd", "knowledge.activate", "v-2", "분기 갱신", "ab" * 32, "10.0.0.7")


def test_entries_come_back_in_order(migrated: Database) -> None:
    later = ENTRY._replace(action="knowledge.rollback", at=NOON - timedelta(days=1))
    other = ENTRY._replace(subject="v-3")
    migrated.write_now(lambda c: record(c, [ENTRY, other]))
    migrated.write_now(lambda c: record(c, [later]))
    assert migrated.read_now(lambda c: load_entries(c, "v-2")) == [ENTRY, later]
    assert migrated.read_now(lambda c: load_entries(c, "v-3")) == [other]
    assert migrated.read_now(lambda c: load_entries(c, "v-4")) == []


def test_what_is_not_said_is_empty(migrated: Database) -> None:
    migrated.write_now(lambda c: record(c, [Entry(NOON, "a", "b", "c")]))
    (found,) = migrated.read_now(lambda c: load_entries(c, "c"))
    assert (found.reason, found.digest, found.client) == ("", "", "")


def test_moments_are_kept_in_utc(migrated: Database) -> None:
    in_seoul = NOON.astimezone(timezone(timedelta(hours=9)))
    migrated.write_now(lambda c: record(c, [ENTRY._replace(at=in_seoul)]))
    (found,) = migrated.read_now(lambda c: load_entries(c, "v-2"))
    assert (found.at, found.at.tzinfo) == (NOON, UTC)


def test_entry_goes_with_its_transaction(migrated: Database) -> None:
    def write(connection: Connection) -> None:
        record(connection, [ENTRY])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        migrated.write_now(write)
    assert migrated.read_now(lambda c: load_entries(c, "v-2")) == []


def test_nothing_to_record(migrated: Database) -> None:
    migrated.write_now(lambda c: record(c, []))
    assert migrated.read_now(lambda c: load_entries(c, "v-2")) == []


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 200])
def test_any_number_at_once(migrated: Database, count: int) -> None:
    entries = [ENTRY._replace(reason=str(number)) for number in range(count)]
    migrated.write_now(lambda c: record(c, entries))
    assert migrated.read_now(lambda c: load_entries(c, "v-2")) == entries
