"""What is told of keys by those who look an installation over."""

from datetime import UTC, datetime, timedelta

import pytest

from kis.access import store
from kis.access.keys import EnvKey, Scope
from kis.access.rules import StoredKey
from kis.db.engine import Database
from kis.errors import Text
from kis.evidence.envelope import key_id_for
from kis.evidence.keys import Opener
from kis.evidence.master import MasterKey
from kis.ops.keys.looking import trouble_with_env, trouble_with_secrets
from kis.ops.keys.start import KeySources, begin

AT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
MASTER, SECRET, NEXT = "m" * 32, "1" * 32, "2" * 32
API = EnvKey("API_KEY", Scope.API, "the-key-of-the-environment")
ADMIN = EnvKey("ADMIN_API_KEY", Scope.ADMIN, "the-admin-key-of-the-environment")


@pytest.fixture
def begun(migrated: Database) -> Database:
    """Where the keys of the environment are known."""
    start(migrated, API)
    return migrated


def start(database: Database, *given: EnvKey, secret: str = SECRET) -> None:
    sources = KeySources((*given, ADMIN), Opener(MASTER, secret))
    database.write_now(lambda c: begin(c, sources, AT, bytes))


def of_secrets(database: Database, master: str) -> Text | None:
    return database.read_now(lambda c: trouble_with_secrets(c, MasterKey(master)))


def of_env(database: Database, *given: EnvKey, now: datetime = AT) -> Text | None:
    sources = KeySources(given, Opener(MASTER, SECRET))
    return database.read_now(lambda c: trouble_with_env(c, sources, now))


def test_secrets_that_the_master_key_opens(begun: Database) -> None:
    start(begun, API, secret=NEXT)
    assert of_secrets(begun, MASTER) is None


def test_locked_secrets_are_told_though_the_env_gives_one(begun: Database) -> None:
    """No server would start: what seals is one of the locked ones."""
    start(begun, API, secret=NEXT)
    trouble = of_secrets(begun, "other" * 8)
    assert trouble is not None
    ids = sorted(key_id_for(each.encode()) for each in (SECRET, NEXT))
    assert ", ".join(ids) in trouble.en
    assert ", ".join(ids) in trouble.ko


def test_env_keys_that_open(begun: Database) -> None:
    assert of_env(begun, API, ADMIN) is None


def test_rotated_env_key_is_told_once_it_has_ended(begun: Database) -> None:
    end = AT + timedelta(days=7)
    (stored,) = [key for key in begun.read_now(store.load_keys) if key.key_id == API.key_id]
    begun.write_now(lambda c: store.end_key(c, stored, end, API))
    assert of_env(begun, API, ADMIN, now=end - timedelta(seconds=1)) is None
    trouble = of_env(begun, API, ADMIN, now=end)
    assert trouble is not None
    assert "API_KEY of the .env" in trouble.en
    assert "ADMIN_API_KEY" not in trouble.en
    assert of_env(begun, ADMIN, now=end) is None


def test_key_that_was_made_here_and_put_into_the_env(begun: Database) -> None:
    put = EnvKey("API_KEY", Scope.API, "kis_api_made-here")
    made = StoredKey("api", "api-bcdfghjk", "api-env", "", AT, None, AT, None, put.digest)
    begun.write_now(lambda c: store.add_keys(c, [made]))
    trouble = of_env(begun, put, ADMIN)
    assert trouble is not None
    assert "API_KEY" in trouble.en
