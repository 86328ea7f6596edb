"""Keys in the database: as they were stored, and ended."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kis.access import store
from kis.access.keys import EnvKey, Scope
from kis.access.rules import StoredKey
from kis.db.engine import Database

AT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
LATER = AT + timedelta(days=7)
ENV = EnvKey("API_KEY", Scope.API, "the-key-of-the-environment")
GIVEN = StoredKey("api", ENV.key_id, "api-env", "API_KEY", AT, None, None, None, None)
MADE = StoredKey("admin", "admin-b", "admin-b", "한빛", AT, LATER, None, None, b"\x00digest")


@dataclass
class Table:
    """The keys of one database."""

    database: Database

    def keys(self) -> dict[str, StoredKey]:
        return {key.key_id: key for key in self.database.read_now(store.load_keys)}


def filled(database: Database) -> Table:
    database.write_now(lambda c: store.add_keys(c, [GIVEN, MADE]))
    return Table(database)


def test_keys_come_back_as_they_were(migrated: Database) -> None:
    assert set(filled(migrated).keys().values()) == {GIVEN, MADE}


def test_end_of_a_key_of_the_environment_keeps_what_opens_it(migrated: Database) -> None:
    table = filled(migrated)
    migrated.write_now(lambda c: store.end_key(c, GIVEN, LATER, ENV))
    migrated.write_now(lambda c: store.end_key(c, MADE, AT, None))
    keys = table.keys()
    assert keys[ENV.key_id] == GIVEN._replace(expires_at=LATER, digest=ENV.digest)
    assert keys["admin-b"] == MADE._replace(expires_at=AT)


def test_revoked_key_of_the_environment_is_known_by_its_digest(migrated: Database) -> None:
    table = filled(migrated)
    migrated.write_now(lambda c: store.revoke_key(c, GIVEN, LATER, ENV))
    assert table.keys()[ENV.key_id] == GIVEN._replace(revoked_at=LATER, digest=ENV.digest)


def test_revoked_and_used(migrated: Database) -> None:
    table = filled(migrated)
    migrated.write_now(lambda c: store.revoke_key(c, MADE, LATER, None))
    migrated.write_now(lambda c: store.mark_used(c, {ENV.key_id, "api-unknown"}, AT))
    keys = table.keys()
    assert keys["admin-b"] == MADE._replace(revoked_at=LATER)
    assert keys[ENV.key_id] == GIVEN._replace(last_used_at=AT)
