"""Copies a SQLite file that is in use, and packs and unpacks copies with their digests."""

import hashlib
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from kis.errors import Text
from kis.ops import durable
from kis.ops.backup.manifest import Packed
from kis.ops.backup.trouble import Unsound

Tell = Callable[[str, int, int], None]
"""(what is done, how much of it, of how much). What it raises ends what is under way."""

COPY, PACK, UNPACK = "복사 copy", "압축 pack", "풀기 unpack"
BLOCK_BYTES = 1 << 20
LEVEL = 6
"""Of gzip: a gigabyte of estimates, 350,000, becomes 223 MB in 11 s; at level 1, 256 MB in 6 s."""
GZIP = 31
"""What zlib calls the format of gzip, with the largest window."""
BUSY_TIMEOUT_S = 30.0
SYNC_BYTES = 8 << 20
"""Of a copy at a time: all at once at its end, commits to the same disk would wait for it."""
TOLD_EVERY = 200_000
"""Steps of SQLite's machine between two words about how far it is."""

GZIP_BEGINS, SQLITE_BEGINS, DUMP_BEGINS = b"\x1f\x8b", b"SQLite format 3\0", b"PGDMP"


def copy(source: Path, target: Path, tell: Tell) -> None:
    """Write the database that `source` is into the new file `target`; whoever writes goes on.

    All that was committed before is in it, and of what comes later all or nothing: it is
    one read transaction. `VACUUM INTO` takes as long as the copy of pages that SQLite's backup
    is, gives back what was deleted, and says how far it is.

    Raises:
        sqlite3.Error: the source cannot be read, or the target written.
        Exception: what `tell` raised.

    """
    total = _size_of(source)
    raised: list[BaseException] = []

    synced = 0

    def watch() -> int:
        nonlocal synced
        size = _size_of(target)
        try:
            if size - synced > SYNC_BYTES:
                durable.sync_file(target)
                synced = size
            tell(COPY, min(size, total), total)
        except BaseException as error:  # noqa: BLE001 - SQLite stands between here and who waits
            raised.append(error)
        return len(raised)

    # Only read: a second process never writes to a file that a server has open.
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
        connection.set_progress_handler(watch, TOLD_EVERY)
        try:
            connection.execute("VACUUM INTO ?", (str(target),))
        except sqlite3.Error:
            if raised:
                raise raised[0] from None
            raise


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def pack(source: Path, target: Path, tell: Tell) -> Packed:
    """Compress `source` into `target`, as gzip does, and have it reach the disk."""
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    plain, packed = hashlib.sha256(), hashlib.sha256()
    total = source.stat().st_size
    with source.open("rb") as reader, target.open("xb") as writer:
        for block in blocks(reader, PACK, total, tell):
            plain.update(block)
            _write(writer, packed, stream.compress(block))
        _write(writer, packed, stream.flush())
    durable.sync_file(target)
    return Packed(target.stat().st_size, packed.hexdigest(), total, plain.hexdigest())


def is_dump(source: Path) -> bool:
    """Whether it is a dump of PostgreSQL."""
    with source.open("rb") as reader:
        return reader.read(len(DUMP_BEGINS)) == DUMP_BEGINS


def unpack(source: Path, target: Path | None, tell: Tell) -> Packed:
    """Write what `source` holds into `target`, if there is one: of gzip, or a plain database.

    A dump of PostgreSQL is only read: pg_restore unpacks it.

    Raises:
        Unsound: it is neither, or is broken.
        OSError: it cannot be read, or `target` not be written.

    """
    with source.open("rb") as reader:
        begins = reader.read(len(SQLITE_BEGINS))
    if begins.startswith(GZIP_BEGINS):
        return _gunzip(source, target, tell)
    if target is None and begins.startswith(DUMP_BEGINS):
        return digest_of(source, tell)
    if begins != SQLITE_BEGINS:
        raise Unsound(
            Text(f"{source.name}: 백업 파일이 아닙니다", f"{source.name} is not a backup of ours")
        )
    found = digest_of(source, tell)
    if target is not None:
        shutil.copyfile(source, target)
        durable.sync_file(target)
    return found


def digest_of(source: Path, tell: Tell) -> Packed:
    """Return size and digest of a file that is as it is unpacked."""
    plain = hashlib.sha256()
    size = source.stat().st_size
    with source.open("rb") as reader:
        for block in blocks(reader, UNPACK, size, tell):
            plain.update(block)
    return Packed(size, plain.hexdigest(), size, plain.hexdigest())


def _gunzip(source: Path, target: Path | None, tell: Tell) -> Packed:
    stream = zlib.decompressobj(GZIP)
    plain, packed = hashlib.sha256(), hashlib.sha256()
    size = source.stat().st_size
    written = 0
    with source.open("rb") as reader, (target or Path("/dev/null")).open("wb") as writer:
        try:
            for block in blocks(reader, UNPACK, size, tell):
                packed.update(block)
                written += _write(writer, plain, stream.decompress(block))
        except zlib.error as error:
            raise Unsound(
                Text(f"압축이 깨졌습니다: {error}", f"gzip cannot be read: {error}")
            ) from error
        written += _write(writer, plain, stream.flush())
    if not stream.eof or stream.unused_data:
        raise Unsound(
            Text(
                "압축 파일이 온전하지 않습니다",
                "the gzip file is cut off, or goes on after its end",
            )
        )
    if target is not None:
        durable.sync_file(target)
    return Packed(size, packed.hexdigest(), written, plain.hexdigest())


def blocks(reader: BinaryIO, what: str, total: int, tell: Tell) -> Iterator[bytes]:
    """Yield what `reader` has, and tell how far that is."""
    done = 0
    while block := reader.read(BLOCK_BYTES):
        yield block
        done += len(block)
        tell(what, done, total)


def _write(writer: BinaryIO, digest: "hashlib._Hash", block: bytes) -> int:
    digest.update(block)
    return writer.write(block)
