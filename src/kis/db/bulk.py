"""Inserts many rows by few statements.

Python's sqlite3 gives up the interpreter lock at each row of `executemany`, and
the event loop takes it. A writer with 64 rows then waits 64 times for it, and
both threads run on cold caches. One statement with the values of many rows
gives the lock up once; the event loop goes on while SQLite works.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert

MAX_ROWS = 64


class _Statement(NamedTuple):
    """SQL for some number of rows, and the conversions of their values by position."""

    sql: str
    conversions: tuple[tuple[int, Callable[[Any], Any]], ...]


class BulkInsert:
    """An INSERT of some columns of a table, for any number of rows.

    Statements have 1, 2, 4 ... 64 rows, so that there are few to compile and to
    prepare however long the batches are.
    """

    def __init__(self, table: Table, columns: Sequence[str], *, skip_known: bool = False) -> None:
        """Insert into `columns` of `table`; `skip_known` passes over keys that are there."""
        self._table = table
        self._columns = tuple(columns)
        self._suffix = " ON CONFLICT DO NOTHING" if skip_known else ""
        self._statements: dict[int, _Statement] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert `rows`, which have all the columns; return how many were inserted."""
        inserted = 0
        at = 0
        while at < len(rows):
            size = min(MAX_ROWS, 1 << (len(rows) - at).bit_length() - 1)
            statement = self._statements.get(size) or self._compile(connection, size)
            values: list[Any] = []
            for row in rows[at : at + size]:
                cells = [row[name] for name in self._columns]
                for index, convert in statement.conversions:
                    cells[index] = convert(cells[index])
                values += cells
            inserted += connection.exec_driver_sql(statement.sql, tuple(values)).rowcount
            at += size
        return inserted

    def _compile(self, connection: Connection, size: int) -> _Statement:
        row = dict.fromkeys(self._columns)
        sql = f"{insert(self._table).values([row] * size).compile(connection)}{self._suffix}"
        converters = [
            self._table.c[name].type.dialect_impl(connection.dialect)
            .bind_processor(connection.dialect)
            for name in self._columns
        ]  # fmt: skip
        conversions = tuple((i, c) for i, c in enumerate(converters) if c is not None)
        self._statements[size] = statement = _Statement(sql, conversions)
        return statement
