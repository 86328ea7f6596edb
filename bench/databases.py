"""The databases under measurement: a SQLite file in each home, or one PostgreSQL server."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.machine import cpu_of
from tests.postgres import PostgresServer

SQLITE, POSTGRESQL = "sqlite", "postgresql"
KINDS = (SQLITE, POSTGRESQL)
NAMES = {SQLITE: "SQLite", POSTGRESQL: "PostgreSQL"}
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")
"""As a server is unless told otherwise: an answered COMMIT is on the disk."""


class Home(NamedTuple):
    """A home of a service; the address of its database, and where the server's programs are.

    Both are None where the database is a SQLite file.
    """

    folder: Path
    url: str | None
    programs: Path | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The variables that the service is started with."""
        environ = {"KIS_HOME": str(self.folder)}
        if self.url is not None:
            environ["DATABASE_URL"] = self.url
            environ["PATH"] = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return environ

    @property
    def file(self) -> Path:
        """Where the SQLite database is."""
        return self.folder / "data" / "kis.db"


class Databases:
    """Gives empty databases of one kind."""

    def __init__(self, kind: str, folder: Path, server: PostgresServer | None) -> None:
        """Keep homes in `folder`; the databases too, unless a `server` has them."""
        self.kind = kind
        self.folder = folder
        self._server = server

    @property
    def name(self) -> str:
        """What people call the kind."""
        return NAMES[self.kind]

    def home(self, name: str) -> Home:
        """Return a new home with an empty database, both under `name`."""
        self.folder.mkdir(exist_ok=True)
        if self._server is None:
            return Home(self.folder / name, None)
        database = name.replace("-", "_")
        self._server.execute(f"CREATE DATABASE {database}")
        return Home(self.folder / name, self._server.url(database), self._server.programs)

    def back_up(self, home: Home, file: Path) -> None:
        """Write a backup of the database of `home` into `file`, beside whoever uses it."""
        if self._server is not None:
            self._server.dump(str(home.url), file)
            return
        with (
            closing(sqlite3.connect(f"file:{home.file}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(file)) as copy,
        ):
            source.backup(copy)
            (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            message = f"the backup is damaged: {verdict}"
            raise RuntimeError(message)

    def cpu_s(self) -> float:
        """Return the CPU seconds that the database server has used; 0 where there is none."""
        return 0.0 if self._server is None else cpu_of(self._server.pid)


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[Databases]:
    """Run what databases of that `kind` need."""
    if kind == SQLITE:
        yield Databases(kind, folder / kind, None)
        return
    server = PostgresServer(*DURABLE)
    try:
        yield Databases(kind, folder / kind, server)
    finally:
        server.close()
