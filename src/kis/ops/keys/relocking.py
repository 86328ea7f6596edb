"""Another master key: the stored secrets are encrypted anew under the one that is set now."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from kis.audit.store import Entry, record
from kis.db.locks import lock_keys
from kis.errors import Text
from kis.evidence import key_store
from kis.evidence.key_store import StoredSecret
from kis.evidence.keys import Opener, current_of
from kis.evidence.master import NONCE_BYTES, MasterKey
from kis.ops.endpoints import Refused
from kis.ops.keys.start import ACTOR, locked_secret, new_secret


class Relocked(NamedTuple):
    """Ids of the secrets that are under the present master key now, and of those that are not.

    `locked` are those that were not given up.
    """

    relocked: list[str]
    locked: list[str]
    lost: list[str]


class _Told(NamedTuple):
    """What is to be encrypted anew, and what nobody tells."""

    secrets: list[tuple[StoredSecret, bytes]]
    locked: list[StoredSecret]


def left_locked(connection: Connection, before: str, opener: Opener) -> list[StoredSecret]:
    """Return the secrets that a relock would leave locked, without those that were given up.

    Raises:
        Refused: as `relock`.

    """
    return [row for row in _told(connection, before, opener).locked if not row.is_lost]


def relock(
    connection: Connection, before: str, opener: Opener, now: datetime,
    random_bytes: Callable[[int], bytes], *, lost: Collection[str] = (),
) -> Relocked:  # fmt: skip
    """Encrypt under the master key of `opener` what the one `before`, or the .env, still tells.

    What is told by neither and is among the ids `lost` is given up: kept, in case its master
    key is found again, but it seals no more, for while it is to seal no server starts.
    Another secret seals in its place; a retired one does not come back.

    Raises:
        Refused: `before`, which is empty where it is lost, opens nothing.

    """
    lock_keys(connection)
    told = _told(connection, before, opener)
    new = MasterKey(opener.master)
    for row, secret in told.secrets:
        locked = new.lock(row.key_id, secret, random_bytes(NONCE_BYTES))
        key_store.relock(connection, row._replace(master_id=new.master_id, locked_secret=locked))
    entries = [
        Entry(now, ACTOR, "evidence_key.relock", row.key_id) for row, _ in told.secrets
    ]  # fmt: skip
    gone = [row for row in told.locked if row.key_id in lost and not row.is_lost]
    entries += _give_up(connection, gone, opener, now, random_bytes)
    record(connection, entries)
    return Relocked(
        [row.key_id for row, _ in told.secrets],
        [row.key_id for row in told.locked if row not in gone and not row.is_lost],
        [row.key_id for row in told.locked if row in gone or row.is_lost],
    )


def _told(connection: Connection, before: str, opener: Opener) -> _Told:
    new, old = MasterKey(opener.master), MasterKey(before or opener.master)
    told = _Told([], [])
    opened = False
    for row in key_store.load_secrets(connection):
        if new.opens(row.key_id, row.locked_secret):
            if row.is_lost:
                told.secrets.append((row, new.unlock(row.key_id, row.locked_secret)))
        elif old.opens(row.key_id, row.locked_secret):
            opened = True
            told.secrets.append((row, old.unlock(row.key_id, row.locked_secret)))
        elif row.key_id == opener.given_id:
            told.secrets.append((row, opener.given))
        else:
            told.locked.append(row)
    if before and not opened and any(not row.is_lost for row in _rows_of(told)):
        raise _opens_nothing()
    return told


def _rows_of(told: _Told) -> list[StoredSecret]:
    return [*(row for row, _ in told.secrets), *told.locked]


def _give_up(
    connection: Connection, rows: list[StoredSecret], opener: Opener, now: datetime,
    random_bytes: Callable[[int], bytes],
) -> list[Entry]:  # fmt: skip
    current = current_of(key_store.load_secrets(connection))
    for row in rows:
        key_store.give_up(connection, row)
    entries = [Entry(now, ACTOR, "evidence_key.give_up", row.key_id) for row in rows]
    if current is not None and current in rows:
        new = locked_secret(opener, new_secret(random_bytes), now, random_bytes(NONCE_BYTES))
        key_store.make_current(connection, new)
        entries.append(Entry(now, ACTOR, "evidence_key.rotate", new.key_id, reason=current.key_id))
    return entries


def _opens_nothing() -> Refused:
    return Refused(
        Text(
            "입력한 마스터 키로 열리는 증거 키가 없습니다. 오타인지 확인하십시오."
            " 앞의 마스터 키를 잃었으면 빈 줄을 넣으십시오. 아무것도 바꾸지 않았습니다.",
            "The master key that was typed opens no evidence key: is it misspelt? Where the one"
            " before is lost, enter an empty line. Nothing was changed.",
        )
    )
