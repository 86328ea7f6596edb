"""Answers are forgotten when their days are over, again and again."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from kis.db.engine import Database
from kis.db.writer import Writer
from kis.idempotency.model import RecordKey
from kis.idempotency.store import Record, claim, find
from kis.ops import retention
from kis.ops.retention import forget_expired, forget_regularly

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS = 30


def aged(days: float) -> Record:
    key = RecordKey("api-bcd", "estimate.create", f"{days}")
    return Record(key, "f" * 64, 201, "estimate-1", None, NOON - timedelta(days=days))


def kept(database: Database, records: Sequence[Record]) -> list[str]:
    found = database.read_now(lambda c: find(c, [record.key for record in records]))
    return sorted(key.key for key in found)


def test_what_is_older_is_forgotten(migrated: Database) -> None:
    records = [aged(29), aged(30), aged(30.1), aged(300)]
    migrated.write_now(lambda c: claim(c, records))
    assert migrated.write_now(lambda c: forget_expired(c, NOON, DAYS)) == 2
    assert kept(migrated, records) == ["29", "30"]


def test_a_part_at_a_time_the_oldest_first(
    migrated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    records = [aged(31 + n) for n in range(5)]
    migrated.write_now(lambda c: claim(c, records))
    left = []
    for expected in (2, 2, 1, 0):
        assert migrated.write_now(lambda c: forget_expired(c, NOON, DAYS)) == expected
        left.append(kept(migrated, records))
    assert left == [["31", "32", "33"], ["31"], [], []]


def test_all_parts_in_one_go(migrated: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    records = [aged(31 + n) for n in range(5)]
    migrated.write_now(lambda c: claim(c, records))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(forget_while(migrated, Pauses(None)))
    assert kept(migrated, records) == []


class Pauses:
    """Pauses that pass at once, so many; each time something happens meanwhile."""

    def __init__(self, *meanwhile: object) -> None:
        self.meanwhile = list(meanwhile)

    async def __call__(self) -> None:
        if not self.meanwhile:
            raise asyncio.CancelledError
        happens = self.meanwhile.pop(0)
        if callable(happens):
            happens()


async def forget_while(database: Database, pauses: Pauses) -> None:
    writer = Writer(database)
    writer.start()
    try:
        await forget_regularly(writer, DAYS, lambda: NOON, pauses)
    finally:
        await writer.stop()


def test_each_time_anew(migrated: Database) -> None:
    records = [aged(31), aged(32), aged(1)]
    pauses = Pauses(
        lambda: migrated.write_now(lambda c: claim(c, records[:1])),
        lambda: migrated.write_now(lambda c: claim(c, records[1:])),
    )
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(forget_while(migrated, pauses))
    assert kept(migrated, records) == ["1"]


def test_failure_is_logged_and_tried_again(
    migrated: Database, caplog: pytest.LogCaptureFixture
) -> None:
    records = [aged(31)]
    migrated.write_now(lambda c: claim(c, records))
    rename = "ALTER TABLE idempotency_record RENAME TO elsewhere"
    back = "ALTER TABLE elsewhere RENAME TO idempotency_record"
    pauses = Pauses(
        lambda: migrated.write_now(lambda c: c.exec_driver_sql(rename)),
        lambda: migrated.write_now(lambda c: c.exec_driver_sql(back)),
    )
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(forget_while(migrated, pauses))
    assert [entry.levelname for entry in caplog.records if entry.name == "kis.ops"] == ["ERROR"]
    assert kept(migrated, records) == []
