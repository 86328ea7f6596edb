"""kis-backend report, beside a server and without one, against the runbook's own pipelines."""

import gzip
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.integration.lifecycle import good, refused
from tests.integration.program import Program, is_clear
from tests.services import ADMIN_API_KEY, Client, Server, board, running_server

CREATE = "/v1/estimate/create"
TODAY = {"TZ": "UTC"}


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def ask_about(server: Server) -> None:
    """Create two, refuse one for a missing row, deny three."""
    for number in range(2):
        good(server.request("POST", CREATE, json=board(label=f"반 {number}")), 201)
    unknown = board(brand="LS", main={"model": "METASOL-999", "poles": "4P"}, branches=[])
    refused(server.request("POST", CREATE, json=unknown), 422, "NEED_KNOWLEDGE_UPDATE")
    server.request("GET", "/v1/estimate", key=None)
    server.request("GET", "/v1/estimate", key="wrong")
    server.request("GET", "/v1/knowledge/versions")


def test_report_tells_what_happened(server: Server) -> None:
    ask_about(server)
    server.environ |= TODAY
    done = server.command("report", "daily", "--date", today(), "--json")
    report = json.loads(done.stdout)
    counted = {line["name"]: line["count"] for line in report["statuses"]}
    assert (counted["201"], counted["422"], counted["401"], counted["403"]) == (2, 1, 2, 1)
    (client,) = report["denied"]
    assert (client["unauthenticated"], client["forbidden"], client["rateLimited"]) == (2, 1, 0)
    assert (client["client"], client["creates"]) == ("127.0.0.1", 3)
    assert (report["lookups"], report["hitRate"]) == (3, 0.666667)
    assert (report["abstentions"], report["errorRate"]) == (1, 0.0)
    assert [line["name"] for line in report["missing"]] == ["breakerModel LS METASOL-999 4P"]
    assert report["models"] == [{"name": "SBS-54", "count": 2}]
    assert not report["isComplete"]
    assert report["otherLines"] == 0


def test_report_in_words(server: Server) -> None:
    ask_about(server)
    server.environ |= TODAY
    tables = server.command("report", "daily", "--date", today())
    assert "일간 보고서 Daily report" in tables.stdout
    assert re.search(r"127\.0\.0\.1 +│ \d+ +│ 3 +│ 2 +│ 1 +│ 0", tables.stdout)
    markdown = server.command("report", "weekly", "--date", today(), "--markdown")
    assert re.search(r"\| 127\.0\.0\.1 \| \d+ \| 3 \| 2 \| 1 \| 0 \|\n", markdown.stdout)
    assert markdown.stdout.startswith("# KIS 주간 보고서 Weekly report")
    assert (tables.returncode, markdown.returncode) == (0, 0)


def test_same_figures_as_the_runbook_greps(server: Server) -> None:
    ask_about(server)
    log = server.home / "logs" / "kis-backend.log"
    program = Program(server.home)
    total = int(program.shell(rf'grep -c "POST\|GET" {log}').stdout)
    creates = int(program.shell(f'grep "POST {CREATE}" {log} | wc -l').stdout)
    server.environ |= TODAY
    report = json.loads(server.command("report", "daily", "--date", today(), "--json").stdout)
    assert report["requests"] == total
    assert sum(line["creates"] for line in report["clients"]) == creates == 3


def test_rotated_logs_are_read_without_a_server(tmp_path: Path) -> None:
    program = Program(tmp_path, **TODAY)
    logs = tmp_path / "logs"
    logs.mkdir()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    line = (
        f'10.0.0.7 {yesterday:%Y-%m-%dT10:15:00Z} "GET /health" 200 1.5ms key=- request=fgh\n'
    ).encode()
    (logs / "kis-backend.log.1").write_bytes(line * 3)
    (logs / "kis-backend.log.2.gz").write_bytes(gzip.compress(line * 4))
    (logs / "kis-backend.log.3.gz").write_bytes(b"broken")
    report = program.json("report", "daily")
    assert report["requests"] == 7
    assert {file["name"]: bool(file["trouble"]) for file in report["files"]} == {
        "kis-backend.log.1": False, "kis-backend.log.2.gz": False, "kis-backend.log.3.gz": True,
    }  # fmt: skip
    assert (report["isComplete"], report["models"]) == (True, [])
    shown = program.run("report", "daily").stdout
    assert "읽지 못한 로그" in shown


