"""Files that are there after a power cut, or not at all, and whose they are."""

import os
from pathlib import Path

FILE_MODE = 0o640


def sync_file(path: Path) -> None:
    """Have the content of `path` reach the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Have the names in `folder` reach the disk."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Give `source` the name `target`, whatever had it: after a power cut the one or the other."""
    source.replace(target)
    sync_folder(target.parent)


def hand_over(path: Path, like: Path, mode: int = FILE_MODE) -> None:
    """Let `path` be read by whom `like` belongs to: root may work for the service's user."""
    path.chmod(mode)
    if os.geteuid() == 0:
        status = like.stat()
        os.chown(path, status.st_uid, status.st_gid)
