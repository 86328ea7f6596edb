"""Estimates as they are created and acknowledged, with their moments."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.services import API_KEY, board

LONG_S = 60.0
CLIENTS = 4
LOOK_S = 0.02
COMMITTED = "SELECT subject FROM audit_entry WHERE action = 'estimate.create' ORDER BY id"


class Acknowledged(NamedTuple):
    """An estimate that was answered: asked for at `sent_ns`, stored by `answered_ns` (1970)."""

    number: str
    sent_ns: int
    answered_ns: int


def load(
    url: str, is_enough: Callable[[int], bool], before_end: Callable[[], object] = lambda: None
) -> list[Acknowledged]:
    """Create estimates on several connections until it `is_enough` of them.

    `before_end` is called while they go on, and may be the server's death.
    """
    found: list[Acknowledged] = []
    enough = threading.Event()
    threads = [threading.Thread(target=_create, args=(url, found, enough)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + LONG_S
    while not is_enough(len(found)) and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    before_end()
    enough.set()
    for thread in threads:
        thread.join()
    return found


def _create(url: str, found: list[Acknowledged], enough: threading.Event) -> None:
    headers = {"X-API-Key": API_KEY}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=LONG_S) as client:
        while not enough.is_set():
            sent_ns = time.time_ns()
            try:
                response = client.post("/v1/estimate/create", json=board())
            except httpx.TransportError:
                return
            if response.status_code != httpx.codes.CREATED:
                raise AssertionError(response.text)
            found.append(Acknowledged(response.json()["id"], sent_ns, time.time_ns()))


def by(found: Iterable[Acknowledged], moment_ns: int) -> set[str]:
    """Return what was acknowledged by then."""
    return {each.number for each in found if each.answered_ns <= moment_ns}


def sent_after(found: Iterable[Acknowledged], moment_ns: int) -> set[str]:
    """Return what was not even asked for by then."""
    return {each.number for each in found if each.sent_ns > moment_ns}


def committed_in(file: Path) -> list[str]:
    """Return the estimates of a database in the order of their commits.

    Raises:
        sqlite3.Error, ValueError: it is damaged, or its parts do not agree.

    """
    with closing(sqlite3.connect(file)) as connection:
        checks = connection.execute("PRAGMA integrity_check").fetchall()
        if checks != [("ok",)] or connection.execute("PRAGMA foreign_key_check").fetchall():
            raise ValueError(str(checks))
        numbers = [number for (number,) in connection.execute(COMMITTED)]
        for table, column in (("Estimate", "id"), ("evidence", "estimate_id")):
            stored = {each for (each,) in connection.execute(f"SELECT {column} FROM {table}")}
            if stored != set(numbers):
                message = f"{table} has {len(stored)} rows of {len(numbers)}"
                raise ValueError(message)
        return numbers
