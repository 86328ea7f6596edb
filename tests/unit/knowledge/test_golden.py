"""The golden set as the owner keeps it: pinned, tried, accepted anew, removed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode
from kis.units import Size
from tests.unit.knowledge.running import SIZE, Running, running

BOARD = {"brand": "LS", "label": "가"}


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Running]:
    with running(database, tmp_path / "knowledge-staging") as services:
        yield services


def pin(services: Running, name: str, expected: Size | None = None) -> None:
    services.run(services.golden.pin(name, BOARD, expected, "", "admin-x"))


def code_of(caught: pytest.ExceptionInfo[DomainError]) -> ErrorCode:
    return caught.value.main.code


def sizes(services: Running) -> dict[str, Size]:
    (cases,) = services.run(services.golden.list_cases())
    return {case.name: case.as_case().expected for case in cases}


def audited(services: Running, name: str) -> list[tuple[str, str]]:
    entries = services.database.read_now(lambda c: audit_store.load_entries(c, name))
    return [(entry.action, entry.reason) for entry in entries]


def test_board_is_pinned_once_at_its_present_size(services: Running) -> None:
    pin(services, "판")
    assert sizes(services)["판"] == SIZE
    with pytest.raises(DomainError) as caught:
        pin(services, "판")
    assert code_of(caught) is ErrorCode.GOLDEN_CASE_EXISTS
    with pytest.raises(DomainError) as caught:
        pin(services, "판 2", Size(1, 2, 3))
    assert code_of(caught) is ErrorCode.GOLDEN_SIZE_MISMATCH
    assert audited(services, "판") == [("golden.add", "")]


def test_change_is_accepted_for_a_reason(services: Running) -> None:
    pin(services, "판")
    services.size = Size(600, 700, 200)
    regression = services.run(services.golden.rerun(services.knowledge.current.snapshot))[0]
    assert "판" in regression.failed_golden
    with pytest.raises(DomainError) as caught:
        services.run(services.golden.accept("판", " ", "admin-x"))
    assert code_of(caught) is ErrorCode.REQ_MORE_INFO
    services.run(services.golden.accept("판", "새 카탈로그", "admin-x"))
    assert sizes(services)["판"] == services.size
    regression = services.run(services.golden.rerun(services.knowledge.current.snapshot))[0]
    assert "판" not in regression.failed_golden
    assert audited(services, "판")[-1] == ("golden.accept", "새 카탈로그")


def test_case_is_removed_once(services: Running) -> None:
    pin(services, "판")
    services.run(services.golden.delete("판", "admin-x"))
    for gone in (
        services.golden.delete("판", "admin-x"), services.golden.accept("판", "까닭", "admin-x"),
    ):  # fmt: skip
        with pytest.raises(DomainError) as caught:
            services.run(gone)
        assert code_of(caught) is ErrorCode.NOT_FOUND
    assert [action for action, _ in audited(services, "판")] == ["golden.add", "golden.delete"]
