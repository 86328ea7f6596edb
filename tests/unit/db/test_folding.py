"""A piece of text is found the same on each kind of database."""

from contextlib import closing

import pytest
from sqlalchemy import literal, select, text

from kis.db.engine import Database, open_database
from kis.db.folding import holds
from tests.postgres import PostgresServer

CASES = [
    ("LP-10", "lp-1", True),
    ("lp-10", "LP-1", True),
    ("LP-10", "LP-2", False),
    ("한빛빌딩", "빛빌", True),
    ("한빛빌딩", "한 빛", False),
    ("한빛", "\u1112\u1161\u11ab", False),  # in pieces, as macOS names files
    ("\u1112\u1161\u11ab", "\u1112\u1161\u11ab", True),
    ("été", "ÉTÉ", False),
    ("ÉTÉ", "ÉtÉ", True),
    ("İstanbul", "i", False),
    ("ＬＰ", "ｌｐ", False),
    ("50%", "0%", True),
    ("500", "0%", False),
    ("a_b", "_", True),
    ("ab", "_", False),
    ("a/b", "/", True),
    ("a\\b", "\\", True),
    ("a'b", "'", True),
    ("", "", True),
]


def found(database: Database, within: str, piece: str) -> bool:
    # From a row, as a literal alone would be a parameter whose collation nobody stated.
    rows = select(literal(within).label("name")).subquery()
    query = select(rows.c.name).where(holds(rows.c.name, piece))
    return bool(database.read_now(lambda c: c.execute(query).all()))


@pytest.mark.parametrize(("within", "piece", "expected"), CASES)
def test_ascii_letters_alone_have_cases(
    database: Database, within: str, piece: str, expected: bool
) -> None:
    assert found(database, within, piece) is expected


def test_language_of_a_server_changes_nothing(postgres: PostgresServer) -> None:
    """There `ÉTÉ` in lower case is `été`."""
    postgres.execute(
        "CREATE DATABASE of_letters TEMPLATE template0"
        " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST'"
    )
    with closing(open_database(postgres.url("of_letters"), slow_query_ms=60_000)) as database:
        lower = database.read_now(lambda c: c.scalar(text("SELECT lower('ÉTÉ')")))
        assert lower == "été"
        assert [found(database, within, piece) for within, piece, _ in CASES] == [
            expected for *_, expected in CASES
        ]
