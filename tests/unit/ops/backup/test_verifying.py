"""The Friday check finds what time did to a backup."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kis.evidence.keys import Opener
from kis.ops.backup import folder
from kis.ops.backup.archive import make_backup
from kis.ops.backup.checking import Order
from kis.ops.backup.manifest import Contents, decode, encode
from kis.ops.backup.source import Source
from kis.ops.backup.verifying import Verified, verify
from tests.unit.ops.backup.made import NOW, quiet
from tests.unit.ops.installed import OPENER, change


@pytest.fixture
def backup(source: Source) -> Path:
    return source.folder / make_backup(source, lambda: NOW, quiet).manifest.file


def look(backup: Path) -> Verified:
    of = Source("", None, backup.parent, OPENER)
    (found,) = verify(of, [backup], Order(OPENER), quiet)
    return found


def manifest_path(backup: Path) -> Path:
    return backup.with_name(f"{backup.name}.json")


def test_good(backup: Path) -> None:
    found = look(backup)
    assert found.trouble is None
    assert found.contents == decode(manifest_path(backup).read_bytes()).contents
    assert not (backup.parent / ".kis-backup.tmp").exists()


def cut(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:-100])


def turn_a_bit(backup: Path) -> None:
    raw = bytearray(backup.read_bytes())
    raw[len(raw) // 2] ^= 1
    backup.write_bytes(raw)


def turn_the_header(backup: Path) -> None:
    """Bytes that gzip does not heed, and the digest does."""
    raw = bytearray(backup.read_bytes())
    raw[5] ^= 1
    backup.write_bytes(raw)


def lose_the_manifest(backup: Path) -> None:
    manifest_path(backup).unlink()


def change_contents(backup: Path, contents: Contents) -> None:
    path = manifest_path(backup)
    manifest = decode(path.read_bytes())
    path.write_bytes(encode(msgspec.structs.replace(manifest, contents=contents)))


def other_counts(backup: Path) -> None:
    contents = decode(manifest_path(backup).read_bytes()).contents
    rows = {**contents.rows, "Estimate": 4}
    change_contents(backup, msgspec.structs.replace(contents, rows=rows))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut, "size"),
        (turn_a_bit, "gzip|SHA-256"),
        (turn_the_header, "SHA-256"),
        (lose_the_manifest, "no manifest"),
        (other_counts, "rows"),
    ],
)
def test_harmed(backup: Path, harm: Callable[[Path], None], words: str) -> None:
    harm(backup)
    found = look(backup)
    assert found.trouble is not None
    assert any(word in found.trouble.en for word in words.split("|"))


def test_another_secret(backup: Path) -> None:
    of = Source("", None, backup.parent, OPENER)
    (found,) = verify(of, [backup], Order(Opener("m" * 64, "x" * 64)), quiet)
    assert found.trouble is not None
    assert "3 evidence packages" in found.trouble.en


def test_evidence_that_was_so_when_it_was_made(source: Source) -> None:
    change(source.url, "UPDATE evidence SET signature = 'x'")
    made = make_backup(source, lambda: NOW, quiet).manifest
    assert made.contents.evidence is not None
    assert made.contents.evidence.invalid == 3
    assert look(source.folder / made.file).trouble is None


def test_who_waits_gets_in_between(source: Source) -> None:
    """So that a backup, which timers start at the same time, need not wait for all of them."""
    paths = [source.folder / make_backup(source, lambda: NOW, quiet).manifest.file] * 5
    seen: list[str] = []
    waiting = threading.Event()

    def other() -> None:
        with folder.only_one(source.folder, wait_s=60, tell=lambda *_: waiting.set()):
            seen.append("other")

    beside = threading.Thread(target=other)
    for found in verify(source, paths, Order(OPENER), quiet):
        if not seen:
            beside.start()
            assert waiting.wait(60)
        seen.append(found.file)
    beside.join()
    assert "other" in seen[:-1]


def test_deleted_while_it_waited(backup: Path) -> None:
    of = Source("", None, backup.parent, OPENER)
    old = backup.with_name("kis-backup-20200101_000000.db.gz")
    assert [each.file for each in verify(of, [old, backup], Order(OPENER), quiet)] == [backup.name]
