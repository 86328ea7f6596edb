"""What a start does about the keys of the environment."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from kis.access.keys import EnvKey, Scope
from kis.access.tokens import make_token
from kis.audit.tables import audit_entry_table
from kis.db.engine import Database
from kis.evidence.envelope import key_id_for
from kis.evidence.keys import Opener, current_of
from kis.ops.keys.rows import KeyRows, load_rows
from kis.ops.keys.start import KeySources, begin
from kis.settings import SettingsError

AT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
MASTER, SECRET, NEXT = "m" * 32, "1" * 32, "2" * 32
API = EnvKey("API_KEY", Scope.API, "the-key-of-the-environment")
ADMIN = EnvKey("ADMIN_API_KEY", Scope.ADMIN, "the-admin-key-of-the-environment")
EDITED = EnvKey("API_KEY", Scope.API, "edited-by-hand-0123456789")


class Told(NamedTuple):
    """An entry of the audit trail."""

    actor: str
    action: str
    subject: str
    reason: str


def start(
    database: Database, *given: EnvKey, secret: str = SECRET, master: str = MASTER, days: int = 0
) -> KeyRows:
    sources = KeySources(given, Opener(master, secret))
    now = AT + timedelta(days=days)
    rows = database.write_now(lambda c: begin(c, sources, now, bytes))
    assert rows == database.read_now(load_rows)
    return rows


def audit(database: Database) -> list[Told]:
    table = audit_entry_table
    with database.read_engine.connect() as connection:
        rows = connection.execute(table.select().order_by(table.c.id)).mappings().all()
    return [Told(*(row[name] for name in Told._fields)) for row in rows]


def sealing(rows: KeyRows) -> str | None:
    current = current_of(rows.secrets)
    return None if current is None else current.key_id


def test_first_start(migrated: Database) -> None:
    rows = start(migrated, API, ADMIN)
    assert [(key.key_id, key.holder, key.label, key.digest) for key in rows.keys] == [
        (API.key_id, "api-env", "API_KEY", None),
        (ADMIN.key_id, "admin-env", "ADMIN_API_KEY", None),
    ]
    assert sealing(rows) == key_id_for(SECRET.encode())
    assert audit(migrated) == []


def test_further_starts_change_nothing(migrated: Database) -> None:
    rows = start(migrated, API, ADMIN)
    assert start(migrated, API, ADMIN, days=1) == rows
    assert audit(migrated) == []


def test_edited_key_is_noticed(migrated: Database) -> None:
    start(migrated, API, ADMIN)
    rows = start(migrated, EDITED, ADMIN, days=1)
    assert {key.holder for key in rows.keys if key.scope == "api"} == {"api-env"}
    assert audit(migrated) == [Told("env", "key.appear", EDITED.key_id, "API_KEY")]


def test_edited_secret_is_a_rotation_once(migrated: Database) -> None:
    start(migrated, API)
    for day, secret in ((1, NEXT), (2, NEXT), (3, SECRET)):
        rows = start(migrated, API, secret=secret, days=day)
        assert sealing(rows) == key_id_for(NEXT.encode())
    (retired,) = [row for row in rows.secrets if row.retired_at is not None]
    assert (retired.key_id, retired.retired_at) == (
        key_id_for(SECRET.encode()), AT + timedelta(days=1),
    )  # fmt: skip
    told = Told("env", "evidence_key.rotate", key_id_for(NEXT.encode()), "EVIDENCE_SECRET")
    assert audit(migrated) == [told]


@pytest.mark.parametrize("secret", [SECRET, NEXT])
def test_another_master_key_is_refused_and_changes_nothing(migrated: Database, secret: str) -> None:
    rows = start(migrated, API)
    with pytest.raises(SettingsError, match="KIS_MASTER_KEY"):
        start(migrated, EDITED, secret=secret, master="another-master-key-0123456789abcdef")
    assert migrated.read_now(load_rows) == rows


@pytest.mark.parametrize(
    ("name", "scope", "other"),
    [("API_KEY", Scope.API, "admin"), ("ADMIN_API_KEY", Scope.ADMIN, "api")],
)
def test_token_of_the_other_scope_is_refused(
    migrated: Database, name: str, scope: Scope, other: str
) -> None:
    """A key that administers would be handed to clients, or commands would be refused."""
    wrong = EnvKey(name, scope, make_token(f"{other}-bcdfghjk", bytes(32)))
    with pytest.raises(SettingsError, match=f"{name}: .*kis_{other}_") as refused:
        start(migrated, wrong)
    assert wrong.secret not in str(refused.value)
    right = EnvKey(name, scope, make_token(f"{scope}-bcdfghjk", bytes(32)))
    assert start(migrated, right).keys
