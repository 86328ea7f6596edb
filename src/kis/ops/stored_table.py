"""A table as it is stored: read page by page in the order of its keys, or by keys."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, MetaData, Row, Table, Text, select, tuple_
from sqlalchemy.exc import DBAPIError

from kis.db.engine import Database
from kis.db.metadata import UtcText
from kis.ops.doctor import in_one_line

MAX_ROWS = 1_000
PAGE_BYTES = 2 << 20
"""How large a page gets: some rows hold a whole upload, most a few kilobytes."""

Key = tuple[Any, ...]


class Unfit(Exception):  # noqa: N818 - says what is the case
    """Rows that cannot be read as what they should be, or that the target does not take."""

    def __init__(self, table: str, where: str, reason: object) -> None:
        """Name the table, where in it, and why."""
        super().__init__(table)
        self.table = table
        self.where = where
        self.reason = in_one_line(getattr(reason, "orig", reason))


class StoredTable:
    """Rows are tuples of all columns, in the order of `names`; moments are their text."""

    def __init__(self, table: Table) -> None:
        """Read what `table` describes."""
        # Whatever stands in a column of moments is copied, and compared, as it is.
        self.table = table.to_metadata(MetaData())
        for column in self.table.columns:
            if isinstance(column.type, UtcText):
                column.type = Text()
        self.name = table.name
        self.names: list[str] = self.table.c.keys()
        self._key = list(self.table.primary_key)
        self._key_in = [self.names.index(column.name) for column in self._key]

    def key_of(self, row: Sequence[Any]) -> Key:
        """Return the key of a row."""
        return tuple(row[index] for index in self._key_in)

    def pages(self, connection: Connection) -> Iterator[list[Row[Any]]]:
        """Yield all rows in pages of bounded size.

        Raises:
            Unfit: a text is not UTF-8.

        """
        limit = 1
        after: Key | None = None
        while True:
            query = select(self.table).order_by(*self._key).limit(limit)
            if after is not None:
                query = query.where(self._is_after(after))
            rows = self._read(connection, query, "" if after is None else shown(after))
            if rows:
                yield rows
                after = self.key_of(rows[-1])
            if len(rows) < limit:
                return
            limit = max(1, min(MAX_ROWS, PAGE_BYTES * len(rows) // _size(rows)))

    def rows_at(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, Row[Any]]:
        """Return the rows of those keys that are there, by key.

        Raises:
            Unfit: a text is not UTF-8.

        """
        query = select(self.table).where(self._is_one_of(keys))
        return {self.key_of(row): row for row in self._read(connection, query, shown(keys[0]))}

    def keys_at(self, connection: Connection, keys: Sequence[Key]) -> set[Key]:
        """Return which of those keys are there."""
        query = select(*self._key).where(self._is_one_of(keys))
        return {tuple(row) for row in connection.execute(query)}

    def _read(self, connection: Connection, query: Any, after: str) -> list[Row[Any]]:
        try:
            return list(connection.execute(query))
        except DBAPIError as error:
            if "decode" not in str(error.orig):
                raise
            raise Unfit(self.name, f"> {after}", error) from error

    def _is_after(self, after: Key) -> ColumnElement[bool]:
        found: ColumnElement[bool] = (
            self._key[0] > after[0] if len(after) == 1 else tuple_(*self._key) > tuple_(*after)
        )
        return found

    def _is_one_of(self, keys: Sequence[Key]) -> ColumnElement[bool]:
        if len(self._key) == 1:
            return self._key[0].in_(list(map(itemgetter(0), keys)))
        return tuple_(*self._key).in_(keys)


def shown(key: Key) -> str:
    """Return a key as it is told."""
    return ", ".join(map(str, key))


def _size(rows: list[Row[Any]]) -> int:
    return 1 + sum(len(cell) for row in rows for cell in row if isinstance(cell, bytes | str))


@contextmanager
def reading(database: Database) -> Iterator[Connection]:
    """Read one state of `database` for as long as it takes, and its text strictly."""
    with database.read_engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 0")
        else:
            # What is no text is to be told, not to be replaced on the way.
            connection.connection.driver_connection.text_factory = str  # type: ignore[union-attr]
        yield connection
