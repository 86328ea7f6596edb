"""Whether backups that were made are still what they were: the Friday check."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from kis.errors import Text
from kis.ops.backup import checking, folder, packing, postgres_restore
from kis.ops.backup.manifest import Contents
from kis.ops.backup.packing import Tell
from kis.ops.backup.restoring import OTHER_KIND, of_backup
from kis.ops.backup.source import Place, Source
from kis.ops.backup.trouble import Unsound, told_of

NO_MANIFEST = Text(
    "열리고 온전하지만 목록(.json)이 없습니다. 다른 프로그램이 만든 백업입니다",
    "it opens and is whole, but has no manifest (.json): another program made it",
)


class Verified(NamedTuple):
    """A backup that was looked at; `trouble` is None when nothing is wrong with it."""

    file: str
    trouble: Text | None
    contents: Contents | None
    seconds: float


def verify(
    source: Source, paths: Sequence[Path], order: checking.Order, tell: Tell
) -> Iterator[Verified]:
    """Unpack each of `paths`, and look into it; yield what is found.

    Of what was deleted as old meanwhile nothing is said. Who waits for the folder gets it
    between two of them.

    Raises:
        DomainError: BACKUP_RUNNING, for too long; DISK_FULL.

    """
    for number, path in enumerate(paths):
        if number:
            time.sleep(folder.LET_IN_S)
        with (
            told_of(source.folder),
            folder.only_one(source.folder, wait_s=folder.WAIT_S, tell=tell) as scratch,
        ):
            if path.exists():
                yield _verify(source, path, scratch, order, tell)


def _verify(
    source: Source, path: Path, scratch: Path, order: checking.Order, tell: Tell
) -> Verified:
    begun = time.monotonic()
    contents = None
    trouble = None
    try:
        with _place(source, path, scratch) as place:
            told = of_backup(path)(place, tell).told
            contents = checking.look_into(place.url, order, tell)
        if told is None:
            trouble = NO_MANIFEST
        else:
            checking.require_as_told(told, contents)
    except Unsound as error:
        trouble = error.words
    return Verified(path.name, trouble, contents, round(time.monotonic() - begun, 3))


def _place(source: Source, path: Path, scratch: Path) -> AbstractContextManager[Place]:
    """Return a place for a backup of its kind, which may not be that of the database any more."""
    if not packing.is_dump(path):
        return nullcontext(Place(source, scratch, checking.url_of(scratch / "kis.db")))
    if source.file is None:
        return postgres_restore.workplace(source, scratch)
    raise Unsound(OTHER_KIND)
