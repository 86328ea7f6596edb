"""Restores a database: made beside it, checked, compared with what it replaces, and swapped.

Nothing is changed before `swap`. A kill at any instant leaves the old one or the new one.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from kis.audit.store import Entry, record
from kis.db.engine import Database, open_database
from kis.db.migrate import HEAD, migrate
from kis.errors import Text
from kis.evidence.master import MasterKey
from kis.ops.backup import checking, folder, losing, packing, postgres_restore, sqlite_restore
from kis.ops.backup.latest import manifest_of
from kis.ops.backup.losing import Losses
from kis.ops.backup.manifest import Contents, Packed
from kis.ops.backup.packing import Tell
from kis.ops.backup.present import read_present
from kis.ops.backup.source import Place, Source
from kis.ops.backup.trouble import (
    Unsound,
    not_restored,
    require_room,
    restored_otherwise,
    told_of,
)
from kis.ops.doctor import load_knowledge
from kis.ops.evidence_pool import SLOW_MS
from kis.ops.installation import identity
from kis.ops.keys.carrying import ACTOR, Carried, carry_over
from kis.ops.keys.rows import KeyRows, load_rows

ROOM = 1.25
"""Times its size that a restored database needs: whoever writes beside a drill needs some."""
OTHER_KIND = Text(
    "다른 종류의 데이터베이스의 백업입니다. 그 종류로 복구한 뒤 kis-backend db copy로 옮기십시오",
    "it is a backup of the other kind of database: restore it there, then kis-backend db copy",
)
AUDITED = "database.restore"
UNREADABLE = Text(
    "지금의 데이터베이스가 없거나 읽을 수 없어 키를 옮기지 못합니다",
    "the present database is missing or cannot be read: no keys are carried over",
)
OTHER_INSTALLATION = Text(
    "지금의 데이터베이스는 다른 설치의 것이라 키를 옮기지 않습니다",
    "the present database is of another installation: no keys are carried over",
)


class Supplied(NamedTuple):
    """What a place was filled with: its name, the moment it shows, and what it has to hold.

    `digest` is the SHA-256 of the backup; empty where a journal supplied it.
    """

    name: str
    at: datetime | None
    told: Contents | None
    digest: str = ""


Supply = Callable[[Place, Tell], Supplied]
"""Fills a place with the database to restore, as a backup has it or as a journal rebuilds it.

