"""The other half of the journal: bases, compression, and what is no longer needed.

A base is copied while the database is written to, page by page. What a checkpoint changed
meanwhile is in the journal, from the start of the epoch in which the copy began: replayed
over the copy, it makes it whole. So nobody ever waits for a base.
"""

import errno
import json
import logging
import secrets
import shutil
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kis.ops import durable
from kis.ops.journal import keeping, packing
from kis.ops.journal.copying import Position
from kis.ops.journal.folder import PACKED, Base, Chain, chains
from kis.ops.journal.service import END_S, Journal

logger = logging.getLogger("kis.journal")

FIRST_AFTER_S = 1.0
"""Commands that open the database for a moment leave the base to the server."""

LOOK_S = 0.5
RETRY_S = 5.0
CAUGHT_UP_S = 30.0
SHRINKS_TO = 3
"""A third of its size at most: a database of estimates is a tenth once compressed."""

DAY_NS = 86_400_000_000_000
HOUR_NS = 3_600_000_000_000


class BaseKeeper:
    """Makes a base where there is none, and daily; `trouble` is why it could not, if so."""

    def __init__(
        self, journal: Journal, database_file: Path, days: int, now_ns: Callable[[], int]
    ) -> None:
        """Keep enough for each moment of the last `days`; the time is in ns since 1970."""
        self.trouble = ""
        self._journal = journal
        self._database_file = database_file
        self._days = days
        self._now_ns = now_ns
        self._tidied_ns = 0
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="kis-journal-bases", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and give up what is under way: it is begun anew at the next start."""
        with self._lock:
            self._ended.set()
            if self._process is not None:
                self._process.kill()
        if self._thread.ident is not None:
            # It may wait for a journal that hangs.
            self._thread.join(END_S)

    def _run(self) -> None:
        wait_s = FIRST_AFTER_S
        while not self._ended.wait(wait_s):
            wait_s = LOOK_S
            try:
                self._look()
                self.trouble = ""
            except Exception as error:  # noqa: BLE001 - a full disk, or one that is gone
                if self._ended.is_set():
                    return
                if not self.trouble:
                    logger.error("the journal has no new base: %s", error)  # noqa: TRY400
                self.trouble = f"{type(error).__name__}: {error}"
                wait_s = RETRY_S

    def _look(self) -> None:
        """Do what is due."""
        position = self._journal.position()
        if position is None:
            return
        bases = position.chain.bases()
        if not bases or position.through_ns - bases[-1].began_ns > DAY_NS:
            self._make(position)
        for number, path in position.chain.files().items():
            if number < position.file and path.suffix != PACKED:
                self._compress(position.chain, path)
        if position.through_ns - self._tidied_ns > HOUR_NS:
            self._tidy(position)
            self._tidied_ns = position.through_ns

    def _make(self, begin: Position) -> None:
        """Make a base, good from where the journal is when the copy is complete."""
        chain = begin.chain
        _sweep(chain)
        _require_room(self._database_file, chain.folder)
        name = f"{begin.file:06}-{secrets.token_hex(4)}"
        packed = self._pack(self._database_file, chain.base_file(name))
        end = self._journal.position_after(self._now_ns(), CAUGHT_UP_S)
        if end is None or end.chain.folder != chain.folder:
            message = "the journal did not go on while the base was copied"
            raise OSError(message)
        stored = chain.base_file(name).stat().st_size
        base = Base(
            name, begin.file, begin.epoch, end.epoch, end.frames, begin.through_ns,
            end.through_ns, packed.bytes, stored, packed.sha256,
        )  # fmt: skip
        _write_note(chain.base_note(name), base)
        logger.info("base %s: %d bytes, %d compressed", name, base.bytes, base.stored_bytes)

    def _compress(self, chain: Chain, path: Path) -> None:
        packed = chain.folder / f"{path.name}{PACKED}"
        self._pack(path, packed)
        durable.sync_folder(chain.folder)
        path.unlink()

    def _pack(self, source: Path, target: Path) -> packing.Packed:
        with self._lock:
            if self._ended.is_set():
                message = "the service ends"
                raise OSError(message)
            self._process = packing.start(source, target)
        try:
            packed = packing.finish(self._process)
        except OSError:
            target.unlink(missing_ok=True)
            raise
        finally:
            self._process = None
        target.chmod(durable.FILE_MODE)
        return packed

    def _tidy(self, position: Position) -> None:
        """Delete what no moment of the last days needs."""
        there = {chain.name: chain for chain in chains(self._journal.folder)}
        kept = [_kept(chain, chain.name == position.chain.name) for chain in there.values()]
        for gone in keeping.expired(kept, position.through_ns - self._days * DAY_NS):
            chain = there[gone.chain]
            if gone.is_whole:
                chain.remove()
                continue
            for name in gone.bases:
                chain.base_note(name).unlink()
                chain.base_file(name).unlink(missing_ok=True)
            files = chain.files()
            for number in gone.files:
                files[number].unlink()


def _kept(chain: Chain, is_current: bool) -> keeping.Kept:  # noqa: FBT001 - a plain fact
    written = [path.stat().st_mtime_ns for path in chain.folder.iterdir()]
    return keeping.Kept(
        chain.name, is_current, max(written, default=0),
        [keeping.BaseAt(base.name, base.good_from_ns, base.file) for base in chain.bases()],
        list(chain.files()),
    )  # fmt: skip


def _require_room(file: Path, folder: Path) -> None:
    """Refuse what would fill the disk, which the database itself may be on."""
    needed, free = file.stat().st_size // SHRINKS_TO, shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"a base takes {needed:,} bytes, and {free:,} are free")


def _sweep(chain: Chain) -> None:
    """Delete copies that were never completed."""
    for path in chain.folder.glob(f"*.base{PACKED}"):
        if not path.with_suffix(".json").exists():
            with suppress(OSError):
                path.unlink()


def _write_note(path: Path, base: Base) -> None:
    """Describe `base` at `path`: wholly or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(base._asdict()), encoding="utf-8")
    partial.chmod(durable.FILE_MODE)
    durable.sync_file(partial)
    durable.rename(partial, path)
