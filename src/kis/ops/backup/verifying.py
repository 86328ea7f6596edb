"""Whether backups that were made are still what they were: the Friday check."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kis.errors import Text
from kis.ops.backup import checking, folder, packing
from kis.ops.backup.manifest import Contents, Manifest
from kis.ops.backup.packing import Tell
from kis.ops.backup.source import Source
from kis.ops.backup.trouble import Unsound, told_of

WAIT_S = 600.0
"""How long to wait for a backup that is being made."""


class Verified(NamedTuple):
    """A backup that was looked at; `trouble` is None when nothing is wrong with it."""

    file: str
    trouble: Text | None
    contents: Contents | None
    seconds: float


def unpack_checked(path: Path, target: Path | None, tell: Tell) -> Manifest | None:
    """Unpack a backup, which has to be as its manifest says; None when it has none.

    Raises:
        Unsound: it is not, or is broken.
        OSError: it cannot be read, or not be written.

    """
    manifest = folder.manifest_of(path)
    if manifest is not None and path.stat().st_size != manifest.packed.size:
        raise Unsound(Text("크기가 목록과 다릅니다", "it is not of the size in its manifest"))
    found = packing.unpack(path, target, tell)
    if manifest is not None and found != manifest.packed:
        raise Unsound(Text("SHA-256이 목록과 다릅니다", "its SHA-256 is not that of its manifest"))
    return manifest


def verify(
    source: Source, paths: Sequence[Path], order: checking.Order, tell: Tell
) -> Iterator[Verified]:
    """Unpack each of `paths`, and look into it; yield what is found.

    Raises:
        DomainError: BACKUP_RUNNING, for too long; DISK_FULL.

    """
    for path in paths:
        with told_of(source.folder), folder.only_one(source.folder, wait_s=WAIT_S) as scratch:
            yield _verify(path, scratch / "kis.db", order, tell)


def _verify(path: Path, target: Path, order: checking.Order, tell: Tell) -> Verified:
    begun = time.monotonic()
    contents = trouble = None
    try:
        manifest = unpack_checked(path, target, tell)
        contents = checking.look_into(checking.url_of(target), order, tell)
        require_as_told(_contents_of(manifest), contents)
    except Unsound as error:
        trouble = error.words
    return Verified(path.name, trouble, contents, round(time.monotonic() - begun, 3))


def _contents_of(manifest: Manifest | None) -> Contents:
    if manifest is None:
        raise Unsound(
            Text(
                "열리고 온전하지만 목록(.json)이 없습니다. 다른 프로그램이 만든 백업입니다",
                "it opens and is whole, but has no manifest (.json): another program made it",
            )
        )
    return manifest.contents


def require_as_told(told: Contents, found: Contents) -> None:
    """Check that a database holds what its manifest says; evidence has its own verdict.

    Raises:
        Unsound: it does not.

    """
    if found.rows != told.rows:
        raise Unsound(
            Text("행 수가 목록과 다릅니다", "its rows are not as many as its manifest says")
        )
    allowed = told.evidence.invalid if told.evidence else 0
    if found.evidence is not None and found.evidence.invalid and not allowed:
        raise Unsound(
            Text(
                f"증거 {found.evidence.invalid:,}건이 유효하지 않습니다",
                f"{found.evidence.invalid:,} evidence packages are not valid",
            )
        )
