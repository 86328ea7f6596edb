import pytest

from kis.knowledge.finding import find_rows, line_of
from tests.unit.knowledge.rows import breaker, seed_tables


def test_a_row_reads_as_people_say_it() -> None:
    assert line_of(breaker()) == "LS METASOL ABN-53 50AF 3P MCCB  75×130×60"


@pytest.mark.parametrize(
    ("text", "places"),
    [("", [0, 1]), ("abn", [0]), ("ls 50af 3p", [0, 1]), ("3P ebn", [1]), ("75×130", [0, 1]),
     ("4P", [])],
)  # fmt: skip
def test_every_word_must_be_found(text: str, places: list[int]) -> None:
    rows = (breaker("ABN-53"), breaker("EBN-53"))
    assert list(find_rows(rows, text)) == places


def test_every_kind_of_row_can_be_searched() -> None:
    tables = seed_tables()
    for rows, text in (
        (tables.enclosures, tables.enclosures[0].model),
        (tables.accessories, tables.accessories[0].code),
    ):
        assert 0 in find_rows(rows, text.lower())


def test_it_gives_way() -> None:
    turns: list[int] = []
    find_rows([breaker()] * 1_000, "x", lambda: turns.append(1))
    assert turns
