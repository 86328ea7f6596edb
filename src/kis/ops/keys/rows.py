"""All keys as they are stored, of the API and of the evidence: one statement, for it runs often."""

from typing import NamedTuple

from sqlalchemy import Connection, cast, literal, null, select, union_all

from kis.access.keys import Scope
from kis.access.rules import StoredKey
from kis.access.tables import api_key_table
from kis.db.metadata import UtcText
from kis.evidence.key_store import StoredSecret
from kis.evidence.tables import evidence_key_table

_API, _EVIDENCE = "api_key", "evidence_key"
_api, _evidence = api_key_table.c, evidence_key_table.c
_QUERY = union_all(
    select(
        literal(_API), _api.id, _api.scope, _api.holder, _api.label, _api.created_at,
        _api.expires_at, _api.revoked_at, _api.last_used_at, _api.digest,
    ),
    select(
        literal(_EVIDENCE), _evidence.id, _evidence.master_id, literal(""), literal(""),
        _evidence.created_at, _evidence.retired_at, _evidence.compromised_since,
        cast(null(), UtcText), _evidence.locked_secret,
    ),
)  # fmt: skip


class KeyRows(NamedTuple):
    """The rows of both tables, each in the order in which its keys came."""

    keys: tuple[StoredKey, ...]
    secrets: tuple[StoredSecret, ...]


def load_rows(connection: Connection) -> KeyRows:
    """Return all keys of this moment."""
    keys, secrets = [], []
    for row in connection.execute(_QUERY):
        table, key_id, group, holder, label, created_at, ends_at, broken_at, used_at, raw = row
        if table == _API:
            keys.append(
                StoredKey(
                    group, key_id, holder, label, created_at, ends_at, broken_at, used_at, raw
                )
            )
        else:
            secrets.append(StoredSecret(key_id, group, created_at, ends_at, broken_at, raw))
    return KeyRows(
        tuple(sorted(keys, key=lambda key: (key.created_at, key.scope != Scope.API, key.key_id))),
        tuple(sorted(secrets, key=lambda secret: (secret.created_at, secret.key_id))),
    )
