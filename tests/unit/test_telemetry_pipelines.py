"""The log, read with the very pipelines of the runbook."""

import logging
import os
import re
import string
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.errors import ErrorCode
from kis.telemetry import (
    LogFile,
    Refused,
    letters_of,
    log_access,
    log_lookup,
    log_lookups,
    log_refusals,
    new_request_id,
)

CODES = r"NEED_KNOWLEDGE_UPDATE|BRAND_CONFLICT"
RESERVED = re.compile(rf"(?i:error)|40[13]|429|POST|GET|cache_hit|{CODES}")
WORDS = ("401", "eRRor", "POST", "GET", "cache_hit", "NEED_KNOWLEDGE_UPDATE", "BRAND_CONFLICT")
CROWDED = st.text("401329ERORerrorPOSTGETcache_hit@%?é \n") | st.lists(
    st.sampled_from([*WORDS, " ", "%", "é"])
).map("".join)
CREATE = "/v1/estimate/create"


def access(
    path: str = CREATE,
    status: int = 201,
    *,
    client: str = "127.0.0.1",
    method: str = "POST",
    ms: float = 4.21,
    key_id: str = "bcdf",
) -> None:
    log_access(client, method, path, status, ms, key_id, new_request_id())


def log_a_busy_day() -> None:
    """Write 6 creates, 3 other POST and GET, 4 refused, 5 lookups and 2 faults.

    Everything a client can choose tries to be counted as something else.
    """
    for hit in (True, True, False, True, True):
        access(ms=429.4)
        log_lookup(hit, new_request_id())
    access(status=429, client="10.0.0.7", ms=401.0)
    access("/v1/estimate", 401, method="GET", key_id="")
    access("/v1/knowledge/versions", 403, method="GET")
    access("/v1/knowledge/tables/import", 429)
    access("/v1/estimate/0199403-4290-401e", 200, method="GET", client="2001:db8:403::429")
    access('/error"\n1 cache_hit\n127.0.0.1 x "POST /v1/estimate/create" 401', 404, method="GET")
    access("/GET/POST/ERROR/cache_hit/@1", 404, method="ERROR")
    access("/NEED_KNOWLEDGE_UPDATE/BRAND_CONFLICT", 404, method="PUT")
    access("/" + "é01" * 40, 404, method="POST", client='evil" 403 ERROR GET')
    abstention = Refused(ErrorCode.NEED_KNOWLEDGE_UPDATE, "$.main", "brand BRAND_CONFLICT 429 GET")
    log_refusals([abstention] * 3, new_request_id())
    conflict = Refused(ErrorCode.BRAND_CONFLICT, "$.branches[429].NEED_KNOWLEDGE_UPDATE error")
    log_refusals([conflict], new_request_id())
    logging.getLogger("somewhere").warning("parse error at 403\nPOST ERROR 1 cache_hit")
    for _ in range(2):
        try:
            raise ValueError('ERROR 429 cache_hit\n9.9.9.9 x "POST /v1/estimate/create" 500')
        except ValueError:
            logging.getLogger("kis").exception("GET 401 failed with an ERROR")


def run(pipeline: str, log: Path) -> str:
    script = pipeline.replace("/production/logs/kis-backend.log", str(log))
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, timeout=10
    )
    assert not done.stderr
    return done.stdout.strip()


LAST_CREATES = """
tail -1000 /production/logs/kis-backend.log | grep "POST /v1/estimate/create" | wc -l
"""
ERROR_COUNT = """
tail -10000 /production/logs/kis-backend.log | grep -c "ERROR"
"""
TOTAL_COUNT = r"""
tail -10000 /production/logs/kis-backend.log | grep -c "POST\|GET"
"""
CACHE_HIT_RATE = r"""
grep "cache_hit" /production/logs/kis-backend.log | tail -1000 | \
  awk '{hit+=$1; total++} END {print "Cache Hit Rate:", (hit/total)*100"%"}'
"""
CREATES_BY_CLIENT = r"""
grep "POST /v1/estimate/create" /production/logs/kis-backend.log | \
  awk '{print $1}' | sort | uniq -c | sort -nr | head -10
"""


@pytest.mark.parametrize(
    ("pipeline", "figures"),
    [
        (LAST_CREATES, "6"),
        (ERROR_COUNT, "2"),
        (TOTAL_COUNT, "12"),
        (CACHE_HIT_RATE, "Cache Hit Rate: 80%"),
        (CREATES_BY_CLIENT, "5 127.0.0.1 1 10.0.0.7"),
    ],
)
def test_pipeline_of_the_runbook_gives_the_right_figure(
    open_log: Callable[..., Path], pipeline: str, figures: str
) -> None:
    log = open_log()
    log_a_busy_day()
    assert run(pipeline, log).split() == figures.split()


