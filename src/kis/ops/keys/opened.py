"""The keys of a running process, opened together."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from kis.access.keys import KeySet
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.evidence.keys import LiveKeyring
from kis.knowledge.fleet import Fleet
from kis.ops.keys.following import KeyFollower
from kis.ops.keys.rows import KeyRows
from kis.ops.keys.service import KeyService
from kis.ops.keys.start import KeySources


class Keys(NamedTuple):
    """The keys that open, the keyring that seals, what follows both, and what changes them."""

    valid: KeySet
    keyring: LiveKeyring
    follower: KeyFollower
    service: KeyService


def open_keys(
    rows: KeyRows, sources: KeySources, *, database: Database, writer: Writer, fleet: Fleet,
    now: Callable[[], datetime], random_bytes: Callable[[int], bytes],
) -> Keys:  # fmt: skip
    """Return the keys of `rows`, which were loaded just now; `database` is where to look again."""
    valid, keyring = KeySet(), LiveKeyring(sources.opener, rows.secrets)
    follower = KeyFollower(
        database=database, writer=writer, keys=valid, keyring=keyring, given=sources.given,
        rows=rows, fleet=fleet, now=now,
    )  # fmt: skip
    service = KeyService(
        database=database, writer=writer, follower=follower, fleet=fleet, sources=sources,
        now=now, random_bytes=random_bytes,
    )  # fmt: skip
    return Keys(valid, keyring, follower, service)
