"""Finding estimates again: the list, and what is used most."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Dialect, text
from sqlalchemy.dialects import postgresql, sqlite

from kis.db.engine import open_database
from kis.db.migrate import migrate
from kis.estimate.store import (
    EstimateFilter,
    count_models,
    list_estimates,
    list_query,
    load_summaries,
)
from tests.backends import POSTGRESQL_ONLY
from tests.unit.ops.stored import NOON, WITHOUT, filled_database, lights

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FILTERS: list[dict[str, Any]] = [
    {}, {"before": "0"}, {"main_model": "none"}, {"brand": "none"}, {"form": "none"},
    {"label": "none"}, {"customer": "none"}, {"until": LONG_AGO}, {"since": NOON + timedelta(9)},
    {"brand": "none", "label": "none", "since": LONG_AGO}, {"brand": "none", "before": "1"},
    {"width_mm": 1.0}, {"height_mm": 1.0}, {"depth_mm": 1.0}, {"text": "none"},
    {"text": "fedcba", "width_mm": 1.0, "brand": "none", "before": "1"},
]  # fmt: skip
LISTED = "ix_Estimate_listed"


@pytest.mark.parametrize("wanted", FILTERS)
def test_list_reads_no_row_that_does_not_match(tmp_path: Path, wanted: dict[str, Any]) -> None:
    query = list_query(EstimateFilter(50, **wanted))
    statement = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with filled_database(tmp_path / "kis.db", lights(2), WITHOUT) as database:
        plan = database.read_now(
            lambda c: [row[3] for row in c.execute(text(f"EXPLAIN QUERY PLAN {statement}"))]
        )
        found = database.read_now(lambda c: list_estimates(c, EstimateFilter(50, **wanted)))
    (_, _, *inner) = plan
    assert all("USING COVERING INDEX" in step for step in inner), plan
    assert len(found) == (0 if wanted else 2)


def test_lines_of_some_are_found_by_id(tmp_path: Path) -> None:
    with filled_database(tmp_path / "kis.db", lights(2), WITHOUT) as database:
        first, second = database.read_now(lambda c: list_estimates(c, EstimateFilter(50)))
        found = database.read_now(lambda c: load_summaries(c, [first.id, "none", second.id]))
        assert found == {first.id: first, second.id: second}
        assert database.read_now(lambda c: load_summaries(c, [])) == {}


@POSTGRESQL_ONLY
@pytest.mark.parametrize("wanted", FILTERS)
def test_list_reads_no_row_that_does_not_match_on_a_server(
    database_url: str, wanted: dict[str, Any]
) -> None:
    query = list_query(EstimateFilter(50, **wanted))
    dialect: Dialect = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
    statement = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})

    def explain(connection: Connection) -> list[str]:
        # What an empty table is read by follows from no figures.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        rows = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}")
        return [row[0].strip() for row in rows]

    with closing(open_database(database_url, slow_query_ms=60_000)) as database:
        migrate(database)
        plan = database.read_now(explain)
    expected = ("pk_Estimate", LISTED) if wanted in ({}, {"before": "0"}) else (LISTED,)
    scans = [step for step in plan if "Index Only Scan" in step]
    assert any(f'using "{name}"' in step for step in scans for name in expected), plan


def test_models_are_counted_from_a_moment_to_another(tmp_path: Path) -> None:
    with filled_database(tmp_path / "kis.db", lights(2), WITHOUT, lights(4)) as database:

        def count(since: datetime, until: datetime) -> list[tuple[str, int]]:
            return database.read_now(lambda c: count_models(c, since, until, 10))

        later = NOON + timedelta(minutes=2)
        assert count(NOON, later) == [("SBS-54", 2)]
        assert count(NOON, later + timedelta(seconds=1)) == [("SBS-54", 3)]
        assert count(LONG_AGO, NOON) == []
