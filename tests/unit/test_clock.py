"""Moments and ids."""

import uuid
from datetime import UTC, timedelta

from kis.clock import new_id, now


def test_now_is_aware_and_utc() -> None:
    assert now().tzinfo is UTC
    assert now() <= now()


def test_id_is_a_uuid_of_version_seven() -> None:
    parsed = uuid.UUID(new_id())
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert str(parsed) == str(parsed).lower()


def test_id_tells_when_it_was_made() -> None:
    before = now()
    milliseconds = uuid.UUID(new_id()).int >> 80
    after = now()
    least, most = before.timestamp() * 1000, after.timestamp() * 1000
    assert int(least) <= milliseconds <= most + timedelta(milliseconds=1).total_seconds()


def test_ids_differ_within_a_millisecond() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    moments = [identity[:13] for identity in ids]
    assert moments == sorted(moments)
