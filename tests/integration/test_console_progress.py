"""Long work in the console: it tells how far it is, and ends with who waits for it."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.console_calls import SignedIn, sign_in, told
from tests.integration.lifecycle import (
    VERSIONS,
    active_label,
    ask,
    good,
    import_raw,
    row,
    table,
    validate,
)
from tests.integration.test_large_table import large_table
from tests.services import Client, Server, board, running_server

HOME = "/console/knowledge"
FORM = "application/x-www-form-urlencoded"
A_LOT = 3_000
PATIENCE_S = 60


def steps_of(lines: list[dict[str, Any]]) -> list[str]:
    """Return the steps that were told, each once."""
    return list(dict.fromkeys(line["step"] for line in lines[:-1]))


def counts_of(lines: list[dict[str, Any]], step: str) -> list[tuple[int, int]]:
    return [(line["done"], line["total"]) for line in lines[:-1] if line["step"] == step]


def check_counts(counts: list[tuple[int, int]], total: int) -> None:
    """Assert that something is counted up to all of it, a step at a time."""
    assert {each[1] for each in counts} == {total}
    done = [each[0] for each in counts]
    assert done[0] == 0
    assert done == sorted(done)
    assert len(done) > 2


def test_each_step_of_a_version_is_counted(client: Client) -> None:
    owner = sign_in(client)
    body = table(*(row(f"T-{number}") for number in range(300))).encode()
    sent: dict[str, Any] = {"params": {"name": "x.csv", "mode": "add"}, "content": body}
    *told_of, last = looked = told(owner, f"{HOME}/import", **sent)
    assert "추가 300행" in last["html"]
    assert steps_of(looked) == ["load", "rows", "compare"]
    check_counts(counts_of(looked, "rows"), 300)
    sent["params"] = {**sent["params"], "label": "v-a"}
    *told_of, last = told(owner, f"{HOME}/import", **sent)
    assert last == {"go": f"{HOME}/v-a?done=imported"}
    assert told_of[-1]["step"] == "keep"
    validated = told(owner, f"{HOME}/v-a/validate")
    assert validated[-1] == {"go": f"{HOME}/v-a?done=validated"}
    assert steps_of(validated) == ["load", "rows", "samples", "compare", "keep"]
    check_counts(counts_of(validated, "samples"), 100)
    compared = told(owner, f"{HOME}/v-a/difference", method="GET")
    assert "추가 300행" in compared[-1]["html"]
    for _ in range(60):
        good(client.post("/v1/estimate/create", board()), 201)
    order = {"confirm": "v-a", "reason": "시험"}
    activated = told(owner, f"{HOME}/v-a/activate", data=order)
    assert activated[-1] == {"go": f"{HOME}/v-a?done=activated"}
    assert steps_of(activated) == ["load", "golden", "latest", "workers"]
    assert counts_of(activated, "latest") == [(0, 60), (50, 60)]
    assert active_label(client) == "v-a"


def test_what_is_wrong_is_said_at_the_end(client: Client) -> None:
    owner = sign_in(client)
    body = table(row("T-1").replace(",90,", ",9o,")).encode()
    query = {"name": "x.csv", "mode": "add", "label": "v-a"}
    assert "9o" in told(owner, f"{HOME}/import", params=query, content=body)[-1]["problem"]
    assert "v-a" in told(owner, f"{HOME}/v-a/validate")[-1]["problem"]
    # What is wrong with the request itself is an answer without a stream.
    refused = owner.send(f"{HOME}/v-a/activate", headers={"Accept": "text/event-stream"}, data={})
    assert refused.status_code == 422


# --- who waits for it leaves ---------------------------------------------------------------


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Server]:
    """A server with estimates, and a large version that is not active."""
    with running_server(tmp_path / "home", RATE_LIMIT_PER_MINUTE="0") as running:
        good(import_raw(running, "v-large", large_table()), 201)
        assert validate(running, "v-large")["valid"]
        boards = b"".join(
            json.dumps(board(label=f"B-{number}")).encode() + b"\n" for number in range(A_LOT)
        )
        running.request(
            "POST", "/v1/estimate/batch", content=boards,
            headers={"Content-Type": "application/x-ndjson"},
        )  # fmt: skip
        yield running


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def begin(
    owner: SignedIn, server: Server, path: str, body: bytes, kind: str = FORM
) -> socket.socket:
    """Send what takes its time, and return the connection with its first news unread."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Cookie: kis_session={owner.cookie}\r\nX-CSRF-Token: {owner.token}\r\n"
        "X-Console: 1\r\nAccept: text/event-stream\r\n"
        f"Content-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
    connection.sendall(head + body)
    return connection


def read_until(connection: socket.socket, word: bytes) -> None:
    seen = b""
    while word not in seen:
        piece = connection.recv(65_536)
        assert piece, seen
        seen += piece


def log_of(server: Server) -> str:
    return (server.home / "logs" / "kis-backend.log").read_text(encoding="utf-8")


def test_replay_ends_with_who_waits_for_it(busy: Server) -> None:
    owner = sign_in(busy)
    with begin(owner, busy, f"{HOME}/v-large/replay", b"last=10000") as connection:
        read_until(connection, b'"latest"')
    wait_until(lambda: "replay under v-large stopped at" in log_of(busy))
    # And the next one has its turn.
    with begin(owner, busy, f"{HOME}/v-large/replay", b"last=1000") as connection:
        read_until(connection, b'"html"')
    assert " ERROR " not in log_of(busy)
    assert busy.stop() == 0


def test_import_goes_on_though_nobody_waits(server: Server) -> None:
    owner = sign_in(server)
    path = f"{HOME}/import?name=x.csv&mode=add&label=v-large"
    with begin(owner, server, path, large_table(), "application/octet-stream") as connection:
        read_until(connection, b'"rows"')
    wait_until(lambda: "v-large" in [each["label"] for each in ask(server, VERSIONS)])
    assert server.stop() == 0
    assert " ERROR " not in log_of(server)
