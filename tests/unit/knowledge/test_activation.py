"""Activation: who may become active, and what the pointer and the memory then hold."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from kis.db.engine import Database
from kis.errors import DomainError, ErrorCode
from kis.knowledge import store
from kis.knowledge.activation import LATEST_ESTIMATES, ActivationOrder
from kis.knowledge.first import FIRST_LABEL
from kis.knowledge.regression import Case
from kis.knowledge.tables import (
    golden_case_table,
    knowledge_activation_table,
    knowledge_version_table,
)
from kis.units import Size
from tests.unit.knowledge.rows import breaker
from tests.unit.knowledge.running import SIZE, Running, running

OTHER = Size(900, 900, 900)


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Running]:
    """No golden cases: each test brings its own."""
    database.write_now(lambda c: c.execute(delete(golden_case_table)))
    with running(database, tmp_path / "knowledge-staging") as services:
        yield services


def ready(services: Running, label: str, model: str) -> None:
    services.stage(label, breaker(model))
    assert services.validate(label)


def refusal(services: Running, order: ActivationOrder) -> DomainError:
    with pytest.raises(DomainError) as caught:
        services.run(services.activation.activate(order, "admin-x"))
    return caught.value


def activating(label: str, **changes: Any) -> ActivationOrder:
    return ActivationOrder(label, "activate", run_regression=True)._replace(**changes)


def test_memory_and_pointer_move_together(services: Running) -> None:
    ready(services, "v-a", "T-1")
    before = services.knowledge.current
    services.activate("v-a")
    after = services.knowledge.current
    assert before.snapshot.label == FIRST_LABEL
    assert (after.snapshot.label, after.snapshot.digest) == (
        "v-a",
        services.version("v-a").digest,
    )
    pointer = services.database.read_now(store.load_pointer)
    assert pointer is not None
    assert pointer.version_id == after.snapshot.version_id


def test_refused_activation_moves_nothing(services: Running) -> None:
    services.stage("v-a", breaker("T-1"))
    before = services.knowledge.current
    error = refusal(services, activating("v-a"))
    assert error.main.code is ErrorCode.VERSION_NOT_VALIDATED
    assert services.knowledge.current is before


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (activating("v-none"), ErrorCode.VERSION_NOT_FOUND),
        (activating("v-staged"), ErrorCode.VERSION_NOT_VALIDATED),
        (activating("v-behind"), ErrorCode.VERSION_BASE_MOVED),
        (activating("v-behind", kind="rollback"), ErrorCode.VERSION_NEVER_ACTIVATED),
        (activating("v-staged", kind="rollback"), ErrorCode.VERSION_NEVER_ACTIVATED),
        (activating("v-behind", force=True), ErrorCode.REQ_MORE_INFO),
    ],
)
def test_who_may_not(services: Running, order: ActivationOrder, code: ErrorCode) -> None:
    services.stage("v-staged", breaker("T-0"))
    ready(services, "v-behind", "T-1")
    ready(services, "v-a", "T-2")
    services.activate("v-a")
    assert refusal(services, order).main.code is code
    assert services.knowledge.current.snapshot.label == "v-a"


def test_already_active_is_no_activation(services: Running) -> None:
    ready(services, "v-a", "T-1")
    services.activate("v-a")
    before = services.database.read_now(store.load_pointer)
    (again,) = services.run(services.activation.activate(activating("v-a"), "admin-x"))
    assert (again.already_active, again.regression) == (True, None)
    assert services.database.read_now(store.load_pointer) == before


# --- regression --------------------------------------------------------------------------


def test_regression_takes_the_golden_set_and_the_latest(services: Running) -> None:
    ready(services, "v-a", "T-1")
    services.cases = [
        Case(f"e{n}", golden=False, request=None, expected=SIZE)
        for n in range(LATEST_ESTIMATES + 5)
    ]
    (done,) = services.run(services.activation.activate(activating("v-a"), "admin-x"))
    assert done.regression is not None
    assert done.regression.total == LATEST_ESTIMATES
    assert done.regression.passed == LATEST_ESTIMATES


def test_golden_case_refuses_unless_forced_with_a_reason(services: Running) -> None:
    ready(services, "v-a", "T-1")
    services.cases = [Case("g", golden=True, request=None, expected=OTHER)]
    error = refusal(services, activating("v-a"))
    assert error.main.code is ErrorCode.REGRESSION_FAILED
    assert services.version("v-a").active is False
    order = activating("v-a", force=True, reason="checked by hand")
    services.run(services.activation.activate(order, "admin-x"))
    table = knowledge_activation_table.c
    recorded = services.database.read_now(
        lambda c: c.execute(
            select(table.forced, table.reason, table.kind).where(table.label == "v-a")
        ).one()
    )
    assert tuple(recorded) == (True, "checked by hand", "activate")


def test_changed_estimate_does_not_refuse(services: Running) -> None:
    ready(services, "v-a", "T-1")
    services.cases = [Case("e", golden=False, request=None, expected=OTHER)]
    (done,) = services.run(services.activation.activate(activating("v-a"), "admin-x"))
    assert done.regression is not None
    assert done.regression.changed == 1
    assert services.version("v-a").active is True


# --- what comes in between ---------------------------------------------------------------


def test_two_at_once_take_turns(services: Running) -> None:
    for label, model in (("v-a", "T-1"), ("v-b", "T-2")):
        ready(services, label, model)

    async def both() -> list[object]:
        orders = [activating("v-a"), activating("v-b")]
        return await asyncio.gather(
            *(services.activation.activate(order, "admin-x") for order in orders),
            return_exceptions=True,
        )

    (((_, second),)) = services.run(both())
    assert isinstance(second, DomainError)
    assert second.main.code is ErrorCode.VERSION_BASE_MOVED
    assert services.version("v-a").active is True


def between(services: Running, change: Callable[[Connection], object]) -> DomainError:
    """Activate v-a; `change` is written by another process during the regression."""
    ready(services, "v-a", "T-1")
    ready(services, "v-other", "T-2")
    services.cases = [Case("e", golden=False, request=None, expected=SIZE)]

    def intrude(_: object, __: object) -> bool:
        services.database.write_now(change)
        return False

    services.refuses = intrude
    return refusal(services, activating("v-a"))


def test_pointer_that_moved_meanwhile_is_a_conflict(services: Running) -> None:
    def move(connection: Connection) -> None:
        version = store.require_version(connection, "v-other")
        store.record_activation(
            connection,
            store.Activation(
                version.id, version.label, "", None, "activate", "", "x", False,
                version.created_at, None,
            ),
        )  # fmt: skip

    error = between(services, move)
    assert error.main.code is ErrorCode.ACTIVATION_CONFLICT
    assert services.version("v-other").active is True
    assert services.knowledge.current.snapshot.label == FIRST_LABEL


def test_content_that_was_validated_anew_meanwhile_is_a_conflict(services: Running) -> None:
    table = knowledge_version_table
    error = between(
        services,
        lambda c: c.execute(update(table).where(table.c.label == "v-a").values(digest="0" * 64)),
    )
    assert error.main.code is ErrorCode.ACTIVATION_CONFLICT
    assert services.version(FIRST_LABEL).active is True


def test_version_that_failed_a_validation_meanwhile(services: Running) -> None:
    table = knowledge_version_table
    error = between(
        services,
        lambda c: c.execute(update(table).where(table.c.label == "v-a").values(state="staged")),
    )
    assert error.main.code is ErrorCode.VERSION_NOT_VALIDATED
    assert services.version(FIRST_LABEL).active is True


def test_version_that_was_deleted_meanwhile(services: Running) -> None:
    table = knowledge_version_table
    error = between(services, lambda c: c.execute(delete(table).where(table.c.label == "v-a")))
    assert error.main.code is ErrorCode.VERSION_NOT_FOUND
    assert services.version(FIRST_LABEL).active is True
