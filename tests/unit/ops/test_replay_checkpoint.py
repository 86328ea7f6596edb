"""How far a replay has come, on disk."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kis.estimate.causes import Cause
from kis.estimate.replay import CauseCount, Refusals, ReplayCase, Tally
from kis.estimate.store import IdRange
from kis.estimate.verdict import Verdict
from kis.ops.replay_checkpoint import Checkpoint, forget_old, key_of, load, path_of, save

KEY = key_of("a" * 64, None, "all")
TALLY = Tally(
    total=7, changed=1, refusals={"NEED_KNOWLEDGE_UPDATE": Refusals(2, "e1")},
    causes=[CauseCount(Cause("breakers", "removed", ("LS", "X", 3)), 4, 5)],
    changed_cases=[ReplayCase("e2", 9, Verdict((1.5, 2, 3), "M"), Verdict((2, 2, 3)), ())],
)  # fmt: skip


def checkpoint() -> Checkpoint:
    return Checkpoint(KEY, IdRange("", "e9", 9), "e7", TALLY)


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    path = path_of(tmp_path, KEY)
    save(path, checkpoint())
    assert load(path, KEY) == checkpoint()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1]"])
def test_what_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    path = path_of(tmp_path, KEY)
    path.write_bytes(content)
    assert load(path, KEY) is None


def test_none_there(tmp_path: Path) -> None:
    assert load(path_of(tmp_path, KEY), KEY) is None


def test_another_key(tmp_path: Path) -> None:
    path = path_of(tmp_path, KEY)
    save(path, checkpoint())
    assert load(path, key_of("b" * 64, None, "all")) is None


def test_what_nobody_goes_on_with_is_forgotten(tmp_path: Path) -> None:
    """After a week; whatever else is in the folder stays."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    young, old = (path_of(tmp_path, key).name for key in ("a" * 64, "b" * 64))
    upload = f"replay-{'c' * 12}.json"
    ages = {young: 6.9, old: 7.1, ".replay-left": 8, upload: 99, f"replay-1-{'c' * 12}.json": 99}
    for name, days in ages.items():
        path = tmp_path / name
        path.touch()
        moment = (now - timedelta(days=days)).timestamp()
        os.utime(path, (moment, moment))
    forget_old(tmp_path, now)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == ages.keys() - {old, ".replay-left"}
    forget_old(tmp_path / "nowhere", now)


def test_key_is_of_versions_and_filter() -> None:
    keys = {
        key_of("a", None, "all"), key_of("b", None, "all"), key_of("a", "b", "all"),
        key_of("a", None, "last 5"),
    }  # fmt: skip
    assert len(keys) == 4


def test_disk_that_is_full_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path_of(tmp_path, KEY)
    save(path, checkpoint())

    def fail(*_: object) -> bytes:
        raise OSError("no space left on device")

    monkeypatch.setattr("kis.ops.replay_checkpoint.msgspec.json.encode", fail)
    with pytest.raises(OSError, match="no space"):
        save(path, checkpoint())
    assert load(path, KEY) == checkpoint()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
