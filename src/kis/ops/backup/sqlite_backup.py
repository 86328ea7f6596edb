"""A backup of a SQLite file: copied in one read transaction, checked, packed, read back."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from kis.db.files import bytes_of
from kis.errors import Text
from kis.ops.backup import checking, packing
from kis.ops.backup.packing import Tell
from kis.ops.backup.source import Made, Source
from kis.ops.backup.trouble import Unsound, require_room

ROOM = 1.5
"""Times its size that a database needs in the folder: its copy, and that packed."""


def make(source: Source, scratch: Path, now: Callable[[], datetime], tell: Tell) -> Made:
    """Make a backup of the file of `source` in `scratch`.

    Raises:
        DomainError: DISK_FULL, there will be no room.
        Unsound: there is no such file, or it is not as it must be.
        sqlite3.Error: it cannot be read.
        OSError: it cannot be written.

    """
    file = source.file
    if file is None or not file.is_file():
        raise Unsound(Text(f"파일이 없습니다: {file}", f"there is no file {file}"))
    _require_room(file, scratch)
    taken_at = now()
    copy = scratch / "kis.db"
    packing.copy(file, copy, tell)
    order = checking.Order(source.opener, original_url=checking.url_of(file))
    contents = checking.look_into(checking.url_of(copy), order, tell)
    packed_file = scratch / "kis.db.gz"
    packed = packing.pack(copy, packed_file, tell)
    copy.unlink()
    if packing.unpack(packed_file, None, tell) != packed:
        raise Unsound(Text("다시 읽으니 다릅니다", "it is read back otherwise than it was written"))
    return Made(packed_file, packed, contents, f"SQLite {sqlite3.sqlite_version}", taken_at)


def _require_room(file: Path, scratch: Path) -> None:
    """Refuse what would fill the disk, which the database itself may be on."""
    require_room(scratch, int(bytes_of(file) * ROOM))
