"""Programs of the right version are found, and what they complain of is told."""

import os
from pathlib import Path

import pytest

from kis.ops.backup import postgres_programs
from kis.ops.backup.postgres_programs import find, run
from kis.ops.backup.trouble import Unsound
from tests.unit.ops.backup.made import quiet

URL = "postgresql://kis:pass%40word@127.0.0.1:5433/kis?sslmode=prefer"


@pytest.fixture(autouse=True)
def nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_programs, "ELSEWHERE", ())


def program(folder: Path, script: str, name: str = "pg_dump") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def of_version(folder: Path, version: str) -> Path:
    return program(folder, f"echo 'pg_dump (PostgreSQL) {version}'")


def test_first_that_is_new_enough(tmp_path: Path) -> None:
    of_version(tmp_path / "old", "15.18 (Debian 15.18-0+deb12u1)")
    fitting = of_version(tmp_path / "fitting", "18.0")
    of_version(tmp_path / "later", "19beta1")
    path = os.pathsep.join(str(tmp_path / name) for name in ("none", "old", "fitting", "later"))
    assert find("pg_dump", 18, {"PATH": path}) == fitting
    with pytest.raises(Unsound, match=r"no pg_dump 20 or newer \(found: 15, 18, 19\)"):
        find("pg_dump", 20, {"PATH": path})


def test_none_that_runs(tmp_path: Path) -> None:
    program(tmp_path, "exit 1")
    (tmp_path / "pg_restore").write_bytes(b"no program")
    (tmp_path / "pg_restore").chmod(0o755)
    for name in ("pg_dump", "pg_restore"):
        with pytest.raises(Unsound, match=r"found: -\).*postgresql-client-18"):
            find(name, 18, {"PATH": str(tmp_path)})


def test_beside_path_where_packages_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_version(tmp_path / "17", "17.2")
    fitting = of_version(tmp_path / "18", "18.1")
    monkeypatch.setattr(postgres_programs, "ELSEWHERE", (f"{tmp_path}/*",))
    assert find("pg_dump", 18, {}) == fitting


def test_password_is_no_argument(tmp_path: Path) -> None:
    told = tmp_path / "told"
    run(program(tmp_path, f'echo "$PGPASSWORD" "$@" > {told}'), ("-Fc",), quiet, "dump", URL)
    assert told.read_text().split() == [
        "pass@word", "-Fc", "--dbname=postgresql://kis@127.0.0.1:5433/kis?sslmode=prefer",
    ]  # fmt: skip


def test_complaint_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unsound, match="pg_dump: pg_dump: error: no such table"):
        run(program(tmp_path, "echo pg_dump: error: no such table >&2; exit 1"), (), quiet, "")
    full = program(tmp_path, "echo could not write: No space left on device >&2; exit 1")
    with pytest.raises(OSError, match="No space"):
        run(full, (), quiet, "")


def test_it_ends_with_whoever_waits(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def tell(*_: object) -> None:
        if begun.exists() and begun.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(program(tmp_path, f"echo $$ > {begun}; exec sleep 600"), (), tell, "")
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)
