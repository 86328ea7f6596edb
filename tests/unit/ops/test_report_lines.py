"""What `kis.telemetry` writes is what a report reads, in both forms."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.ops.report_lines import Access, Lookup, Message, Refusal, read_line
from kis.telemetry import Refused, log_access, log_lookup, log_refusals

CREATE = "/v1/estimate/create"


@pytest.mark.parametrize("form", ["text", "json"])
def test_reads_what_is_written(open_log: Callable[..., Path], form: str) -> None:
    log = open_log(LOG_FORMAT=form)
    log_access("10.0.0.7", "POST", CREATE, 201, 4.2, "api-bcd", "fgh", hit=True)
    log_access("10.0.0.8", "GET", "/v1/estimate", 401, 120, "", "fgh")
    log_lookup(False, "fgh")
    missing = "breakerModel LS METASOL-999 4P"
    log_refusals([Refused("NEED_KNOWLEDGE_UPDATE", "$.main.model", missing)], "fgh")
    log_refusals([Refused("BRAND_CONFLICT", "$.branches[0].model")], "fgh")
    logging.getLogger("kis.db").warning("slow query %sms %s", 120, "SELECT 1")
    try:
        raise ValueError("told in the traceback")
    except ValueError:
        logging.getLogger("kis.api").exception("a request failed, request=fgh")
    lines = log.read_bytes().split(b"\n")
    facts = [fact for fact in map(read_line, lines) if fact is not None]
    at = facts[0].at
    assert len(at) == len("2026-11-22T10:15:00Z")
    assert [fact._replace(at="") for fact in facts] == [
        Lookup("", True),
        Access("", "10.0.0.7", "POST", CREATE, 201, 4.2, "api-bcd"),
        Access("", "10.0.0.8", "GET", "/v1/estimate", 401, 120.0, ""),
        Lookup("", False),
        Refusal("", "NEED_KNOWLEDGE_UPDATE", missing),
        Refusal("", "BRAND_CONFLICT", ""),
        Message("", "WARNING", "slow query 120ms SELECT 1"),
        Message("", "ERROR", "a request failed, request=fgh"),
    ]


@given(st.binary() | st.text().map(str.encode))
def test_whatever_else_stands_there_is_no_fact_or_one(line: bytes) -> None:
    read_line(line)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b'{"at": 5}',
        b'{"at":"2026-11-22T10:15:00Z","level":"INFO","event":"other"}',
        b"KIS http://127.0.0.1:3000",
        b'10.0.0.7 2026-11-22T10:15:00Z "POST /v1" two 4.2ms key=bcd request=fgh',
        b'10.0.0.7 2026-11-22T10:15:00Z "POST /v1" 201 4.2 key=bcd request=fgh',
    ],
)
def test_what_is_no_line_of_ours(line: bytes) -> None:
    assert read_line(line) is None
