"""Clients that estimate without pause while a test does something to the server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx

from tests.services import API_KEY, Server

TIMEOUT_S = 60


class Answered(NamedTuple):
    """One request of a client: its status, how long it took, and what came."""

    status: int
    seconds: float
    body: Any


class Traffic:
    """Some clients, each with a connection and a thread of its own."""

    def __init__(
        self, server: Server, clients: int, request: dict[str, Any], *,
        key: Callable[[], str] = lambda: API_KEY, pause_s: float = 0.0,
    ) -> None:  # fmt: skip
        """Prepare; `running` starts them. Before each request they ask for a `key`, and pause."""
        self.answers: list[Answered] = []
        self.faults: list[Exception] = []
        self._url = f"{server.url}/v1/estimate/create"
        self._request = request
        self._key = key
        self._pause_s = pause_s
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        self._begun = threading.Barrier(clients + 1)

    @contextmanager
    def running(self) -> Iterator["Traffic"]:
        """Keep them asking; each has had a first answer before this begins."""
        for thread in self._threads:
            thread.start()
        try:
            self._begun.wait(TIMEOUT_S)
            yield self
        finally:
            self._ending.set()
            for thread in self._threads:
                thread.join()

    def _ask(self) -> None:
        with httpx.Client(trust_env=False, timeout=TIMEOUT_S) as client:
            is_first = True
            while not self._ending.is_set():
                time.sleep(self._pause_s)
                headers = {"X-API-Key": self._key()}
                began = time.perf_counter()
                try:
                    response = client.post(self._url, json=self._request, headers=headers)
                    seconds = time.perf_counter() - began
                    answer = Answered(response.status_code, seconds, response.json())
                    self.answers.append(answer)
                except (httpx.HTTPError, ValueError) as error:
                    self.faults.append(error)
                if is_first:
                    self._begun.wait(TIMEOUT_S)
                    is_first = False

    @property
    def longest_s(self) -> float:
        """The longest that a client waited for one answer."""
        return max(answer.seconds for answer in self.answers)

    def failed(self) -> list[object]:
        """Return whatever was not an estimate."""
        return [*self.faults, *(answer for answer in self.answers if answer.status != 201)]