It raises Unsound where it cannot. What it leaves is looked into before it counts.
"""


class Prepared(NamedTuple):
    """A database that is ready to replace the present one.

    `schema_before` is the revision that it had. `keys` are those that it got from the present
    one. `losses` is None where nothing is replaced, or what is replaced cannot be read.
    """

    place: Place
    supplied: Supplied
    contents: Contents
    schema_before: str
    keys: Carried
    losses: Losses | None
    seconds: float


class Restored(NamedTuple):
    """What was restored, and what the replaced database is kept as: a file, or a database."""

    prepared: Prepared
    kept: str | None
    seconds: float


@contextmanager
def workplace(source: Source, *, wait_s: float = 0.0, tell: Tell | None = None) -> Iterator[Place]:
    """Be the only one that restores or backs up; yield an empty place beside the database.

    Whoever calls sees to it that no server has the database open. Whoever is at work in the
    folder of backups is waited for, up to `wait_s`.

    Raises:
        DomainError: BACKUP_RUNNING; DISK_FULL; BACKUP_FAILED, which leaves all as it was.

    """
    with (
        told_of(source.folder, not_restored),
        folder.only_one(source.folder, wait_s=wait_s, tell=tell) as scratch,
        _beside(source, scratch) as place,
    ):
        yield place


def _beside(source: Source, scratch: Path) -> AbstractContextManager[Place]:
    if source.file is None:
        return postgres_restore.workplace(source, scratch)
    return sqlite_restore.workplace(source)


def require_alone(source: Source) -> None:
    """Check that nobody is connected to the database; of a SQLite file the lock tells, not this.

    Raises:
        DomainError: BACKUP_FAILED, somebody is.

    """
    if source.file is None:
        with told_of(source.folder, not_restored):
            postgres_restore.require_alone(source)


def of_backup(path: Path) -> Supply:
    """Return what supplies the backup at `path`; one of another program needs no manifest."""

    def supply(place: Place, tell: Tell) -> Supplied:
        manifest = manifest_of(path)
        if manifest is not None and place.is_file:
            require_room(place.scratch, int(manifest.packed.content_size * ROOM))
        if place.is_file == packing.is_dump(path):
            raise Unsound(OTHER_KIND)
        digest = unpack_checked(path, place.file if place.is_file else None, tell).sha256
        if not place.is_file:
            postgres_restore.fill(place, path, tell)
        if manifest is None:
            return Supplied(path.name, None, None, digest)
        return Supplied(path.name, manifest.taken_at, manifest.contents, digest)

    return supply


def unpack_checked(path: Path, target: Path | None, tell: Tell) -> Packed:
    """Unpack a backup, which has to be as its manifest says, if it has one.

    Raises:
        Unsound: it is not, or is broken.
        OSError: it cannot be read, or not be written.

    """
    manifest = manifest_of(path)
    if manifest is not None and path.stat().st_size != manifest.packed.size:
        raise Unsound(Text("크기가 목록과 다릅니다", "it is not of the size in its manifest"))
    found = packing.unpack(path, target, tell)
    if manifest is not None and found != manifest.packed:
        raise Unsound(Text("SHA-256이 목록과 다릅니다", "its SHA-256 is not that of its manifest"))
    return found


def prepare(
    place: Place, supply: Supply, order: checking.Order, now: Callable[[], datetime], tell: Tell
) -> Prepared:
    """Fill `place`, check it, bring its schema up to date, and compare with what is there.

    It gets the keys of the present database: see `carry_over`.

    Raises:
        Unsound: what was supplied is not as it must be.
        DatabaseUnavailable: it is of a newer program.

    """
    begun = time.monotonic()
    supplied = supply(place, tell)
    found = checking.look_into(place.url, order, tell)
    if supplied.told is not None:
        checking.require_as_told(supplied.told, found)
    schema = found.schema
    if schema != HEAD:
        with _opened(place.url) as database:
            migrate(database)
        found = checking.look_into(place.url, order, tell)
    keys = _carry_keys(place, now())
    losses = losing.compare(place, tell)
    return Prepared(place, supplied, found, schema, keys, losses, time.monotonic() - begun)


def _carry_keys(place: Place, now: datetime) -> Carried:
    def look(connection: Connection) -> tuple[str | None, KeyRows]:
        return identity(connection), load_rows(connection)

    present = read_present(place.source, lambda database: database.read_now(look))
    if present is None:
        return Carried([], [], UNREADABLE)
    name, rows = present
    with _opened(place.url) as database:
        # Secrets of another installation may be under another master key: none would seal.
        if name != database.read_now(identity):
            return Carried([], [], OTHER_INSTALLATION)
        master = MasterKey(place.source.opener.master)
        return database.write_now(lambda c: carry_over(c, rows, master, now))


def swap(prepared: Prepared, now: Callable[[], datetime]) -> Restored:
    """Put what was prepared into the place of the present database, which is kept aside.

    Raises:
        Unsound: another program has the present one open; it is as it was then.
        OSError: a file cannot be changed; the present one is as it was then.

    """
    begun = time.monotonic()
    place = prepared.place
    at = now()
    # Whoever agreed took his time: a server may have run meanwhile.
    _carry_keys(place, at)
    with _opened(place.url) as database:
        supplied = prepared.supplied
        entry = Entry(at, ACTOR, AUDITED, supplied.name, digest=supplied.digest)
        database.write_now(lambda connection: record(connection, [entry]))
        expected = database.read_now(checking.rows_of_all)
    change = sqlite_restore.swap if place.is_file else postgres_restore.swap
    kept = change(place, at.astimezone())
    with _opened(place.source.url) as database:
        rows = database.read_now(checking.rows_of_all)
        version = database.read_now(load_knowledge)
    if (rows, version) != (expected, prepared.contents.active_version):
        raise restored_otherwise(kept)
    seconds = prepared.seconds + time.monotonic() - begun
    return Restored(prepared, kept, round(seconds, 3))


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    with closing(open_database(url, slow_query_ms=SLOW_MS)) as database:
        yield database
