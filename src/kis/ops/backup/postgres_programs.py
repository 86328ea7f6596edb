"""Finds and runs PostgreSQL's own programs, which write and read its backups."""

import errno
import os
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from sqlalchemy import URL, make_url

from kis.errors import Text
from kis.ops.backup.packing import Tell
from kis.ops.backup.trouble import Unsound
from kis.ops.doctor import in_one_line

Name = Literal["pg_dump", "pg_restore"]

ELSEWHERE = (
    "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)  # fmt: skip
"""Where packages put the programs of each version, on PATH or not."""
LOOK_EVERY_S = 0.05
ANSWER_WITHIN_S = 20
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)", re.ASCII)
_NO_ROOM = "No space left on device"


def find(name: Name, least: int, environ: Mapping[str, str] = os.environ) -> Path:
    """Return a program of version `least` or newer, as an older one refuses a newer server.

    Raises:
        Unsound: there is none.

    """
    found = set()
    for path in _candidates(name, environ):
        version = _version_of(path)
        if version >= least:
            return path
        if version:
            found.add(version)
    seen = ", ".join(map(str, sorted(found))) or "-"
    raise Unsound(
        Text(
            f"{name} {least} 이상이 없습니다(찾은 버전: {seen})."
            f" 설치하거나(예: apt install postgresql-client-{least}) PATH에 넣으십시오",
            f"there is no {name} {least} or newer (found: {seen}). Install it"
            f" (apt install postgresql-client-{least}), or put it on PATH",
        )
    )


def _candidates(name: Name, environ: Mapping[str, str]) -> Iterator[Path]:
    for folder in environ.get("PATH", "").split(os.pathsep):
        yield Path(folder) / name
    for pattern in ELSEWHERE:
        yield from sorted(Path("/").glob(f"{pattern[1:]}/{name}"))


def _version_of(program: Path) -> int:
    """Return the major version; 0 where it does not run."""
    if not os.access(program, os.X_OK):
        return 0
    try:
        done = subprocess.run(  # noqa: S603 - from PATH, as a shell finds it
            [program, "--version"], capture_output=True, check=False, timeout=ANSWER_WITHIN_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = _VERSION.search(done.stdout.decode(errors="replace"))
    return int(found[1]) if found else 0


def run(
    program: Path, arguments: Iterable[object], tell: Tell, what: str, url: str | None = None
) -> None:
    """Run a program to its end, on the database at `url` if any; what `tell` raises ends it.

    The password goes by the environment: all users can see the arguments.

    Raises:
        Unsound: it fails.
        OSError: the disk is full.

    """
    environ = {**os.environ, "LC_ALL": "C"}
    words = [str(each) for each in arguments]
    if url is not None:
        parsed = make_url(url)
        environ["PGPASSWORD"] = str(parsed.password or "")
        plain = URL.create(
            "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database,
            parsed.query,
        )  # fmt: skip
        words.append(f"--dbname={plain.render_as_string(hide_password=False)}")
    with TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S603 - see `find`
            [program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=complaints, env=environ,
        )  # fmt: skip
        try:
            while process.poll() is None:
                tell(what, 0, 1)
                time.sleep(LOOK_EVERY_S)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            complaints.seek(0)
            raise _failed(program.name, complaints.read().decode(errors="replace"))
    tell(what, 1, 1)


def _failed(name: str, complaint: str) -> Exception:
    if _NO_ROOM in complaint:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    line = in_one_line(complaint)
    return Unsound(Text(f"{name}: {line}", f"{name}: {line}"))
