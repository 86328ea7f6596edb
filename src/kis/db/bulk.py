"""Inserts many rows by few statements.

Python's sqlite3 gives up the interpreter lock at each row of `executemany`, and
the event loop takes it. A writer with 64 rows then waits 64 times for it, and
both threads run on cold caches. One statement with the values of many rows
gives the lock up once; the event loop goes on while SQLite works.

PostgreSQL takes the columns of all rows as arrays, in one statement that is the
same for any number of rows.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, insert

from kis.db.packing import PackedBlob, pack_all

MAX_ROWS = 128
"""In one statement of SQLite."""


class _Statement(NamedTuple):
    """SQL for some number of rows, and the conversions of columns by position."""

    sql: str
    conversions: tuple[tuple[int, Callable[[list[Any]], list[Any]]], ...]


class BulkInsert:
    """An INSERT of some columns of a table, for any number of rows."""

    def __init__(self, table: Table, columns: Sequence[str], *, skip_known: bool = False) -> None:
        """Insert into `columns` of `table`; `skip_known` passes over keys that are there."""
        self._table = table
        self._columns = tuple(columns)
        self._suffix = " ON CONFLICT DO NOTHING" if skip_known else ""
        self._statements: dict[tuple[str, int], _Statement] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert `rows`, which have all the columns; return how many were inserted."""
        if connection.dialect.name == "postgresql":
            return self._insert_columns(connection, rows) if rows else 0
        return self._insert_values(connection, rows)

    def _insert_values(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert by statements for 1, 2, 4 ... 128 rows, of which the last may stay empty."""
        inserted = 0
        for at in range(0, len(rows), MAX_ROWS):
            part = rows[at : at + MAX_ROWS]
            places = 1 << (len(part) - 1).bit_length()
            statement = self._statement(connection, places)
            values = list(chain.from_iterable(zip(*self._arrays(statement, part), strict=True)))
            values += [None] * ((places - len(part)) * len(self._columns))
            values.append(len(part))
            inserted += connection.exec_driver_sql(statement.sql, tuple(values)).rowcount
        return inserted

    def _insert_columns(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        statement = self._statement(connection, 0)
        arrays = self._arrays(statement, rows)
        return connection.exec_driver_sql(statement.sql, tuple(arrays)).rowcount

    def _arrays(self, statement: _Statement, rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
        """Return the columns of `rows` as they are stored."""
        arrays = [[row[name] for row in rows] for name in self._columns]
        for index, convert in statement.conversions:
            arrays[index] = convert(arrays[index])
        return arrays

    def _statement(self, connection: Connection, places: int) -> _Statement:
        """Return the statement with `places` for rows; 0: for any number, as arrays."""
        key = (connection.dialect.name, places)
        statement = self._statements.get(key)
        if statement is None:
            sql = self._values_sql(connection, places) if places else self._arrays_sql(connection)
            found = [self._conversion(connection, column) for column in self._columns]
            conversions = tuple((at, convert) for at, convert in enumerate(found) if convert)
            self._statements[key] = statement = _Statement(sql + self._suffix, conversions)
        return statement

    def _values_sql(self, connection: Connection, places: int) -> str:
        one = insert(self._table).values(dict.fromkeys(self._columns)).compile(connection)
        head, _, row = str(one).partition(" VALUES ")
        rows = ", ".join([row] * places)
        return f"{head} SELECT * FROM (VALUES {rows}) LIMIT ?"  # noqa: S608 - our own names

    def _arrays_sql(self, connection: Connection) -> str:
        dialect = connection.dialect
        quote = dialect.identifier_preparer.quote
        names = ", ".join(quote(name) for name in self._columns)
        types = (self._table.c[name].type.compile(dialect) for name in self._columns)
        # %b: in binary, a tenth of the work of quoting bytes as text.
        arrays = ", ".join(f"%b::{kind}[]" for kind in types)
        table = dialect.identifier_preparer.format_table(self._table)
        return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 - our own names

    def _conversion(
        self, connection: Connection, column: str
    ) -> Callable[[list[Any]], list[Any]] | None:
        kind = self._table.c[column].type
        if isinstance(kind, PackedBlob):
            return pack_all
        convert = kind.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        if convert is None:
            return None
        return lambda cells: list(map(convert, cells))
