"""Lists, differences, deletions, the golden set: what the rim asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode
from kis.knowledge.activation import ActivationOrder
from kis.knowledge.first import FIRST_LABEL
from tests.unit.knowledge.rows import breaker
from tests.unit.knowledge.running import Running, running


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


def test_nothing_is_asked_on_a_fresh_installation(services: Running) -> None:
    assert services.run(services.service.list_questions(include_closed=True)) == [[]]


def test_history_and_last_validation_are_told(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    (version,) = services.run(services.service.version("v-a"))
    assert services.run(services.service.last_validation(version)) == [None]
    services.validate("v-a")
    order = ActivationOrder("v-a", "activate", run_regression=True, force=True, reason="a test")
    services.run(services.activation.activate(order, "admin-x"))
    (validation,) = services.run(services.service.last_validation(version))
    assert validation is not None
    assert (validation.by, validation.result.valid) == ("admin-x", True)
    (steps,) = services.run(services.service.list_steps())
    assert [(step.label, step.kind) for step in steps] == [
        ("v-a", "activate"), (FIRST_LABEL, "initial"),
    ]  # fmt: skip
    (own,) = services.run(services.service.list_steps(version))
    assert [step.previous_label for step in own] == [FIRST_LABEL]
    (last,) = services.run(services.service.last_regression())
    assert last is not None
    assert last.label == "v-a"


def test_difference_lists_as_many_rows_as_are_wanted(services: Running) -> None:
    services.stage("v-a", breaker("T-1"), breaker("T-2"))
    ((_, difference),) = services.run(services.service.compare("v-a", None, 1))
    assert (len(difference.breakers.rows), difference.breakers.counts.added) == (1, 2)
