"""Two servers on one PostgreSQL, and requests to both at the same instant."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest

from tests.backends import new_database
from tests.postgres import wait_for_locks
from tests.services import Server, running_server

Request = Callable[[Server], Any]


class Pair(NamedTuple):
    """Two servers, and the address of the database that they share."""

    first: Server
    second: Server
    url: str


@contextmanager
def running_pair(homes: Path, request: pytest.FixtureRequest, *, per_minute: int) -> Iterator[Pair]:
    url = new_database("postgresql", Path(), request)
    environ = {"RATE_LIMIT_PER_MINUTE": str(per_minute), "DATABASE_URL": url}
    with (
        running_server(homes / "first", **environ) as first,
        running_server(homes / "second", **environ) as second,
    ):
        yield Pair(first, second, url)


def race(pair: Pair, on: str, first: Request, second: Request) -> tuple[Any, Any]:
    """Send `first` to one server and `second` to the other; release both when both wait."""
    with holding(pair.url, f'LOCK TABLE "{on}" IN SHARE MODE') as release:
        return _at_once(pair, first, second, release)


def race_on_row(pair: Pair, statement: str, first: Request, second: Request) -> tuple[Any, Any]:
    """As `race`, where an UPDATE comes first: who inserts waits for the same row of ours."""
    with holding(pair.url, statement) as release:
        return _at_once(pair, first, second, release)


@contextmanager
def holding(url: str, statement: str) -> Iterator[Callable[[int], None]]:
    """Hold what `statement` locks until somebody calls what this yields, with how many wait."""
    with psycopg.connect(url) as session:
        session.execute(statement.encode())

        def release(waiting: int) -> None:
            wait_for_locks(url, waiting)
            session.rollback()

        yield release


def _at_once(
    pair: Pair, first: Request, second: Request, release: Callable[[int], None]
) -> tuple[Any, Any]:
    with ThreadPoolExecutor(2) as threads:
        answers = threads.submit(first, pair.first), threads.submit(second, pair.second)
        release(2)
        return answers[0].result(), answers[1].result()


def statuses(answers: tuple[httpx.Response, ...]) -> list[int]:
    assert all(answer.status_code < 500 for answer in answers), [a.text for a in answers]
    return sorted(answer.status_code for answer in answers)


def one_of(pair: Pair, answers: tuple[httpx.Response, ...], status: int) -> tuple[Server, Any]:
    """Return who answered so, and what."""
    ((server, answer),) = (
        (server, answer) for server, answer in zip(pair, answers, strict=False)
        if answer.status_code == status
    )  # fmt: skip
    assert isinstance(server, Server)
    return server, answer
