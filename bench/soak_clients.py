"""Clients that estimate for a long time, whatever happens to the server, and know what they got.

Each request has a key of its own and is sent until it is answered, as a shop's program
would: so that in the end each key has exactly one estimate.
"""

import http.client
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from bench.boards import economic

PER_SECOND = 25.0
"""Requests of one client: what a long run stores has to fit on a laptop."""
ASKED_AGAIN_EACH = 10
GIVEN_UP_AFTER_S = 120.0
PAUSE_S = 0.05
TIMEOUT_S = 20.0
CREATED, UNAUTHENTICATED, CONFLICT, UNAVAILABLE = 201, 401, 409, 503
PASSING = (0, UNAUTHENTICATED, CONFLICT, UNAVAILABLE)
"""What a client tries again after; 0 stands for no answer."""
BOARDS = tuple(
    json.dumps({**economic("SBS-54", ("SES-54", 2), ("SIE-32", lights)), "label": "soak"})
    for lights in range(2, 12)
)


@dataclass
class Target:
    """Where the server is now, and the keys that are or were valid, newest first."""

    port: int
    keys: list[str]


@dataclass
class Notes:
    """What the clients got."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)  # by idempotency key
    faults: list[str] = field(default_factory=list)
    retries: int = 0
    asked_again: int = 0


class Clients:
    """Some clients, each with a thread and a connection of its own."""

    def __init__(self, target: Target, clients: int) -> None:
        """Prepare; `start` begins."""
        self.notes = Notes()
        self._target = target
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(number,)) for number in range(clients)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each finish what it has begun."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _work(self, client: int) -> None:
        sender = _Sender(self._target, self.notes)
        began = time.monotonic()
        for number in itertools.count():
            if self._ending.wait(max(0.0, began + number / PER_SECOND - time.monotonic())):
                return
            key, board = f"soak-{client}-{number}", BOARDS[number % len(BOARDS)]
            answer = sender.send(key, board)
            if answer is not None:
                self.notes.answers[key] = answer
            # With the API key of before: what is kept is kept for the key that asked.
            if number % ASKED_AGAIN_EACH == 0 and answer is not None:
                self.notes.asked_again += 1
                status, again = sender.ask_again(key, board)
                if status not in PASSING and (status, again) != (CREATED, answer):
                    self.notes.faults.append(f"{key}: asked again, answered {status} otherwise")


class _Sender:
    """Sends one request until it is answered."""

    def __init__(self, target: Target, notes: Notes) -> None:
        self._target = target
        self._notes = notes
        self._connection: http.client.HTTPConnection | None = None
        self._secret = ""
        """The API key that was answered last."""

    def ask_again(self, key: str, board: str) -> tuple[int, Any]:
        """Send once what was answered last; return the status, 0 for none, and the answer."""
        return self._try(key, board, [self._secret])

    def send(self, key: str, board: str) -> Any:
        """Return the estimate; None where there is none in time."""
        deadline = time.monotonic() + GIVEN_UP_AFTER_S
        for attempt in itertools.count():
            status, answer = self._try(key, board, self._target.keys)
            if status == CREATED:
                return answer
            if status not in PASSING:
                self._notes.faults.append(f"{key}: {status} {answer}")
                return None
            if time.monotonic() > deadline:
                self._notes.faults.append(f"{key}: still {status} after {attempt} tries")
                return None
            self._notes.retries += 1
            time.sleep(PAUSE_S)
        return None

    def _try(self, key: str, board: str, keys: list[str]) -> tuple[int, Any]:
        """Send it with each of the keys; 0 is the status of a connection that broke."""
        status, answer = 0, None
        for secret in tuple(keys):
            try:
                status, answer = self._post(key, board, secret)
            except (OSError, http.client.HTTPException, ValueError):
                self._connection = None
                return 0, None
            if status != UNAUTHENTICATED:
                self._secret = secret
                break
        return status, answer

    def _post(self, key: str, board: str, secret: str) -> tuple[int, Any]:
        if self._connection is None or self._connection.port != self._target.port:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self._target.port, timeout=TIMEOUT_S
            )
        headers = {
            "X-API-Key": secret, "Content-Type": "application/json", "Idempotency-Key": key,
        }  # fmt: skip
        self._connection.request("POST", "/v1/estimate/create", board.encode(), headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())
