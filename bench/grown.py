"""A create where a million estimates are stored, against a create where there is none.

The million are copies of estimates that the service made itself, with all that
belongs to them (evidence, audit entry, idempotency record), each under an id and a
key of its own.
"""

import sqlite3
import statistics
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import Table

from bench.boards import mix
from bench.databases import SQLITE, Databases, Home
from bench.load import Order, Summary, run, summarise
from bench.service import API_KEY, Service, running
from kis.audit.tables import audit_entry_table
from kis.estimate.tables import estimate_table
from kis.evidence.tables import evidence_table
from kis.idempotency.tables import idempotency_record_table

CONNECTIONS = 64
ID, MOMENT, KEY = "id", "moment", "key"
WORDS = {
    "sqlite": {
        ID: "printf('00000000-0000-7000-8000-%012x', i)",
        MOMENT: "strftime('%Y-%m-%d %H:%M:%f000', 'now', (-0.5 * i) || ' seconds')",
        KEY: "lower(hex(randomblob(16)))",
    },
    "postgresql": {
        ID: "'00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0')",
        MOMENT: "to_char(now() - i * interval '0.5 s', 'YYYY-MM-DD HH24:MI:SS.US')",
        KEY: "md5(i::text)",
    },
}
"""What the two say differently. The million came within six days, the keys in no order."""


class _Copied(NamedTuple):
    """A table, its column that tells which estimate a row belongs to, and what copies have anew."""

    table: Table
    estimate: str
    new: dict[str, str]
    without: tuple[str, ...] = ()


COPIED = (
    _Copied(estimate_table, "id", {"id": ID, "created_at": MOMENT}),
    _Copied(evidence_table, "estimate_id", {"estimate_id": ID, "created_at": MOMENT}),
    _Copied(audit_entry_table, "subject", {"subject": ID, "at": MOMENT}, without=("id",)),
    _Copied(
        idempotency_record_table, "estimate_id",
        {"estimate_id": ID, "key": KEY, "created_at": MOMENT},
    ),
)  # fmt: skip
CHOOSE = """
CREATE TEMPORARY TABLE chosen AS
SELECT estimate_id AS chosen_id, row_number() OVER (ORDER BY estimate_id) - 1 AS number
FROM idempotency_record
"""
KEEP = """
CREATE TEMPORARY TABLE original_{table} AS
SELECT * FROM "{table}" JOIN chosen ON chosen_id = "{estimate}"
"""
COPY = """
INSERT INTO "{table}" ({columns})
WITH RECURSIVE copies(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM copies WHERE i < {count})
SELECT {values} FROM copies JOIN original_{table} ON number = i % {kinds}
"""


class GrownFigures(NamedTuple):
    """Creates on an empty database and on one with `stored` estimates, in turn."""

    stored: int
    empty: list[Summary]
    grown: list[Summary]

    @property
    def ratio(self) -> float:
        """How many times as long a create takes, medians of the rounds."""
        empty, grown = (
            statistics.median(each.per_second for each in rounds)
            for rounds in (self.empty, self.grown)
        )
        return empty / grown


def measure(source: Databases, stored: int, rounds: int, seconds: float) -> GrownFigures:
    """Fill one of two databases with `stored` estimates, then create on both in turn."""
    empty, grown = source.home("empty"), source.home("grown")
    kinds = len(mix())
    with running(grown) as service:
        run(Order(port=service.port, connections=1, key=API_KEY, run="origin", count=kinds))
    fill(source, grown, stored, kinds)
    figures = GrownFigures(stored, [], [])
    with running(empty) as on_empty, running(grown) as on_grown:
        for number in range(rounds):
            for service, found in ((on_empty, figures.empty), (on_grown, figures.grown)):
                found.append(_create(service, f"grown-{number}", seconds))
    return figures


def _create(service: Service, name: str, seconds: float) -> Summary:
    order = Order(
        port=service.port, connections=CONNECTIONS, key=API_KEY, run=name, seconds=seconds,
        warm_up=1.0,
    )  # fmt: skip
    return summarise(run(order))


def fill(source: Databases, home: Home, count: int, kinds: int) -> None:
    """Store `count` copies of the `kinds` estimates that `home` has."""
    with _opened(source, home) as execute:
        execute(CHOOSE)
        for copied in COPIED:
            name = copied.table.name
            execute(KEEP.format(table=name, estimate=copied.estimate))
            columns = [c for c in copied.table.c.keys() if c not in copied.without]  # noqa: SIM118 - not a dict
            words = WORDS[source.kind]
            new = {column: words[word] for column, word in copied.new.items()}
            statement = COPY.format(
                table=name, columns=_quoted(columns), count=count, kinds=kinds,
                values=", ".join(new.get(column, f'"{column}"') for column in columns),
            )  # fmt: skip
            execute(statement)


def _quoted(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


@contextmanager
def _opened(source: Databases, home: Home) -> Iterator[Callable[[str], Any]]:
    """Yield what executes a statement. Afterwards all is as if it had come in slowly."""
    if source.kind == SQLITE:
        with closing(sqlite3.connect(home.file, isolation_level=None)) as connection:
            # It need not survive a power cut, so it is written once and not waited for.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            yield connection.execute
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        return
    with psycopg.connect(home.url or "", autocommit=True) as server:
        yield lambda statement: server.execute(sql.SQL(statement))
        # The server would do both in the background, while it is measured.
        server.execute("VACUUM ANALYZE")
        server.execute("CHECKPOINT")
