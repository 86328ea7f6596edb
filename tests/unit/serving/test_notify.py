"""What reaches the socket that systemd would read."""

import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kis.serving import notify


@pytest.fixture(params=["path", "abstract"])
def systemd(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """A socket, named in the environment."""
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as words:
        path = f"{folder}/notify"
        words.bind(f"\0{path}" if request.param == "abstract" else path)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{path}" if request.param == "abstract" else path)
        yield words


def test_words_arrive(systemd: socket.socket) -> None:
    notify.notify(notify.READY)
    notify.tell_alive()
    assert [systemd.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]


def test_nobody_reads(systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "WITHIN_S", 0.001)
    systemd.setblocking(False)
    for _ in range(1_000):  # more than the socket holds
        notify.tell_alive()
    assert systemd.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("name", ["", "nothing", "x" * 200])
def test_nobody_listens(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    notify.notify(notify.READY)
