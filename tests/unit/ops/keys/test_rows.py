"""Keys of both kinds by one statement, as each room reads its own."""

from datetime import UTC, datetime, timedelta
from functools import partial

from kis.access import store
from kis.access.rules import StoredKey
from kis.db.engine import Database
from kis.evidence import key_store
from kis.evidence.key_store import StoredSecret
from kis.ops.keys.rows import KeyRows, load_live_rows, load_rows

AT = datetime(2026, 11, 22, 10, 15, 0, 123_456, tzinfo=UTC)
LATER = AT + timedelta(days=1)
KEYS = (
    StoredKey("api", "api-b", "api-env", "API_KEY", AT, None, None, None, None),
    StoredKey("admin", "admin-b", "admin-b", "한빛", AT, LATER, LATER, AT, b"\x00\xff"),
    StoredKey("api", "api-c", "api-b", "", LATER, None, None, None, b"d"),
)
SECRETS = (
    StoredSecret("evk-1", "mk-1", AT, LATER, AT, b"\x00\xff"),
    StoredSecret("evk-2", "mk-1", LATER, None, None, b"s"),
)


def test_nothing_yet(migrated: Database) -> None:
    assert migrated.read_now(load_rows) == KeyRows((), ())


def test_all_in_the_order_of_their_making(migrated: Database) -> None:
    migrated.write_now(lambda c: store.add_keys(c, KEYS[::-1]))
    for secret in SECRETS:
        migrated.write_now(partial(key_store.make_current, secret=secret))
    migrated.write_now(lambda c: key_store.mark_compromised(c, "evk-1", AT))
    rows = migrated.read_now(load_rows)
    assert rows == KeyRows(KEYS, SECRETS)
    assert set(rows.keys) == set(migrated.read_now(store.load_keys))
    assert set(rows.secrets) == set(migrated.read_now(key_store.load_secrets))


def test_api_keys_that_have_ended_are_no_more_followed(migrated: Database) -> None:
    """They come to be many, and are looked at twice a second; retired secrets verify for ever."""
    ending = StoredKey("api", "api-d", "api-d", "", AT, LATER, None, None, b"e")
    given = StoredKey("api", "api-e", "api-e", "", AT, None, AT, None, None)
    migrated.write_now(lambda c: store.add_keys(c, [*KEYS, ending, given]))
    for secret in SECRETS:
        migrated.write_now(partial(key_store.make_current, secret=secret))
    just = timedelta(microseconds=1)
    for now, ids in ((LATER - just, {"api-b", "api-c", "api-d"}), (LATER, {"api-b", "api-c"})):
        rows = migrated.read_now(partial(load_live_rows, now=now))
        assert {key.key_id for key in rows.keys} == ids
        assert {secret.key_id for secret in rows.secrets} == {"evk-1", "evk-2"}
