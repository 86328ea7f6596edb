"""What is wrong with the keys, for those who look an installation over."""

from datetime import datetime

from sqlalchemy import Connection

from kis.access.rules import state_of
from kis.access.store import load_keys
from kis.errors import Text
from kis.evidence.key_store import load_secrets
from kis.evidence.master import MasterKey
from kis.ops.keys.start import KeySources


def trouble_with_secrets(connection: Connection, master: MasterKey) -> Text | None:
    """Return which secrets of the evidence cannot be opened, but for those that were given up.

    Also of one that the environment gives: where that is to seal, no server starts.
    """
    rows = load_secrets(connection)
    locked = sorted(
        row.key_id
        for row in rows
        if not row.is_lost and not master.opens(row.key_id, row.locked_secret)
    )
    if not locked:
        return None
    ids = ", ".join(locked)
    return Text(
        f"다른 KIS_MASTER_KEY로 잠긴 증거 키: {ids}. kis-backend keys master",
        f"locked under another KIS_MASTER_KEY: {ids}. See kis-backend keys master",
    )


def trouble_with_env(connection: Connection, sources: KeySources, now: datetime) -> Text | None:
    """Return which keys of the environment open nothing any more; commands use them."""
    given = {key.key_id: key for key in sources.given}
    ended = sorted(
        each.name
        for key in load_keys(connection)
        if not state_of(key, given, now).is_usable
        for each in sources.given
        if each.key_id == key.key_id or each.digest == key.digest
    )
    if not ended:
        return None
    names = ", ".join(ended)
    return Text(
        f".env의 {names} 키가 끝났습니다. 새 키를 넣으십시오: kis-backend keys list",
        f"{names} of the .env has ended: put a newer key there",
    )
