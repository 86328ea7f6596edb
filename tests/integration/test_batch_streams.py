"""Batches over HTTP/1.1: slow senders, slow readers, swaps, and everybody's sudden end."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import sql
from tests.integration.batches import Wire, body_of
from tests.integration.lifecycle import (
    activate,
    estimate,
    good,
    main_only,
    publish,
    roll_back,
    row,
    rows_of,
    stage,
    verify_evidence,
)
from tests.integration.program import until
from tests.services import Server, board, running_server

MB = 1 << 20


def keyed(number: int, **changes: Any) -> dict[str, Any]:
    return {"idempotencyKey": f"k-{number}", **board(**changes)}


def stored(server: Server) -> dict[str, str]:
    """Return the ids by key; checks that whatever is there is there with all that belongs to it."""
    ((estimates, proved, audited),) = rows_of(
        server.home,
        "SELECT (SELECT count(*) FROM Estimate),"
        " (SELECT count(*) FROM evidence e JOIN Estimate t ON t.id = e.estimate_id),"
        " (SELECT count(DISTINCT subject) FROM audit_entry WHERE action = 'estimate.create')",
    )
    assert estimates == proved == audited
    return dict(rows_of(server.home, "SELECT key, estimate_id FROM idempotency_record"))


def workers_of(server: Server) -> list[int]:
    path = Path(f"/proc/{server.process.pid}/task")
    found = [pid for task in path.iterdir() for pid in (task / "children").read_text().split()]
    return [int(pid) for pid in found]


def memory_mb(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def log_of(server: Server) -> str:
    return (server.home / "logs" / "kis-backend.log").read_text(encoding="utf-8")


def test_a_slow_sender_gets_each_answer_before_it_sends_more(server: Server) -> None:
    with Wire(server) as wire:
        for number in range(5):
            wire.send(keyed(number))
            (answer,) = wire.read(1)
            assert (answer["line"], answer["status"]) == (number + 1, 201)
            assert len(stored(server)) == number + 1
        raw = body_of([keyed(5)])
        wire.send_raw(raw[:100])
        wire.send_raw(raw[100:])
        assert wire.read(1)[0]["line"] == 6
        wire.send_raw(raw.removesuffix(b"\n"))
        wire.end()
        (last,) = wire.rest()
        assert (last["line"], last["replayed"]) == (7, True)


def test_a_slow_reader_stops_the_reading_of_its_lines(server: Server) -> None:
    with Wire(server, buffer_bytes=4096) as wire:
        wire.send(board())
        wire.read(1)
        before = memory_mb(server)
        sent = wire.fill(body_of([board()] * 100), most=60 * MB)
        assert sent < 20 * MB
        assert memory_mb(server) - before < 40
        held = len(rows_of(server.home, "SELECT id FROM Estimate"))
        assert held < 20_000
        # Others are served meanwhile.
        good(estimate(server, board()), 201)
        assert all(answer["status"] == 201 for answer in wire.read(1_000))


def test_a_slow_database_stops_the_reading_too(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(board())
        wire.read(1)
        with sql.held_writes(server.home) as held:
            # Nothing is written here: the service waits for the lock, as for a slow disk.
            sent = wire.fill(body_of([board()] * 100), most=60 * MB)
            held.execute("ROLLBACK")
        assert sent < 20 * MB
        assert all(answer["status"] == 201 for answer in wire.read(500))


def test_a_swap_in_the_midst_of_a_batch(server: Server) -> None:
    publish(server, "v-a", row("T-100", width=90))
    stage(server, "v-b", row("T-100", width=95))
    swaps: list[Callable[[], Any]] = [
        lambda: activate(server, "v-b", runRegression=False),
        lambda: roll_back(server, "v-a"),
    ]
    part = body_of([main_only("T-100")] * 500)
    answers: list[Any] = []
    with Wire(server) as wire:
        for swap in swaps * 3:
            # Whatever is sent after a swap is of its version; what came before it may be either's.
            wire.send_raw(part)
            answers += wire.read(400)
            good(swap())
        wire.send_raw(part)
        wire.send_raw(part)
        wire.end()
        answers += wire.rest()
    assert [answer["line"] for answer in answers] == list(range(1, 4_001))
    estimates = [answer["estimate"] for answer in answers]
    assert {e["knowledgeVersion"] for e in estimates} == {"v-a", "v-b"}
    for each in estimates:
        width = {"v-a": 90, "v-b": 95}[each["knowledgeVersion"]]
        assert each["layout"]["placements"][0]["w"] == width
    assert_stored_between_the_swaps(server)
    for each in estimates[::400]:
        assert verify_evidence(server, each["id"])["valid"]


def assert_stored_between_the_swaps(server: Server) -> None:
    """Audit entries are numbered in the order of commits: each estimate is of the active one."""
    versions = dict(rows_of(server.home, "SELECT id, knowledge_version FROM Estimate"))
    active, checked = "", 0
    entries = rows_of(server.home, "SELECT action, subject FROM audit_entry ORDER BY id")
    for action, subject in entries:
        if action in ("knowledge.activate", "knowledge.rollback"):
            active = subject
        elif action == "estimate.create":
            assert versions[subject] == active
            checked += 1
    assert checked == 4_000


def test_killed_workers_lose_and_double_nothing(server: Server) -> None:
    lines = body_of(keyed(number) for number in range(3_000))
    answers: list[Any] = []
    with Wire(server) as wire:
        sender = threading.Thread(target=send_all, args=(wire, lines))
        sender.start()
        for _ in range(3):
            answers += wire.read(300)
            for pid in workers_of(server):
                os.kill(pid, signal.SIGKILL)
        answers += wire.rest()
        sender.join()
    assert [(a["line"], a["status"], a["replayed"]) for a in answers] == [
        (number, 201, False) for number in range(1, 3_001)
    ]
    assert stored(server) == {a["idempotencyKey"]: a["estimate"]["id"] for a in answers}
    assert len(rows_of(server.home, "SELECT id FROM Estimate")) == 3_000


def test_a_power_cut_in_the_midst_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    lines = [keyed(number) for number in range(3_000)]
    with running_server(home, RATE_LIMIT_PER_MINUTE="0") as server, Wire(server) as wire:
        sending = threading.Thread(target=send_until_cut, args=(wire, body_of(lines)))
        sending.start()
        answered = wire.read(500)
        workers = workers_of(server)
        server.kill()
        answered += wire.rest()
        sending.join()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert 500 <= len(answered) < 3_000
    with running_server(home, RATE_LIMIT_PER_MINUTE="0") as server:
        before = stored(server)
        for answer in answered:
            assert before[answer["idempotencyKey"]] == answer["estimate"]["id"]
        with Wire(server) as wire:
            sending = threading.Thread(target=send_until_cut, args=(wire, body_of(lines)))
            sending.start()
            again = wire.read(3_000)
            sending.join()
        assert sum(answer["replayed"] for answer in again) == len(before)
        for answer in again:
            assert answer["replayed"] is (answer["idempotencyKey"] in before)
        assert len(stored(server)) == len(rows_of(home, "SELECT id FROM Estimate")) == 3_000


def send_all(wire: Wire, raw: bytes) -> None:
    wire.send_raw(raw)
    wire.end()


def send_until_cut(wire: Wire, raw: bytes) -> None:
    try:
        wire.send_raw(raw)
    except OSError:
        return


def test_a_client_that_hangs_up_keeps_what_it_was_answered(server: Server) -> None:
    with Wire(server) as wire:
        sending = threading.Thread(
            target=send_until_cut, args=(wire, body_of(keyed(n) for n in range(3_000)))
        )
        sending.start()
        answered = wire.read(300)
        wire.hang_up()
        sending.join()
    good(estimate(server, board()), 201)
    found = stored(server)
    for answer in answered:
        assert found[answer["idempotencyKey"]] == answer["estimate"]["id"]
    until(lambda: '"POST /v1/estimate/batch"' in log_of(server))
    assert len(stored(server)) < 3_000
    assert " ERROR " not in log_of(server)


def test_the_end_of_the_service_ends_its_workers(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(board())
        wire.read(1)
        workers = workers_of(server)
        assert workers
        wire.end()
        wire.rest()
    assert server.stop() == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert " ERROR " not in log_of(server)
