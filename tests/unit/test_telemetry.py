"""The log: its lines, its file, and what else may write into it."""

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from kis.errors import ErrorCode
from kis.home import prepare_home
from kis.settings import SettingsError, load_settings
from kis.telemetry import (
    Refused,
    close_logging,
    configure_logging,
    log_access,
    log_lookup,
    log_lookups,
    log_refusals,
    shares_log,
    two_digits,
)

# Full of what the runbook greps for, as hex may well be.
API_KEY = "8429d403" * 8
SECRETS = {
    "API_KEY": API_KEY,
    "ADMIN_API_KEY": "m" * 32,
    "EVIDENCE_SECRET": "v" * 32,
    "KIS_MASTER_KEY": "w" * 32,
}


def test_lines_have_the_documented_form(open_log: Callable[..., Path]) -> None:
    log = open_log()
    log_access("127.0.0.1", "POST", "/v1/estimate/create", 201, 4.213, "bcd", "fgh")
    log_access("", "GET", "/health", 200, 0.0312, "", "fgh")
    log_lookup(hit=True, request_id="fgh")
    log_refusals([Refused(ErrorCode.NEED_KNOWLEDGE_UPDATE, "$.main")], "fgh")
    log_refusals([Refused(ErrorCode.MALFORMED_JSON, "")], "fgh")
    missing = ("brand ABB", 'brand "A B"')
    log_refusals(
        [
            Refused(ErrorCode.REQ_MORE_INFO, "$.branches"),
            *(Refused(ErrorCode.NEED_KNOWLEDGE_UPDATE, "$.main", each) for each in missing),
            Refused(ErrorCode.REQ_MORE_INFO, "$.main"),
        ],
        "fgh",
    )
    logging.getLogger("kis").error("could not 저장 request=fgh")
    lines = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", log.read_text(encoding="utf-8"))
    assert lines.splitlines() == [
        '127.0.0.1 TIME "POST /v1/estimate/create" 201 4.2ms key=bcd request=fgh',
        '- TIME "GET /health" 200 0.031ms key=- request=fgh',
        "1 cache_hit TIME request=fgh",
        "TIME WARNING NEED_KNOWLEDGE_UPDATE $.main request=fgh",
        "TIME WARNING MALFORMED_JSON - request=fgh",
        "TIME WARNING REQ_MORE_INFO $.branches request=fgh",
        "TIME WARNING NEED_KNOWLEDGE_UPDATE $.main missing=brand+ABB,brand+%22A+B%22 request=fgh",
        "TIME ERROR could not 저장 request=fgh",
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_lookups_of_a_batch_are_lines_like_single_ones(
    open_log: Callable[..., Path], form: str
) -> None:
    log = open_log(LOG_FORMAT=form)
    for hit in (True, True, False):
        log_lookup(hit=hit, request_id="fgh")
    log_lookups(2, 1, "fgh")
    lines = re.sub(r"\d\d:\d\d:\d\dZ", "", log.read_text(encoding="utf-8")).splitlines()
    assert len(lines) == 6
    assert lines[3:] == lines[:3]


def test_query_string_secrets_and_excess_are_not_written(open_log: Callable[..., Path]) -> None:
    log = open_log(API_KEY=API_KEY)
    log_access("::1", "POST", "/v1/estimate?customer=kim", 200, 1.0, "bcd", "fgh")
    log_access("::1", "POST", f"/v1/estimate/{API_KEY}", 200, 1.0, "bcd", "fgh")
    log_access("::1", "POST", "/" + "x" * 5000 + API_KEY, 200, 1.0, "bcd", "fgh")
    log_refusals([Refused(ErrorCode.INVALID_REQUEST, f"$.{API_KEY}", API_KEY)], "fgh")
    logging.getLogger("kis").error("key %s", API_KEY)
    written = log.read_text(encoding="utf-8")
    assert "kim" not in written
    assert unquote(written).count("***") == 4
    assert API_KEY[:16] not in unquote(written)
    assert max(map(len, written.splitlines())) < 400


def test_json_has_one_object_a_line(open_log: Callable[..., Path]) -> None:
    log = open_log(LOG_FORMAT="json", API_KEY=API_KEY)
    log_access("127.0.0.1", "POST", '/a"\n?b=c', 429, 429.4321, "bcd", "fgh")
    log_lookup(hit=False, request_id="fgh")
    log_refusals([Refused(ErrorCode.BRAND_CONFLICT, "$.\ud840", "a b")], "fgh")
    try:
        raise ValueError(API_KEY)
    except ValueError:
        logging.getLogger("kis").exception("could not store")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert all(re.fullmatch(r"[-\d]{10}T[:\d]{8}Z", line.pop("at")) for line in lines)
    fault = lines.pop()
    assert lines == [
        {
            "level": "INFO",
            "event": "access",
            "client": "127.0.0.1",
            "method": "POST",
            "path": '/a"\n',
            "status": 429,
            "milliseconds": 429.432,
            "keyId": "bcd",
            "requestId": "fgh",
        },
        {"level": "INFO", "event": "cache_hit", "hit": False, "requestId": "fgh"},
        {
            "level": "WARNING",
            "event": "refusal",
            "code": "BRAND_CONFLICT",
            "path": "$.\ud840",
            "missing": "a b",
            "requestId": "fgh",
        },
    ]
    assert (fault["level"], fault["logger"], fault["message"]) == (
        "ERROR",
        "kis",
        "could not store",
    )
    assert fault["traceback"].endswith("ValueError: ***")


def test_lines_of_one_turn_are_written_at_its_end(open_log: Callable[..., Path]) -> None:
    log = open_log()

    async def turn() -> list[str]:
        log_lookup(hit=True, request_id="bcd")
        log_lookup(hit=True, request_id="fgh")
        at_once = log.read_text()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        log_lookup(hit=True, request_id="jkm")
        logging.getLogger("kis").error("what goes wrong is written at once")
        return [at_once, log.read_text()]

    at_once, later = asyncio.run(turn())
    assert at_once == ""
    assert [line.rpartition(" ")[2] for line in later.splitlines()] == [
        "request=bcd", "request=fgh", "request=jkm", "once",
    ]  # fmt: skip


def test_a_line_of_a_loop_that_ends_is_not_lost(open_log: Callable[..., Path]) -> None:
    log = open_log()

    async def last_word(request_id: str) -> None:
        log_lookup(hit=True, request_id=request_id)

    for request_id in ("bcd", "fgh", "jkm"):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(last_word(request_id))
        loop.close()
    close_logging()
    assert re.findall("request=(.*)", log.read_text()) == ["bcd", "fgh", "jkm"]


@pytest.mark.parametrize("move", ["rename", "remove", "truncate"])
def test_log_survives_rotation(open_log: Callable[..., Path], move: str) -> None:
    log = open_log()
    log_access("::1", "POST", "/", 200, 1.0, "bcd", "fgh")
    if move == "rename":
        log.rename(log.with_suffix(".log.1"))
    elif move == "remove":
        log.unlink()
    else:
        os.truncate(log, 0)
    log_access("::1", "POST", "/", 200, 1.0, "bcd", "fgh")
    logging.getLogger("kis").error("after")
    assert len(log.read_text(encoding="utf-8").splitlines()) == 2


def test_log_outlives_its_folder(
    open_log: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    log = open_log()
    log.parent.rename(log.parent.with_name("moved"))
    log_access("::1", "POST", "/", 200, 1.0, "bcd", "fgh")
    assert "FileNotFoundError" in capsys.readouterr().err
    log.parent.mkdir()
    log_access("::1", "POST", "/", 200, 1.0, "bcd", "fgh")
    assert len(log.read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    ("level", "events"),
    [("DEBUG", 4), ("INFO", 3), ("WARNING", 1), ("ERROR", 0)],
)
def test_level_is_the_least_that_is_logged(
    open_log: Callable[..., Path], level: str, events: int
) -> None:
    log = open_log(LOG_LEVEL=level)
    log_access("::1", "POST", "/", 200, 1.0, "bcd", "fgh")
    log_lookup(hit=True, request_id="bcd")
    log_refusals([Refused(ErrorCode.BRAND_CONFLICT, "$")], "bcd")
    logging.getLogger("kis").debug("detail")
    assert len(log.read_text(encoding="utf-8").splitlines()) == events


@pytest.mark.parametrize("form", ["text", "json"])
def test_access_with_a_hit_is_the_lines_of_both(open_log: Callable[..., Path], form: str) -> None:
    log = open_log(LOG_FORMAT=form)
    log_lookup(hit=True, request_id="fgh")
    log_access("::1", "POST", "/", 201, 1.0, "bcd", "fgh")
    log_access("::1", "POST", "/", 201, 1.0, "bcd", "fgh", hit=True)
    text = log.read_text(encoding="utf-8")
    lines = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text).splitlines()
    assert lines[:2] == lines[2:]


def test_nothing_is_written_while_no_log_is_open(tmp_path: Path) -> None:
    close_logging()
    log_access("::1", "POST", "/", 200, 1.0, "bcd", "fgh")
    log_lookup(hit=True, request_id="bcd")
    log_refusals([Refused(ErrorCode.BRAND_CONFLICT, "$")], "bcd")
    assert not list(tmp_path.iterdir())


def test_log_that_cannot_be_opened_is_a_clear_message(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot write the log"):
        configure_logging(load_settings({"KIS_HOME": str(tmp_path / "nowhere"), **SECRETS}))


UVICORN = """
import asyncio, sys, uvicorn
from kis.settings import load_settings
from kis.telemetry import configure_logging

async def fail(scope, receive, send):
    raise RuntimeError("broken")

async def main():
    configure_logging(load_settings({"KIS_HOME": sys.argv[1], "API_KEY": "a" * 16,
        "ADMIN_API_KEY": "b" * 16, "EVIDENCE_SECRET": "c" * 32,
    "KIS_MASTER_KEY": "d" * 32}))
    server = uvicorn.Server(uvicorn.Config(fail, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
    await reader.read()
    writer.close()
    server.should_exit = True
    await serving

asyncio.run(main())
"""


def test_uvicorn_adds_faults_and_nothing_else(tmp_path: Path) -> None:
    prepare_home(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", UVICORN, tmp_path], capture_output=True, check=True, timeout=20
    )
    assert not done.stdout + done.stderr
    written = (tmp_path / "logs" / "kis-backend.log").read_text(encoding="utf-8").splitlines()
    assert [line for line in written if line[0] != "\t"] == [written[0]]
    assert written[0].endswith("ERROR Exception in ASGI application")
    assert written[-1] == "\tRuntimeError: broken"


REDIRECTED = """
import sys
from kis.settings import load_settings
from kis.telemetry import configure_logging, log_lookup, shares_log

configure_logging(load_settings({"KIS_HOME": sys.argv[1], "API_KEY": "a" * 16,
    "ADMIN_API_KEY": "b" * 16, "EVIDENCE_SECRET": "c" * 32,
    "KIS_MASTER_KEY": "d" * 32}))
log_lookup(True, "bcd")
print("shared" if shares_log(1) else "apart", flush=True)
"""


def test_output_redirected_into_the_log_as_in_the_runbook(tmp_path: Path) -> None:
    prepare_home(tmp_path)
    log = tmp_path / "logs" / "kis-backend.log"
    with log.open("wb") as shell:
        subprocess.run(
            [sys.executable, "-c", REDIRECTED, tmp_path],
            stdout=shell,
            stderr=shell,
            check=True,
            timeout=20,
        )
    lookup, printed = log.read_text(encoding="utf-8").splitlines()
    assert lookup.startswith("1 cache_hit ")
    assert printed == "shared"


def test_output_of_its_own_is_apart_from_the_log(open_log: Callable[..., Path]) -> None:
    open_log()
    with Path(os.devnull).open("wb") as elsewhere:
        assert not shares_log(elsewhere.fileno())


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0.0, "0"),
        (0.0314, "0.031"),
        (4.213, "4.2"),
        (9.96, "10"),
        (40.3, "40"),
        (401.0, "400"),
        (429.0, "430"),
        (4290.0, "4300"),
        (1_234_567.0, "1200000"),
    ],
)
def test_durations_have_two_significant_digits(ms: float, text: str) -> None:
    assert two_digits(ms) == text
