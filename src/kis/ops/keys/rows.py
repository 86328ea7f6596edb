"""Keys as they are stored, of the API and of the evidence: one statement, for it runs often."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, cast, literal, null, or_, select, union_all

from kis.access.keys import Scope
from kis.access.rules import StoredKey
from kis.access.tables import api_key_table
from kis.db.metadata import UtcText
from kis.evidence.key_store import StoredSecret
from kis.evidence.tables import evidence_key_table

_API, _EVIDENCE = "api_key", "evidence_key"
_api, _evidence = api_key_table.c, evidence_key_table.c
_OF_THE_API = select(
    literal(_API), _api.id, _api.scope, _api.holder, _api.label, _api.created_at,
    _api.expires_at, _api.revoked_at, _api.last_used_at, _api.digest,
)  # fmt: skip
_OF_THE_EVIDENCE = select(
    literal(_EVIDENCE), _evidence.id, _evidence.master_id, literal(""), literal(""),
    _evidence.created_at, _evidence.retired_at, _evidence.compromised_since,
    cast(null(), UtcText), _evidence.locked_secret,
)  # fmt: skip
_ALL = union_all(_OF_THE_API, _OF_THE_EVIDENCE)
_LIVE = union_all(
    _OF_THE_API.where(
        _api.revoked_at.is_(None),
        or_(_api.expires_at.is_(None), _api.expires_at > bindparam("now", type_=UtcText)),
    ),
    _OF_THE_EVIDENCE,
)


class KeyRows(NamedTuple):
    """The rows of both tables, each in the order in which its keys came."""

    keys: tuple[StoredKey, ...]
    secrets: tuple[StoredSecret, ...]


def load_rows(connection: Connection) -> KeyRows:
    """Return all keys of this moment."""
    return _rows(connection.execute(_ALL))


def load_live_rows(connection: Connection, now: datetime) -> KeyRows:
    """Return the keys without those of the API that have ended `now`, which come to be many."""
    return _rows(connection.execute(_LIVE, {"now": now}))


def _rows(found: Iterable[Sequence[Any]]) -> KeyRows:
    keys, secrets = [], []
    for row in found:
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
