"""PostgreSQL: what is refused, what is in force, what a read survives."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kis.db import postgres
from kis.db.engine import Database, open_database
from kis.db.unavailable import DatabaseUnavailable
from tests.backends import POSTGRESQL_ONLY
from tests.postgres import PASSWORD, PostgresServer


def refusal(url: str) -> str:
    with pytest.raises(DatabaseUnavailable) as caught:
        open_database(url, slow_query_ms=100)
    return str(caught.value)


def backend_of(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_wrong_password_is_told_without_it(postgres: PostgresServer) -> None:
    message = refusal(postgres.url("postgres").replace(PASSWORD, "geheim"))
    assert "password authentication failed" in message
    assert "geheim" not in message


def test_an_unknown_database_is_named(postgres: PostgresServer) -> None:
    message = refusal(postgres.url("nowhere"))
    assert 'database "nowhere" does not exist' in message
    assert PASSWORD not in message


def test_nobody_there() -> None:
    message = refusal("postgresql://kis:geheim@127.0.0.1:1/kis")
    assert "refused" in message
    assert "geheim" not in message


def test_an_old_server_is_refused() -> None:
    postgres.require_version((14, 0))
    for version in ((13, 22), ()):
        with pytest.raises(DatabaseUnavailable, match="14 or newer"):
            postgres.require_version(version)


@POSTGRESQL_ONLY
def test_readers_cannot_write(database: Database) -> None:
    database.write_now(lambda c: c.execute(text("CREATE TABLE note (body TEXT)")))
    with pytest.raises(DBAPIError, match="read-only"):
        database.read_now(lambda c: c.execute(text("INSERT INTO note VALUES ('a')")))


@POSTGRESQL_ONLY
@pytest.mark.parametrize(
    ("name", "value"),
    [("lock_timeout", "5s"), ("statement_timeout", "1min"), ("timezone", "UTC")],
)
def test_settings_of_a_session(database: Database, name: str, value: str) -> None:
    shown = text(f"SHOW {name}")
    assert database.read_now(lambda c: c.execute(shown).scalar_one()) == value
    assert database.write_now(lambda c: c.execute(shown).scalar_one()) == value


@POSTGRESQL_ONLY
def test_a_read_whose_connection_is_cut_is_made_again(
    database: Database, postgres: PostgresServer
) -> None:
    seen: list[int] = []

    def cut(connection: Connection) -> int:
        seen.append(backend_of(connection))
        if len(seen) == 1:
            postgres.execute(f"SELECT pg_terminate_backend({seen[0]}, 5000)")
        return backend_of(connection)

    assert database.read_now(cut) == seen[1] != seen[0]


@POSTGRESQL_ONLY
def test_a_read_that_is_cut_twice_is_unavailable(
    database: Database, postgres: PostgresServer
) -> None:
    def cut(connection: Connection) -> int:
        postgres.execute(f"SELECT pg_terminate_backend({backend_of(connection)}, 5000)")
        return backend_of(connection)

    with pytest.raises(DatabaseUnavailable, match="cannot read"):
        database.read_now(cut)
