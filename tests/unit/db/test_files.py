"""The files of a SQLite database."""

from pathlib import Path

from kis.db.files import bytes_of, log_of


def test_the_log_counts_while_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "kis.db"
    file.write_bytes(b"1234")
    assert bytes_of(file) == 4
    log_of(file).write_bytes(b"123")
    assert log_of(file).name == "kis.db-wal"
    assert bytes_of(file) == 7