def test_estimates_of_a_batch_count_one_by_one(open_log: Callable[..., Path]) -> None:
    log = open_log()
    log_lookups(3, 1, new_request_id())
    log_lookups(0, 0, new_request_id())
    assert run(CACHE_HIT_RATE, log) == "Cache Hit Rate: 75%"
    assert run("grep -c cache_hit /production/logs/kis-backend.log", log) == "4"


def test_abstentions_and_conflicts_are_found(open_log: Callable[..., Path]) -> None:
    log = open_log()
    log_a_busy_day()
    pattern = r'"NEED_KNOWLEDGE_UPDATE\|BRAND_CONFLICT"'
    found = run(f"grep -A 5 -B 5 {pattern} /production/logs/kis-backend.log | tail -20", log)
    assert re.findall(r" WARNING ([A-Z]+_[A-Z_]+) ", found) == [
        "NEED_KNOWLEDGE_UPDATE",
        "BRAND_CONFLICT",
    ]


def test_codes_are_counted_once_a_request(open_log: Callable[..., Path]) -> None:
    log = open_log()
    log_a_busy_day()
    for code in CODES.split("|"):
        assert run(f"grep -c {code} /production/logs/kis-backend.log", log) == "1"


def test_suspicious_calls_are_the_refused_ones_alone(open_log: Callable[..., Path]) -> None:
    log = open_log()
    log_a_busy_day()
    found = run(r'grep -i "401\|403\|429" /production/logs/kis-backend.log | tail -20', log)
    assert re.findall(r'" (\d+) ', found) == ["429", "401", "403", "429"]
    assert len(found.splitlines()) == 4


def test_errors_are_our_own_faults_alone(open_log: Callable[..., Path]) -> None:
    log = open_log()
    log_a_busy_day()
    found = run("tail -100 /production/logs/kis-backend.log | grep -i error", log).splitlines()
    assert [line.split(" ")[1] for line in found if line[0] != "\t"] == ["ERROR", "ERROR"]
    assert any(line.startswith("\tValueError") for line in found)


def test_what_a_client_sends_is_one_word_that_counts_as_nothing(
    open_log: Callable[..., Path],
) -> None:
    log = open_log()

    @given(st.sampled_from(["/", "/%E4", "/é", "$.branches[4"]), st.text() | CROWDED)
    def check(before: str, text: str) -> None:
        sent = (before + text)[:200]
        os.truncate(log, 0)
        log_access(sent, "GET", sent, 200, 1.0, "", "bcd")
        log_refusals([Refused("CODE", sent, sent)], "bcd")
        access_line, refusal, nothing = log.read_text(encoding="utf-8").split("\n")
        client, _, _, path, *_ = access_line.split(" ")
        _, _, _, refused_at, missing, *_ = refusal.split(" ")
        assert (access_line.count(" "), refusal.count(" "), nothing) == (7, 5, "")
        assert not RESERVED.search(f"{client} {path} {refused_at} {missing}")
        assert unquote(missing.replace("+", " ")) == "missing=" + sent.replace("+", " ")
        assert unquote(path) == sent.partition("?")[0] + '"'
        assert unquote(client) == unquote(refused_at) == sent

    check()


def test_lone_surrogates_count_as_nothing(open_log: Callable[..., Path]) -> None:
    log = open_log()
    log_refusals([Refused(ErrorCode.INVALID_REQUEST, "$.\ud8401", "\ud8401")], "bcd")
    # To our handler alone: the test runner cannot carry such text in its report.
    (handler,) = (each for each in logging.getLogger().handlers if isinstance(each, LogFile))
    handler.handle(logging.makeLogRecord({"msg": "\ud8401", "levelname": "WARNING"}))
    assert not RESERVED.search(log.read_text(encoding="utf-8"))


def test_request_ids_are_letters_that_spell_nothing() -> None:
    ids = {new_request_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(request_id) for request_id in ids} == {20}
    letters = set("".join(ids))
    assert letters <= set(string.ascii_lowercase)
    assert not letters & set("aeiou")


def test_letters_of_is_one_to_one() -> None:
    assert len({letters_of(bytes([byte])) for byte in range(256)}) == 256


def test_no_error_code_is_counted_by_a_pipeline() -> None:
    found = [code for code in ErrorCode if RESERVED.search(code)]
    assert found == CODES.split("|")[::-1]
