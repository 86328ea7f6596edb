"""What the benchmark measures in its own process still runs; what it measures is no test's."""

from pathlib import Path

from bench import parts, replay


def test_parts_of_a_create(tmp_path: Path) -> None:
    names = [name for name, microseconds in parts.measure(tmp_path, 13) if microseconds > 0]
    assert "engine" in names
    assert "SQL, 64 in a batch" in names


def test_a_create_as_a_whole(tmp_path: Path) -> None:
    assert parts.whole(tmp_path, 64) > 0


def test_a_replay(tmp_path: Path) -> None:
    found = replay.measure(tmp_path, 1_000)
    assert found.boards == 1_000
    assert found.seconds > 0
