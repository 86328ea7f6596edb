"""Reading a log that grows, is rotated, and is read on."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kis.ops import following
from kis.ops.following import SPAN, Followed, follow

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def line_of(at: datetime, status: int = 201) -> str:
    return (
        f'10.0.0.7 {at:%Y-%m-%dT%H:%M:%SZ} "POST /v1/estimate/create" {status} 4.2ms'
        " key=api-bcd request=fgh\n"
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "kis-backend.log"


def write(log: Path, *lines: str) -> None:
    with log.open("a") as file:
        file.writelines(lines)


def requests_of(followed: Followed) -> int:
    return sum(hour.timings.total for hour in followed.hours.by_name.values())


def test_no_log_is_an_empty_one(log: Path) -> None:
    followed = follow(log, None, NOW)
    assert (requests_of(followed), followed.today.timings.total) == (0, 0)
    write(log, line_of(NOW))
    assert requests_of(follow(log, followed, NOW)) == 1


def test_a_log_that_cannot_be_read_is_left_out(log: Path) -> None:
    log.mkdir()
    assert requests_of(follow(log, None, NOW)) == 0


def test_only_what_was_added_is_read_again(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(log, line_of(NOW - SPAN), line_of(NOW - timedelta(days=2)), line_of(NOW))
    followed = follow(log, None, NOW)
    assert (requests_of(followed), followed.today.timings.total) == (2, 1)
    read: list[bytes] = []
    monkeypatch.setattr(Followed, "add", lambda _, line: read.append(line))
    assert follow(log, followed, NOW) is followed
    write(log, line_of(NOW, 429))
    followed = follow(log, followed, NOW)
    assert b"\n".join([*read, b""]) == line_of(NOW, 429).encode()


def test_a_line_counts_when_it_is_whole(log: Path) -> None:
    whole = line_of(NOW)
    write(log, whole, whole[:40])
    followed = follow(log, None, NOW)
    assert requests_of(followed) == 1
    write(log, whole[40:], "\ta traceback, of what another program wrote\n", "\n")
    assert requests_of(follow(log, followed, NOW)) == 2


@pytest.mark.parametrize("is_compressed", [False, True])
def test_nothing_is_lost_or_counted_twice_by_a_rotation(log: Path, is_compressed: bool) -> None:
    write(log, line_of(NOW))
    followed = follow(log, None, NOW)
    write(log, line_of(NOW))
    if is_compressed:
        log.with_name(f"{log.name}.1.gz").write_bytes(gzip.compress(log.read_bytes()))
        log.unlink()
    else:
        log.rename(log.with_name(f"{log.name}.1"))
    assert requests_of(follow(log, None, NOW)) == 2
    # The new one may have the inode of the old one, and be longer than that was.
    write(log, line_of(NOW, 200) * 3)
    followed = follow(log, followed, NOW)
    assert (requests_of(followed), followed.today.timings.total) == (5, 5)


def test_a_log_that_was_emptied_is_read_from_its_beginning(log: Path) -> None:
    write(log, line_of(NOW), line_of(NOW))
    followed = follow(log, None, NOW)
    log.write_text(line_of(NOW))
    assert requests_of(follow(log, followed, NOW)) == 1


def test_a_new_day_begins_at_nothing_and_the_first_hours_go(log: Path) -> None:
    write(log, line_of(NOW - SPAN + timedelta(hours=1)), line_of(NOW))
    followed = follow(log, None, NOW)
    assert (requests_of(followed), followed.today.timings.total) == (2, 1)
    tomorrow = NOW + timedelta(days=1)
    write(log, line_of(tomorrow))
    followed = follow(log, followed, tomorrow)
    assert (requests_of(followed), followed.today.timings.total) == (2, 1)
    assert followed.day == tomorrow.astimezone().date()


def test_what_has_no_newline_for_long_is_no_line(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "BLOCK_BYTES", 64)
    monkeypatch.setattr(following, "LONGEST_LINE", 256)
    write(log, line_of(NOW), "x" * 1000, "\n", line_of(NOW))
    assert requests_of(follow(log, None, NOW)) == 2
