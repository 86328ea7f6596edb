"""Uploads laid on documents and tried out, in this process or in another."""

import asyncio
from typing import Any

import msgspec
import pytest

from kis.errors import DomainError, ErrorCode
from kis.estimate.rerun import resize
from kis.knowledge import preparing
from kis.knowledge.content import encode_tables
from kis.knowledge.first import shipped_tables
from kis.knowledge.preparing import Kept
from kis.knowledge.progress import Tell
from kis.knowledge.regression import Case, rerun_cases
from kis.knowledge.snapshot import Snapshot
from kis.ops.apart import run_apart
from kis.units import Size
from tests.unit.knowledge.rows import breaker, write_csv

BASE = encode_tables(shipped_tables())
NEW = write_csv([breaker("NEW")])


def kept(content: str = NEW) -> Kept:
    return Kept(msgspec.msgpack.encode(("csv", content.encode())), "add", [])


def no_replay(_latest: list[Any], snapshot: Snapshot, _tell: Tell) -> Any:
    return rerun_cases([], snapshot, resize)


def test_import_and_comparison_agree() -> None:
    read = preparing.read_and_compare(BASE, "csv", NEW, "add", [])
    assert read.total.added == 1
    assert preparing.compare_sources(BASE, BASE, kept()) == read


def test_fixed_content_needs_no_laying() -> None:
    tried = preparing.lay_and_try(BASE, kept(), 5, resize, "v-next")
    rows = (*shipped_tables().breakers, breaker("NEW"))
    fixed = encode_tables(msgspec.structs.replace(shipped_tables(), breakers=rows))
    again = preparing.lay_and_try(BASE, fixed, 5, resize, "v-next")
    assert again == tried
    assert tried.rows == len(shipped_tables().breakers) + 1


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DomainError) as refused:
        preparing.lay_and_try(BASE, kept("brand\nLS\n"), 5, resize, "v-next")
    assert refused.value.main.code is ErrorCode.KNOWLEDGE_INVALID


def test_another_process_comes_to_the_same() -> None:
    args = (BASE, kept(), 5, resize, "v-next")
    assert asyncio.run(run_apart(preparing.lay_and_try, *args)) == preparing.lay_and_try(*args)


def test_regression_counts_golden_cases_and_the_latest() -> None:
    case = Case("wrong", True, {}, Size(1, 2, 3))
    report = preparing.regress(BASE, "v", [case], [], resize, no_replay)
    assert (report.total, report.failed, report.failed_golden) == (1, 1, ("wrong",))
