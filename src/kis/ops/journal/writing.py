"""The file that a chain is written to at the moment."""

import os
from contextlib import suppress

from kis.ops.durable import FILE_MODE, sync_folder
from kis.ops.journal.folder import Chain
from kis.ops.journal.records import Record, encode

ROLL_BYTES = 64 * 1024 * 1024
"""After which size the next epoch is written to a file of its own."""


class ChainFile:
    """At most one open file of a chain, only ever appended to."""

    def __init__(self) -> None:
        """Start with none."""
        self.number = 0
        self._chain: Chain | None = None
        self._descriptor = -1
        self._bytes = 0
        self._is_good = False
        self._is_ahead = False

    @property
    def is_open(self) -> bool:
        """Whether there is one."""
        return self._descriptor >= 0

    @property
    def is_large(self) -> bool:
        """Whether the next epoch is better written to another one."""
        return self._bytes > ROLL_BYTES

    @property
    def is_deleted(self) -> bool:
        """Whether it is no longer in its folder."""
        return self.is_open and not os.fstat(self._descriptor).st_nlink

    def open_next(self, chain: Chain) -> None:
        """Open the file after the last one of `chain`.

        Raises:
            OSError: it cannot be made.

        """
        number = next_number(chain)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._descriptor = os.open(chain.file(number), flags, FILE_MODE)
        self._chain, self.number = chain, number
        self._bytes, self._is_good, self._is_ahead = 0, False, False
        sync_folder(chain.folder)

    def write(self, record: Record) -> None:
        """Append `record`.

        Raises:
            OSError: it cannot be written; some of it may have been.

        """
        self._is_ahead = True
        for part in encode(record):
            rest = memoryview(part)
            self._bytes += len(rest)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        """Have what was written survive a power cut.

        Raises:
            OSError: nobody knows whether it does.

        """
        if self._is_ahead:
            os.fdatasync(self._descriptor)
            self._is_good, self._is_ahead = True, False

    def drop(self) -> None:
        """Write to it no more; delete it when nothing in it ever got to the disk."""
        if not self.is_open:
            return
        with suppress(OSError):
            os.close(self._descriptor)
        self._descriptor, self._bytes, self._is_ahead = -1, 0, False
        if not self._is_good and self._chain is not None:
            with suppress(OSError):
                self._chain.file(self.number).unlink()


def next_number(chain: Chain) -> int:
    """Return the number of the file after the last one of `chain`."""
    return max(chain.files(), default=0) + 1