def test_json_form_of_the_log(tmp_path: Path) -> None:
    program = Program(tmp_path, LOG_FORMAT="json", **TODAY)
    (tmp_path / "board.json").write_text(json.dumps(board()))
    assert program.run("estimate", str(tmp_path / "board.json")).returncode == 0
    report = program.json("report", "daily", "--date", today())
    assert (report["requests"], report["hitRate"]) == (1, 1.0)


def test_what_clients_sent_acts_on_no_terminal(tmp_path: Path) -> None:
    """The JSON form of the log has any character; a report is read on terminals and as Markdown."""
    with running_server(tmp_path, LOG_FORMAT="json", **TODAY) as server:
        for path in ("%1b%5bH%1b%5bJall-is-well", "%0a%23%20forged", "%e2%80%ae%3cb%3e"):
            assert httpx.get(f"http://127.0.0.1:{server.port}/v1/{path}").status_code == 401
        program = Program(tmp_path, PORT=str(server.port), **TODAY)
        shown = program.run("report", "daily", "--date", today())
        written = program.run("report", "daily", "--date", today(), "--markdown")
    for done in (shown, written):
        assert done.returncode == 0, done.stderr
        assert all(line.isprintable() for line in done.stdout.splitlines())
        assert "all-is-well" in done.stdout
    headings = [line for line in written.stdout.splitlines() if line.startswith("# ")]
    assert len(headings) == 1
    assert "<b>" not in written.stdout


def test_database_that_cannot_be_read_spoils_no_report(tmp_path: Path) -> None:
    program = Program(tmp_path, **TODAY)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kis.db").write_bytes(b"no database " * 1_000)
    report = program.json("report", "daily", "--date", today())
    assert report["models"] is None
    assert report["modelsTrouble"]


def test_what_is_asked_for_wrongly(tmp_path: Path) -> None:
    program = Program(tmp_path)
    for arguments in (("--date", "yesterday"), ("--date", "0001-01-01"), ("--json", "--markdown")):
        done = program.run("report", "daily", *arguments)
        assert done.returncode == 2
        assert is_clear(done)


def test_models_are_counted_in_their_time(client: Client) -> None:
    for _ in range(2):
        good(client.post(CREATE, board()), 201)
    good(client.post(CREATE, board(main={"model": "SBS-53", "poles": "3P"})), 201)
    path = "/v1/report/models"
    counted = good(client.request("GET", path, key=ADMIN_API_KEY))
    assert counted == [{"mainModel": "SBS-54", "count": 2}, {"mainModel": "SBS-53", "count": 1}]
    past = {"until": "2020-01-01"}
    assert good(client.request("GET", path, key=ADMIN_API_KEY, params=past)) == []
    first = {"limit": "1"}
    assert len(good(client.request("GET", path, key=ADMIN_API_KEY, params=first))) == 1
    refused(client.get(path), 403, "FORBIDDEN")


def test_old_rotated_logs_are_cleaned(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.run("keys")
    logs = tmp_path / "logs"
    for name in ("kis-backend.log", "kis-backend.log.1", "kis-backend.log.2.gz", "other.log.1"):
        (logs / name).write_bytes(b"x" * 2_097_152)
        os.utime(logs / name, (1, 1))
    os.utime(logs / "kis-backend.log.1")
    assert program.json("logs", "clean", "--dry-run") == {
        "dryRun": True, "files": [{"name": "kis-backend.log.2.gz", "bytes": 2_097_152}],
    }  # fmt: skip
    assert "Deleted: 1 (2.0 MiB)" in program.run("logs", "clean").stdout
    kept = {path.name for path in logs.iterdir()}
    assert kept == {"kis-backend.log", "kis-backend.log.1", "other.log.1"}
    wrong = program.run("logs", "clean", "--older-than", "old")
    assert wrong.returncode == 2
    assert is_clear(wrong)
