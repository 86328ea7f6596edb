"""Whether the database file that is open still is the one at its path.

A file that was moved, deleted or replaced stays open: what is written into it
is committed, and gone with it.
"""

import logging
import os
import threading
from pathlib import Path

from kis.errors import DomainError, ErrorCode, Finding, Text

logger = logging.getLogger("kis.db")

DISPLACED = Finding(
    ErrorCode.NOT_READY,
    "",
    Text(
        "데이터베이스 파일이 옮겨지거나 바뀌어 쓸 수 없습니다.",
        "The database file was moved or replaced and cannot be used.",
    ),
    Text(
        "운영자에게 알리십시오. 파일을 제자리에 돌려놓거나 서비스를 재시작해야 합니다.",
        "Tell the operator: put the file back, or restart the service.",
    ),
)


class Place:
    """The path of an open database file, and which file stood there when it was opened."""

    def __init__(self, path: Path) -> None:
        """Remember the file at `path` as the open one."""
        # Absolute, so that a later chdir does not move it. Links are followed:
        # what counts is the file that the next start would open.
        self._path = path.absolute()
        self._file = self._find()
        self._was_displaced = False
        self._lock = threading.Lock()

    def is_displaced(self) -> bool:
        """Whether another file, or none, stands at the path now; costs one stat(2)."""
        is_displaced = self._find() != self._file
        if is_displaced is not self._was_displaced:
            self._tell(is_displaced=is_displaced)
        return is_displaced

    def require(self) -> None:
        """Check that the file is in its place.

        Raises:
            DomainError: NOT_READY, it is not.

        """
        if self.is_displaced():
            raise DomainError(DISPLACED)

    def _find(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - half the time of Path.stat, each batch
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _tell(self, *, is_displaced: bool) -> None:
        """Log the change, once, whichever thread sees it first."""
        with self._lock:
            if is_displaced is self._was_displaced:
                return
            self._was_displaced = is_displaced
        if is_displaced:
            logger.error(
                "the open database file is no longer at %s: it was moved, deleted or replaced",
                self._path,
            )
        else:
            logger.warning("the open database file is at %s again", self._path)
