"""What a process that serves asks of the system."""

import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kis.serving.process import STALLED_MS, listen, raise_file_limit
from tests.services import free_port, settings_in


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    """The limits of open files, which are put back."""
    found = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield found
    resource.setrlimit(resource.RLIMIT_NOFILE, found)


def test_as_many_connections_as_the_system_allows(limits: tuple[int, int]) -> None:
    _, most = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, most))
    raise_file_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such limit")
def test_a_connection_whose_client_takes_nothing_ends(tmp_path: Path) -> None:
    with (
        listen(settings_in(tmp_path, PORT=str(free_port()))) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        taken, _ = listener.accept()
        with taken:
            found = taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert found == STALLED_MS
