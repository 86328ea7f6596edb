"""Files that `kis-backend` reads and writes: as Korean editors save them, and never lost."""

from pathlib import Path

import pytest

from tests.integration.program import Program, is_clear
from tests.services import board, dumps

REQUEST = dumps(board(label="전등 LP-1", customer="한빛빌딩 똠"))


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program on a home of its own; no server runs there."""
    return Program(tmp_path / "alone")


# --- read --------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_request_as_notepad_saves_it(program: Program, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "board.json"
    file.write_bytes(REQUEST.replace("\n", "\r\n").encode(encoding))
    answer = program.json("estimate", str(file))
    assert answer["request"]["label"] == "전등 LP-1"
    assert answer["request"]["customer"] == "한빛빌딩 똠"


def test_package_as_notepad_saves_it(program: Program, tmp_path: Path) -> None:
    answer = program.json("estimate", "-", stdin=REQUEST)
    file = tmp_path / "evidence.json"
    package = dumps(program.json("evidence", "show", answer["id"]))
    file.write_text(package, encoding="utf-8-sig")
    assert program.json("evidence", "verify", str(file))["valid"] is True


@pytest.mark.parametrize("raw", [b"\xff\xfe{", b"\xef\xbb\xbf", b'"\xff'])
def test_file_that_is_neither(program: Program, tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "board.json"
    file.write_bytes(raw)
    done = program.run("estimate", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert is_clear(done)
    assert "MALFORMED_JSON" in done.stderr


# --- written -----------------------------------------------------------------------------


def test_sample_that_was_edited_is_kept_and_named(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "boards"
    first = program.json("sample", str(folder))
    edited = folder / "sample-request.json"
    edited.write_text(REQUEST, encoding="utf-8")
    done = program.run("sample", str(folder))
    assert done.returncode == 0
    assert is_clear(done)
    assert edited.read_text(encoding="utf-8") == REQUEST
    assert str(edited) in done.stderr
    assert "--force" in done.stderr
    assert done.stdout.split() == [name for name in first if name != str(edited)]
    assert program.json("sample", str(folder), "--force") == first
    assert edited.read_text(encoding="utf-8") != REQUEST
    assert program.run("sample", str(folder)).stderr == ""
