"""The files of a SQLite database. Without SQLAlchemy: programs that only look stay light."""

from pathlib import Path


def log_of(file: Path) -> Path:
    """Return the write-ahead log of a database file."""
    return file.with_name(f"{file.name}-wal")


def bytes_of(file: Path) -> int:
    """Return the size of a database file with what is yet to be folded into it.

    Raises:
        OSError: it cannot be looked at.

    """
    log = log_of(file)
    return file.stat().st_size + (log.stat().st_size if log.exists() else 0)
