"""How work over many rows leaves time to others in the same process."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Row = TypeVar("Row")
GiveWay = Callable[[], None]

ROWS_IN_A_ROW = 256
"""About a millisecond of decoding."""


def go_on() -> None:
    """Give way to nobody."""


def paced(rows: Iterable[Row], give_way: GiveWay) -> Iterator[Row]:
    """Yield `rows`; after each so many `give_way` is called."""
    for number, row in enumerate(rows, start=1):
        yield row
        if number % ROWS_IN_A_ROW == 0:
            give_way()
