"""SIGTERM: what has begun is answered, who never ends is not waited for."""

import json
import signal
import socket
from pathlib import Path

from kis.serving.process import DRAIN_S
from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import rows_of
from tests.integration.program import until
from tests.integration.test_disconnect import BODY, connect, head
from tests.services import Server

PROMISED_S = 10


def received(client: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    with client.makefile("rb") as answer:
        return answer.read()


def is_listening(server: Server) -> bool:
    try:
        connect(server).close()
    except ConnectionError:  # refused, or closed unaccepted
        return False
    return True


def test_time_to_drain_is_within_what_is_promised() -> None:
    """With two seconds for the last commits and the end of the process."""
    assert DRAIN_S + 2 <= PROMISED_S


@SQLITE_ONLY
def test_what_has_begun_is_answered_and_who_never_ends_is_cut_off(server: Server) -> None:
    with connect(server) as slow, connect(server) as stuck:
        for number, client in enumerate((slow, stuck)):
            client.sendall(head(f"k-{number}") + BODY[:-1])
        until(lambda: begun(server) == 2)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: not is_listening(server))
        slow.sendall(BODY[-1:])
        answer = received(slow)
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert server.process.wait(2 * PROMISED_S) == 0
        received(stuck)
    id_ = json.loads(answer.partition(b"\r\n\r\n")[2])["id"]
    assert rows_of(server.home, "SELECT id FROM Estimate") == [(id_,)]


def begun(server: Server) -> int:
    """Return how many connections of clients the server has taken."""
    files = Path(f"/proc/{server.process.pid}/fd").iterdir()
    ours = {str(link.readlink()) for link in files}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        f"socket:[{line[9]}]" in ours
        for line in lines
        if int(line[1].split(":")[1], 16) == server.port and line[3] == "01"
    )
