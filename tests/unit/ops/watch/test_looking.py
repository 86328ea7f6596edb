"""Figures taken from real listeners."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kis.ops.reaching import Endpoint
from kis.ops.watch import looking
from kis.ops.watch.looking import ask, ask_journal, look
from kis.ops.watch.observations import Copying, State
from tests.services import settings_in

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEALTHY = {"timestamp": "2026-11-22T12:00:00.000Z", "knowledgeVersion": "v-a", "totalRows": 9}


@contextmanager
def listener(answers: dict[str, tuple[int, bytes]]) -> Iterator[str]:
    """Answer GETs as told; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


NOBODY = Endpoint("http://127.0.0.1:1")
"""Nobody listens at port 1."""


def noon() -> datetime:
    return NOON


def test_everything_is_looked_at_though_nothing_is_there(tmp_path: Path) -> None:
    found = look(settings_in(tmp_path / "home"), NOBODY, noon)
    assert [each.check for each in found] == [
        "api", "knowledge", "disk", "database", "journal", "backup", "errors",
    ]  # fmt: skip
    assert [found[0].state, found[1].state] == [State.CRITICAL, State.UNKNOWN]


# --- the server ---------------------------------------------------------------------------


def test_healthy_answer() -> None:
    with listener({"/health": (200, json.dumps(HEALTHY).encode())}) as address:
        answer = ask(Endpoint(address), lambda: NOON + timedelta(seconds=5))
    assert (answer.status, answer.body, answer.age_s, answer.trouble) == (200, HEALTHY, 5.0, "")
    assert answer.ms > 0


def test_reasons_of_one_that_cannot_serve() -> None:
    answers = {
        "/health": (503, json.dumps(HEALTHY).encode()),
        "/readyz": (503, b'{"ready":false,"reasons":["why"]}'),
    }
    with listener(answers) as address:
        assert ask(Endpoint(address), noon).reasons == ["why"]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff", b""])
def test_answer_of_another_program(body: bytes) -> None:
    with listener({"/health": (200, body), "/readyz": (200, body)}) as address:
        answer = ask(Endpoint(address), noon)
    assert not isinstance(answer.body, dict)
    assert answer.age_s == 0


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"reasons": 1}'])
def test_unready_answer_of_another_program(body: bytes) -> None:
    with listener({"/health": (500, body), "/readyz": (500, body)}) as address:
        assert list(ask(Endpoint(address), noon).reasons) == []


def test_server_that_takes_connections_but_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(looking, "ANSWER_WITHIN_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = ask(Endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}"), noon)
    assert answer.trouble == "0.1 s timeout"


def test_server_that_speaks_no_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            connection.recv(1_000)
            connection.sendall(b"220 mail\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        assert ask(Endpoint(f"http://127.0.0.1:{server.getsockname()[1]}"), noon).trouble
        thread.join()


# --- the journal --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"kis_journal_working 1.0\nkis_journal_lag_seconds 0.25\n", Copying(True, 0.25)),
        (b"kis_journal_working 0.0\nkis_journal_lag_seconds 99.0\n", Copying(False, 99.0)),
        (b"kis_journal_working 1.0\n", None),
        (b"kis_journal_working many\nkis_journal_lag_seconds 1\n", None),
        (b"kis_journal_lag_seconds\n", None),
        (b"\xff", None),
    ],
)
def test_journal_as_the_metrics_tell(body: bytes, told: Copying | None) -> None:
    with listener({"/metrics": (200, body)}) as address:
        assert ask_journal(Endpoint(address), "key") == told


def test_without_a_journal_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "home", JOURNAL_DAYS="0")
    assert "journal" not in [each.check for each in look(settings, NOBODY, noon)]
