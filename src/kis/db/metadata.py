"""What all tables share: one MetaData, constraint names, bytes, and UTC timestamps.

Convention of every table: large binary columns come last, because SQLite walks
through all the pages of a large value to reach the columns behind it.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Dialect, LargeBinary, MetaData, Text, cast
from sqlalchemy.types import TypeDecorator

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Blob(TypeDecorator[bytes]):
    """Bytes, and read as bytes whatever stands there.

    SQLite keeps any type in any column: `UPDATE ... replace(...)` in its shell
    leaves text where bytes were. The cast has it read as the bytes that it
    consists of, valid UTF-8 or not; on bytes it does nothing.
    """

    impl = LargeBinary
    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return `column` as it is selected."""
        return cast(column, LargeBinary)


class UtcText(TypeDecorator[datetime]):
    """An aware datetime, stored as `YYYY-MM-DD HH:MM:SS.ffffff` in UTC.

    Text of one fixed width sorts by time, and compares with what SQLite's
    `datetime('now')` answers.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the text to store.

        Raises:
            ValueError: `value` is naive. It arrives as the cause of
                SQLAlchemy's StatementError.

        """
        if value is None:
            return None
        if value.utcoffset() is None:
            message = f"{value.isoformat()} has no time zone: pass an aware datetime"
            raise ValueError(message)
        return _text_of(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the stored moment, aware, in UTC."""
        return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


@lru_cache(maxsize=256)
def _text_of(moment: datetime) -> str:
    """Return `moment` as `UtcText` stores it: one moment stands in several rows of an estimate."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
