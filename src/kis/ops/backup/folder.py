"""The folder of backups: one at work in it at a time, and what is in it."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import msgspec

from kis.moments import moment_text
from kis.ops import durable
from kis.ops.backup.latest import manifest_of, name_of_latest
from kis.ops.backup.manifest import Manifest, encode
from kis.ops.backup.naming import (
    MANIFEST_SUFFIX,
    Kind,
    latest_name,
    read_backup_name,
    read_logs_name,
)
from kis.ops.backup.packing import Tell
from kis.ops.backup.retention import BACKUP_DAYS, LOGS_DAYS, Dated, expired
from kis.ops.backup.trouble import running

LOCK = ".kis-backup.lock"
SCRATCH = ".kis-backup.tmp"
"""Where a backup is made. What a killed one left there is removed by the next."""
WAIT_S = 600.0
"""How long what a timer runs waits for another: after a night without power all begin at once."""
RETRY_S = 0.1
LET_IN_S = 0.3
"""A pause of whoever takes the folder again and again: who waits looks in between."""
WAITING = "기다림 waiting"


class Stored(NamedTuple):
    """A backup in the folder. One without a manifest was made by another program."""

    path: Path
    kind: Kind
    at: datetime
    manifest: Manifest | None
    is_latest: bool


class BackupAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """A backup as programs are told of it; `manifest` is null where another program made it."""

    file: str
    taken_at: str
    size: int
    is_latest: bool
    manifest: Manifest | None


def answer_of(stored: Stored) -> BackupAnswer:
    """Return what programs are told of `stored`."""
    return BackupAnswer(
        stored.path.name, moment_text(stored.at), stored.path.stat().st_size, stored.is_latest,
        stored.manifest,
    )  # fmt: skip


@contextmanager
def only_one(folder: Path, *, wait_s: float = 0.0, tell: Tell | None = None) -> Iterator[Path]:
    """Be the only one that makes or restores backups; yield an empty folder to work in.

    `tell` is told while this waits; what it raises ends that.

    Raises:
        DomainError: BACKUP_RUNNING, another one still is after `wait_s`.
        OSError: nothing can be written there.

    """
    path = folder / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, durable.FILE_MODE)
    try:
        if os.geteuid() == 0:
            durable.hand_over(path, folder)
        _acquire(descriptor, wait_s, tell)
        with emptied(folder / SCRATCH) as scratch:
            yield scratch
    finally:
        os.close(descriptor)


@contextmanager
def emptied(path: Path) -> Iterator[Path]:
    """Yield the folder `path`, empty, whatever a killed process left there; remove it then.

    Raises:
        OSError: nothing can be written there.

    """
    _remove(path)
    path.mkdir(0o700)
    try:
        yield path
    finally:
        _remove(path)


def _acquire(descriptor: int, wait_s: float, tell: Tell | None) -> None:
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = time.monotonic() - began
            if waited >= wait_s:
                raise running() from None
            if tell is not None:
                tell(WAITING, int(waited), int(wait_s))
            time.sleep(RETRY_S)
        else:
            return


def _remove(scratch: Path) -> None:
    if scratch.exists():
        shutil.rmtree(scratch)


def publish(made: Path, manifest: Manifest, folder: Path) -> None:
    """Give what was made and checked its name, and then let `latest` lead to it.

    Its manifest comes first: whatever has a good name has one.
    """
    target = folder / manifest.file
    described = made.with_name(manifest.file + MANIFEST_SUFFIX)
    described.write_bytes(encode(manifest))
    for path in (described, made):
        durable.hand_over(path, folder)
        durable.sync_file(path)
    durable.rename(described, folder / described.name)
    durable.rename(made, target)
    link = made.with_name(latest_name(manifest.kind))
    link.symlink_to(manifest.file)
    durable.rename(link, folder / link.name)


def stored_backups(folder: Path, zone: timezone) -> list[Stored]:
    """Return the backups in `folder`, newest first; `zone` is that of names without manifest."""
    latest = {name_of_latest(folder, "sqlite"), name_of_latest(folder, "postgresql")}
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        named = read_backup_name(path.name, zone)
        if named is None or path.is_symlink() or not path.is_file():
            continue
        manifest = manifest_of(path)
        at = manifest.taken_at if manifest else named.at
        found.append(Stored(path, named.kind, at, manifest, path.name in latest))
    return sorted(found, key=lambda each: (each.at, each.path.name), reverse=True)


def forget_old(folder: Path, now: datetime, zone: timezone) -> list[str]:
    """Delete what is old: backups after 30 days, of logs after 90; return the names."""
    stored = stored_backups(folder, zone)
    gone = []
    for kind in ("sqlite", "postgresql"):
        dated = [Dated(s.path.name, s.at, _is_whole(s)) for s in stored if s.kind == kind]
        gone += expired(dated, now, BACKUP_DAYS)
    gone += expired(stored_logs(folder, zone), now, LOGS_DAYS)
    for name in gone:
        (folder / name).unlink(missing_ok=True)
        (folder / (name + MANIFEST_SUFFIX)).unlink(missing_ok=True)
    _forget_manifests(folder)
    return gone


def _forget_manifests(folder: Path) -> None:
    """Delete manifests whose backup never came: its maker was killed in between."""
    for path in folder.glob(f"kis-backup-*{MANIFEST_SUFFIX}"):
        if not path.with_name(path.name.removesuffix(MANIFEST_SUFFIX)).exists():
            path.unlink(missing_ok=True)


def stored_logs(folder: Path, zone: timezone) -> list[Dated]:
    """Return the backups of logs in `folder`."""
    named = ((path.name, read_logs_name(path.name, zone)) for path in folder.iterdir())
    return [Dated(name, at) for name, at in named if at is not None]


def _is_whole(stored: Stored) -> bool:
    manifest = stored.manifest
    return manifest is not None and stored.path.stat().st_size == manifest.packed.size
