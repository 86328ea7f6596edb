"""Keys after a restore: none opens again what it had ceased to open, and none is lost.

A backup is of its day, but who was shut out since is to stay out, and who was given a key
since has it in his hands. So a restored database gets the keys of the one that it replaces.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from kis.access import store
from kis.access.rules import StoredKey
from kis.audit.store import Entry, record
from kis.errors import Text
from kis.evidence import key_store
from kis.evidence.key_store import StoredSecret
from kis.evidence.keys import current_of
from kis.evidence.master import MasterKey
from kis.ops.keys.rows import KeyRows, load_rows

_Row = StoredKey | StoredSecret

ACTOR = "cli"
_ENDS = ("expires_at", "revoked_at", "retired_at", "compromised_since")
"""What says of a key, of the API or of the evidence, that it is no longer what it was."""


class Carried(msgspec.Struct, frozen=True, rename="camel"):
    """Ids of the keys that a restored database got, and of those that ended in it as well.

    `trouble`: why it got none, which whoever restores has to make up for by hand.
    """

    made: list[str]
    ended: list[str]
    trouble: Text | None = None


def carry_over(
    connection: Connection, present: KeyRows, master: MasterKey, now: datetime
) -> Carried:
    """Give the database that is being restored the keys of the `present` one.

    What has ended in either has ended; what only one of them knows stays as it is there. The
    secret that seals in the present one seals. Of two locks of a secret that counts which
    `master` opens. Done twice, the second time changes nothing.
    """
    before = load_rows(connection)
    known = _by_id(before)
    after = KeyRows(
        _merged_keys(before.keys, present.keys),
        _merged_secrets(before.secrets, present.secrets, master, now),
    )
    changed = [row for row in _by_id(after).values() if row != known.get(row.key_id)]
    store.put_keys(connection, [row for row in changed if isinstance(row, StoredKey)])
    key_store.put(connection, [row for row in changed if isinstance(row, StoredSecret)])
    made = [row for row in changed if row.key_id not in known]
    ended = [row for row in changed if row.key_id in known and _ended(known[row.key_id], row)]
    entries = [_entry(row, "made", now) for row in made]
    record(connection, entries + [_entry(row, "ended", now) for row in ended])
    return Carried([row.key_id for row in made], [row.key_id for row in ended])


def _by_id(rows: KeyRows) -> dict[str, _Row]:
    found: list[_Row] = [*rows.keys, *rows.secrets]
    return {row.key_id: row for row in found}


def _ended(before: _Row, after: _Row) -> bool:
    ends = [[getattr(row, name, None) for name in _ENDS] for row in (before, after)]
    return ends[0] != ends[1]


def _entry(row: _Row, reason: str, now: datetime) -> Entry:
    kind = "key" if isinstance(row, StoredKey) else "evidence_key"
    return Entry(now, ACTOR, f"{kind}.carry_over", row.key_id, reason=reason)


def _merged_keys(
    restored: Sequence[StoredKey], present: Sequence[StoredKey]
) -> tuple[StoredKey, ...]:
    merged = {row.key_id: row for row in restored}
    for row in present:
        ours = merged.get(row.key_id, row)
        merged[row.key_id] = row._replace(
            expires_at=_earlier(row.expires_at, ours.expires_at),
            revoked_at=row.revoked_at or ours.revoked_at,
            last_used_at=max(filter(None, (row.last_used_at, ours.last_used_at)), default=None),
            digest=row.digest or ours.digest,
        )
    return tuple(merged.values())


def _merged_secrets(
    restored: Sequence[StoredSecret], present: Sequence[StoredSecret], master: MasterKey,
    now: datetime,
) -> tuple[StoredSecret, ...]:  # fmt: skip
    merged = {row.key_id: row for row in restored}
    for row in present:
        ours = merged.get(row.key_id, row)
        lock = row if _opens(master, row) or not _opens(master, ours) else ours
        merged[row.key_id] = lock._replace(
            created_at=row.created_at,
            retired_at=_earlier(row.retired_at, ours.retired_at),
            # Somebody may have put the moment right since.
            compromised_since=row.compromised_since or ours.compromised_since,
        )
    seals = _sealing(merged, current_of(present))
    return tuple(
        row._replace(retired_at=None if row.key_id == seals else row.retired_at or now)
        for row in merged.values()
    )


def _sealing(merged: Mapping[str, StoredSecret], present: StoredSecret | None) -> str:
    """Return the id of the one secret that seals; empty where there is none at all.

    It is the `present` one. Where a later backup has it as retired it does not come back, as
    it may be known to those for whom it was replaced.
    """
    if present is not None and merged[present.key_id].retired_at is None:
        return present.key_id
    left = current_of(list(merged.values())) or present
    return "" if left is None else left.key_id


def _opens(master: MasterKey, row: StoredSecret) -> bool:
    return master.opens(row.key_id, row.locked_secret)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)
