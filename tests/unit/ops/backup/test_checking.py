"""What is looked into before a copy counts."""

from pathlib import Path

import pytest

from kis.db.migrate import REVISION_TABLE
from kis.ops.backup.checking import Order, look_into
from kis.ops.backup.manifest import Contents, EvidenceCount
from kis.ops.backup.trouble import Unsound
from tests.backends import SQLITE_ONLY
from tests.unit.ops.installed import FORGED, OPENER, change, install


def look(url: str, at_most: int | None = None, original: str | None = None) -> Contents:
    order = Order(OPENER, at_most, original_url=original)
    return look_into(url, order, lambda *_: None)


def test_sound(tmp_path: Path, database_url: str) -> None:
    install(tmp_path / "home", database_url)
    found = look(database_url)
    assert (found.rows["Estimate"], found.rows["evidence"], found.rows["worker"]) == (3, 3, 0)
    assert (found.schema, found.active_version) == ("0001", "v2025-09-24-01")
    assert found.evidence == EvidenceCount(3, 0)
    assert found.installation
    assert look(database_url, at_most=2).evidence == EvidenceCount(2, 0)


def test_evidence_that_is_not_valid(tmp_path: Path, database_url: str) -> None:
    ids = install(tmp_path / "home", database_url)
    original = tmp_path / "original.db"
    install(tmp_path / "other", f"sqlite:///{original}", estimates=0)
    change(database_url, FORGED, id=ids[1])
    assert look(database_url).evidence == EvidenceCount(3, 1)
    # As in the original: the copy is as it must be.
    assert look(database_url, original=database_url).evidence == EvidenceCount(3, 1)
    with pytest.raises(Unsound, match=ids[1]):
        look(database_url, original=f"sqlite:///{original}")


def test_schema_of_another_program(tmp_path: Path, database_url: str) -> None:
    """A backup before a migration is wanted most."""
    install(tmp_path / "home", database_url)
    change(database_url, f"UPDATE {REVISION_TABLE} SET version_num = '0000'")
    found = look(database_url)
    assert (found.schema, found.active_version, found.evidence) == ("0000", None, None)
    assert found.rows["Estimate"] == 3


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"UPDATE {REVISION_TABLE} SET version_num = 'copy-x'", "not completed"),
        (f"DROP TABLE {REVISION_TABLE}", "no database of KIS"),
        ("UPDATE knowledge_document SET content = cast('x' AS {})", "unpacked"),
    ],
)
def test_otherwise_than_it_must_be(
    tmp_path: Path, database_url: str, statement: str, words: str
) -> None:
    install(tmp_path / "home", database_url, estimates=0)
    kind = "BLOB" if database_url.startswith("sqlite") else "BYTEA"
    change(database_url, statement.format(kind))
    with pytest.raises(Unsound, match=words):
        look(database_url)


@SQLITE_ONLY  # a server keeps them
def test_rows_that_refer_to_nothing(tmp_path: Path, database_url: str) -> None:
    ids = install(tmp_path / "home", database_url)
    change(database_url, 'DELETE FROM "Estimate" WHERE id = :id', id=ids[0])
    with pytest.raises(Unsound, match="not there"):
        look(database_url)


@SQLITE_ONLY  # a server sees to its own
def test_damaged_file(tmp_path: Path, database_url: str, database_file: Path) -> None:
    install(tmp_path / "home", database_url, estimates=20)
    with database_file.open("r+b") as file:
        file.seek(database_file.stat().st_size // 2)
        file.write(b"\xff" * 40_000)
    with pytest.raises(Unsound, match=r"damaged|malformed"):
        look(database_url)
    database_file.write_bytes(b"no database" * 1_000)
    with pytest.raises(Unsound, match="not a database"):
        look(database_url)
