"""What goes wrong with backups, in words and codes."""

import errno
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from kis.db.unavailable import DatabaseUnavailable
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.ops.doctor import in_one_line

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
MIB = 1 << 20
_PRIMARY_CODE = 0xFF


class Unsound(Exception):  # noqa: N818 - says what is the case
    """A database, or a backup of one, that is not as it must be."""

    def __init__(self, words: Text) -> None:
        """Keep `words`."""
        super().__init__(words.en)
        self.words = words


def running() -> DomainError:
    """Return what is told while another backup, restore or drill is at work."""
    return _error(
        ErrorCode.BACKUP_RUNNING,
        Text("다른 백업이나 복구가 진행 중입니다.", "Another backup or restore is under way."),
        Text("끝난 뒤 다시 하십시오.", "Try again once it has ended."),
    )


def failed(words: Text) -> DomainError:
    """Return what is told when no backup was made, or one that is not sound."""
    return _error(
        ErrorCode.BACKUP_FAILED,
        Text(
            f"백업하지 못했습니다. 마지막 정상 백업은 그대로입니다: {words.ko}",
            f"No backup was made; the last good one is as it was: {words.en}",
        ),
        Text(
            "kis-backend db check로 데이터베이스를 점검하십시오.",
            "Look the database over: kis-backend db check.",
        ),
    )


def not_restored(words: Text) -> DomainError:
    """Return what is told when nothing was restored."""
    return _error(
        ErrorCode.BACKUP_FAILED,
        Text(f"복구하지 못했습니다: {words.ko}", f"Nothing was restored: {words.en}"),
        Text(
            "데이터베이스는 그대로입니다. 다른 백업을 고르십시오: kis-backend backup list",
            "The database is as it was. Choose another backup: kis-backend backup list.",
        ),
    )


def restored_otherwise(kept: str | None) -> DomainError:
    """Return what is told when what was swapped in is not what was checked."""
    return _error(
        ErrorCode.BACKUP_FAILED,
        Text(
            "복구했지만 그 자리의 데이터베이스가 점검한 것과 다릅니다.",
            "It was restored, but what is there now is not what was checked.",
        ),
        Text(
            f"서버를 시작하지 말고 다시 복구하십시오. 전의 데이터베이스: {kept}",
            f"Start no server, restore again. The database of before: {kept}",
        ),
    )


def logs_failed(backup: str, error: OSError) -> DomainError:
    """Return what is told when a backup was made, but not that of the logs."""
    line = in_one_line(error)
    return _error(
        ErrorCode.BACKUP_FAILED,
        Text(
            f"데이터베이스는 백업했지만({backup}) 로그는 백업하지 못했습니다: {line}",
            f"The database was backed up ({backup}), but the logs were not: {line}",
        ),
        Text("kis-backend backup --logs로 다시 하십시오.", "Try kis-backend backup --logs again."),
    )


def disk_full(folder: Path, needed: int | None = None, free: int | None = None) -> DomainError:
    """Return what is told when there is no room in `folder`; bytes where they are known."""
    ko = en = ""
    if needed is not None and free is not None:
        sizes = f"{needed / MIB:,.0f} MiB", f"{free / MIB:,.0f} MiB"
        ko = f": {sizes[0]}가 필요한데 {sizes[1]}뿐입니다"
        en = f": it takes {sizes[0]}, and {sizes[1]} are free"
    return _error(
        ErrorCode.DISK_FULL,
        Text(f"{folder}에 자리가 없습니다{ko}.", f"There is no room in {folder}{en}."),
        Text(
            "디스크를 비우고 다시 하십시오. 만들던 것은 남기지 않았습니다.",
            "Make room and try again. Nothing was left behind.",
        ),
    )


def require_room(scratch: Path, needed: int) -> None:
    """Check that `needed` bytes are free where `scratch` is.

    Raises:
        DomainError: DISK_FULL.

    """
    free = shutil.disk_usage(scratch).free
    if free < needed:
        raise disk_full(scratch.parent, needed, free)


def _error(code: ErrorCode, message: Text, hint: Text) -> DomainError:
    return refusal(code, message, hint)


@contextmanager
def told_of(folder: Path, told: Callable[[Text], DomainError] = failed) -> Iterator[None]:
    """Turn what a disk and a database raise into words; `folder` is where it is written.

    Raises:
        DomainError: DISK_FULL, BACKUP_FAILED.

    """
    try:
        yield
    except (OSError, sqlite3.Error, DBAPIError, DatabaseUnavailable) as error:
        cause = getattr(error, "orig", None) or error
        if _is_no_room(cause):
            raise disk_full(folder) from error
        line = in_one_line(cause)
        raise told(Text(line, line)) from error
    except Unsound as error:
        raise told(error.words) from error


def _is_no_room(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & _PRIMARY_CODE == sqlite3.SQLITE_FULL
