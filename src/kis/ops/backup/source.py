"""What is backed up, and what a maker of backups hands over."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection

from kis.evidence.keys import Opener
from kis.ops.backup.manifest import Contents, Packed
from kis.ops.backup.naming import Kind, kind_of
from kis.ops.keys.start import KeySources
from kis.settings import Settings


class Source(NamedTuple):
    """A database, its file if it is one, and the folder of its backups."""

    url: str
    file: Path | None
    folder: Path
    opener: Opener

    @property
    def kind(self) -> Kind:
        """The kind of database."""
        return kind_of(self.file)


class Made(NamedTuple):
    """A backup that was checked and has no name yet; `taken_at`: what was committed is in it."""

    path: Path
    packed: Packed
    contents: Contents
    database: str
    taken_at: datetime


class Place(NamedTuple):
    """Where the database at `url` is made that is to replace the one of `source`.

    `server` is a connection to PostgreSQL that holds the lock on this work.
    """

    source: Source
    scratch: Path
    url: str
    server: Connection | None = None

    @property
    def file(self) -> Path:
        """Its SQLite file."""
        return self.scratch / "kis.db"

    @property
    def is_file(self) -> bool:
        """Whether it is one."""
        return self.url.startswith("sqlite:")


def source_of(settings: Settings) -> Source:
    """Return what the backups of an installation are made of, and where they are."""
    return Source(
        settings.database_url, settings.database_file, settings.home / "backups",
        KeySources.of(settings).opener,
    )  # fmt: skip
