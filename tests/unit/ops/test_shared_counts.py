"""Counts of several processes: they add up, and outlive who counted."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kis.ops import shared_counts
from kis.ops.shared_counts import FOLDER, PREFIX, counting_together, read_counts, shared_folder

PROGRAM = """
import sys
from prometheus_client import Counter, Gauge, Histogram
Counter("requests", "Requests", ("status",)).labels("200").inc(int(sys.argv[1]))
Histogram("seconds", "Time", buckets=(1, 2)).observe(1.5)
Gauge("waiting", "Waiting", multiprocess_mode="livesum").set(3)
print("counted", flush=True)
sys.stdin.read()
"""
NEVER_RAN = 2**22 + 1
"""An id that Linux gives no process."""


class Counting:
    """A process that counts, and lives until it is killed."""

    def __init__(self, requests: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(requests)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"counted\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def folder() -> Iterator[Path]:
    with counting_together():
        found = shared_folder()
        assert found is not None
        yield found
    assert not found.exists()
    assert shared_folder() is None


def read(folder: Path) -> dict[str, float]:
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for metric in read_counts(folder)
        for sample in metric.samples
    }


def test_counts_and_gauges_of_two_processes_add_up(folder: Path) -> None:
    one, two = Counting(3), Counting(4)
    found = read(folder)
    assert found["requests_total200"] == 7
    assert (found["seconds_count"], found["seconds_sum"], found["seconds_bucket1.0"]) == (2, 3, 0)
    assert found["waiting"] == 6
    one.kill()
    two.kill()


def test_killed_process_leaves_its_counts_and_no_gauge(folder: Path) -> None:
    one, two = Counting(3), Counting(4)
    one.kill()
    found = read(folder)
    assert found["requests_total200"] == 7
    assert found["seconds_count"] == 2
    assert found["waiting"] == 3
    two.kill()
    assert read(folder)["requests_total200"] == 7


def test_many_ended_processes_are_one_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_counts, "DEAD_KEPT", 1)
    living = Counting(1)
    for requests in (10, 100, 1000):
        Counting(requests).kill()
        read(folder)
    found = read(folder)
    assert found["requests_total200"] == 1111
    assert (found["seconds_count"], found["seconds_bucket2.0"]) == (4, 4)
    assert len(list(folder.glob("counter_*.db"))) <= 3
    living.kill()


def test_file_that_is_about_to_be_made_is_no_fault(folder: Path) -> None:
    (folder / f"counter_{os.getpid()}.db").touch()
    assert read_counts(folder) == []


def test_folder_of_a_killed_supervisor_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_counts, "IN_MEMORY", tmp_path)
    left, running = (tmp_path / f"{PREFIX}{pid}-x" for pid in (NEVER_RAN, os.getpid()))
    for found in (left, running):
        found.mkdir()
    with counting_together():
        assert not left.exists()
        assert Path(os.environ[FOLDER]).parent == tmp_path
    assert list(tmp_path.iterdir()) == [running]


def test_without_memory_for_files_they_are_on_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_counts, "IN_MEMORY", tmp_path / "not there")
    with counting_together():
        assert Path(os.environ[FOLDER]).is_dir()
