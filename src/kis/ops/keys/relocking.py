"""Another master key: the stored secrets are encrypted anew under the one that is set now."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from kis.audit.store import Entry, record
from kis.db.locks import lock_keys
from kis.evidence import key_store
from kis.evidence.keys import Opener, current_of
from kis.evidence.master import NONCE_BYTES, MasterKey
from kis.ops.keys.start import ACTOR, locked_secret, new_secret


class Relocked(NamedTuple):
    """Ids of the secrets that are under the present master key now, and of those still locked."""

    relocked: list[str]
    locked: list[str]


def relock(
    connection: Connection, before: str, opener: Opener, now: datetime,
    random_bytes: Callable[[int], bytes], *, forget: bool,
) -> Relocked:  # fmt: skip
    """Encrypt under the master key of `opener` what the one `before`, or the .env, still tells.

    What is told by neither is deleted where it is to `forget`: nobody will open it, and
    while it is to seal no server starts. The evidence that it sealed verifies no more.
    Another secret seals in its place; a retired one does not come back.
    """
    lock_keys(connection)
    old, new = MasterKey(before), MasterKey(opener.master)
    result = Relocked([], [])
    for row in key_store.load_secrets(connection):
        if new.opens(row.key_id, row.locked_secret):
            continue
        if row.key_id == opener.given_id:
            secret = opener.given
        elif old.opens(row.key_id, row.locked_secret):
            secret = old.unlock(row.key_id, row.locked_secret)
        else:
            result.locked.append(row.key_id)
            continue
        locked = new.lock(row.key_id, secret, random_bytes(NONCE_BYTES))
        key_store.relock(connection, row._replace(master_id=new.master_id, locked_secret=locked))
        result.relocked.append(row.key_id)
    entries = [Entry(now, ACTOR, "evidence_key.relock", name) for name in result.relocked]
    if forget and result.locked:
        entries += _forget(connection, result.locked, opener, now, random_bytes)
    record(connection, entries)
    return result


def _forget(
    connection: Connection, key_ids: list[str], opener: Opener, now: datetime,
    random_bytes: Callable[[int], bytes],
) -> list[Entry]:  # fmt: skip
    key_store.forget(connection, key_ids)
    entries = [Entry(now, ACTOR, "evidence_key.forget", name) for name in key_ids]
    left = key_store.load_secrets(connection)
    if left and current_of(left) is None:
        new = locked_secret(opener, new_secret(random_bytes), now, random_bytes(NONCE_BYTES))
        key_store.make_current(connection, new)
        entries.append(Entry(now, ACTOR, "evidence_key.rotate", new.key_id))
    return entries
