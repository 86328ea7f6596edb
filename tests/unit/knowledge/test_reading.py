"""Versions read in pages, whichever is active."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode
from kis.knowledge.first import FIRST_LABEL
from kis.knowledge.model import Breaker
from kis.knowledge.reading import Reader
from tests.unit.knowledge.rows import breaker
from tests.unit.knowledge.running import Running, running


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Running]:
    with running(database, tmp_path / "knowledge-staging") as services:
        services.stage("v-a", *(breaker(f"T-{n:02}") for n in range(30)), mode="replace")
        services.validate("v-a")
        yield services


@pytest.fixture
def reader(services: Running) -> Reader:
    return Reader(database=services.database, knowledge=services.knowledge)


def models(
    services: Running, reader: Reader, label: str, text: str, first: int, count: int
) -> tuple[int, list[str]]:
    (found,) = services.run(reader.find(label, "breakers", text, first, count))
    return found.total, [row.model for row in found.rows if isinstance(row, Breaker)]


def test_the_active_version_is_the_one_in_memory(services: Running, reader: Reader) -> None:
    (snapshot,) = services.run(reader.open(FIRST_LABEL))
    assert snapshot is services.knowledge.current.snapshot


def test_another_version_is_loaded_once(services: Running, reader: Reader) -> None:
    first, again = (services.run(reader.open("v-a"))[0] for _ in range(2))
    assert first is again
    assert len(first.tables.breakers) == 30


def test_rows_come_in_pages(services: Running, reader: Reader) -> None:
    assert models(services, reader, "v-a", "", 28, 10) == (30, ["T-28", "T-29"])
    assert models(services, reader, "v-a", "t-1", 8, 2) == (10, ["T-18", "T-19"])
    assert models(services, reader, "v-a", "t-1", 0, 1) == (10, ["T-10"])
    assert models(services, reader, "v-a", "none", 0, 10) == (0, [])


def test_what_is_not_fixed_yet_cannot_be_read(services: Running, reader: Reader) -> None:
    services.stage("v-b", breaker("T-1"))
    for label, code in (
        ("v-b", ErrorCode.VERSION_NOT_VALIDATED), ("v-none", ErrorCode.VERSION_NOT_FOUND),
    ):  # fmt: skip
        with pytest.raises(DomainError) as caught:
            services.run(reader.open(label))
        assert caught.value.main.code is code
