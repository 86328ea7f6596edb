"""Text within text, whatever the case of ASCII letters: the same rows on every kind of database.

SQLite's LIKE knows the cases of ASCII letters, PostgreSQL's of none, and its ILIKE those
of whatever language the database was made for.
"""

from typing import Any

from sqlalchemy import ColumnElement, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Folded(FunctionElement[str]):
    """A column as LIKE is to see it."""

    type = Text()
    inherit_cache = True


@compiles(_Folded)
def _as_it_is(element: _Folded, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clauses, **how)


@compiles(_Folded, "postgresql")
def _in_lower_case(element: _Folded, compiler: SQLCompiler, **how: Any) -> str:
    # Of letters, the collation C knows the ASCII ones alone.
    return f'lower({compiler.process(element.clauses, **how)} COLLATE "C")'


def holds(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Return whether `column` has `text` in it; only ASCII letters have cases."""
    # As bytes, of which `lower` knows ASCII alone.
    return _Folded(column).contains(text.encode().lower().decode(), autoescape=True)
