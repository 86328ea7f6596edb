"""Lists, differences, deletions, the golden set: what the rim asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode
from kis.knowledge.first import FIRST_LABEL
from tests.unit.knowledge.rows import breaker
from tests.unit.knowledge.running import Running, running
from tests.unit.knowledge.test_golden_store import case


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Running]:
    with running(database, tmp_path / "knowledge-staging") as services:
        yield services


def changes(services: Running, label: str, against: str | None) -> tuple[str, list[str]]:
    ((other, difference),) = services.run(services.service.compare(label, against))
    return other, [f"{row.change} {row.row['model']}" for row in difference.breakers.rows]


def actions(services: Running, subject: str) -> list[str]:
    entries = services.database.read_now(lambda c: audit_store.load_entries(c, subject))
    return [entry.action for entry in entries]


def test_staged_version_is_compared_as_it_would_be_validated(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    assert changes(services, "v-a", None) == (FIRST_LABEL, ["added T-1"])
    services.validate("v-a")
    assert changes(services, "v-a", None) == (FIRST_LABEL, ["added T-1"])


def test_version_that_is_staged_again_is_compared_as_it_would_be_validated(
    services: Running,
) -> None:
    services.stage("v-b", breaker("T-2"))
    services.stage("v-a", breaker("T-1"))
    services.validate("v-b")
    services.validate("v-a")
    services.activate("v-a")
    services.refuses = lambda _, __: True
    assert not services.validate("v-b")
    assert changes(services, "v-b", None) == ("v-a", ["added T-2"])


def test_any_two_versions_are_compared(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    services.stage("v-b", breaker("T-2"))
    assert changes(services, "v-a", "v-b") == ("v-b", ["removed T-2", "added T-1"])
    assert changes(services, "v-a", "v-a") == ("v-a", [])


@pytest.mark.parametrize(
    ("label", "against", "path"),
    [("v-none", None, "$.path.label"), (FIRST_LABEL, "v-none", "$.query.against")],
)
def test_unknown_versions_are_not_compared(
    services: Running, label: str, against: str | None, path: str
) -> None:
    with pytest.raises(DomainError) as caught:
        services.run(services.service.compare(label, against))
    assert (caught.value.main.code, caught.value.main.path) == ("VERSION_NOT_FOUND", path)


def test_deleting_is_audited_and_the_active_one_stays(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    services.run(services.service.delete("v-a", "admin-x"))
    assert actions(services, "v-a") == ["knowledge.import", "knowledge.delete"]
    with pytest.raises(DomainError) as caught:
        services.run(services.service.delete(FIRST_LABEL, "admin-x"))
    assert caught.value.main.code is ErrorCode.VERSION_ACTIVE
    assert [v.label for v in services.run(services.service.list_versions())[0]] == [FIRST_LABEL]


def test_active_version(services: Running) -> None:
    assert services.run(services.service.active_version())[0].label == FIRST_LABEL


def test_golden_case_is_added_once_and_audited(services: Running) -> None:
    services.run(services.service.add_golden(case("판")))
    with pytest.raises(DomainError) as caught:
        services.run(services.service.add_golden(case("판")))
    assert caught.value.main.code is ErrorCode.GOLDEN_CASE_EXISTS
    assert "판" in [pinned.name for pinned in services.run(services.service.list_golden())[0]]
    services.run(services.service.delete_golden("판", "admin-x"))
    with pytest.raises(DomainError) as caught:
        services.run(services.service.delete_golden("판", "admin-x"))
    assert caught.value.main.code is ErrorCode.NOT_FOUND
    assert actions(services, "판") == ["golden.add", "golden.delete"]


def test_nothing_is_asked_on_a_fresh_installation(services: Running) -> None:
    assert services.run(services.service.list_questions(include_closed=True)) == [[]]
