"""What one batch may take from the others, and how long the key that it began with lasts."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from kis.api.batch_run import BatchRun
from kis.api.gatekeeper import RequestContext
from kis.estimate.batches import BatchService, LineAnswer, Work
from kis.estimate.service import RefusalBody
from tests.integration.batches import BATCH, NDJSON, body_of
from tests.integration.lifecycle import ask, good
from tests.integration.problems import problem_of
from tests.services import ADMIN_API_KEY, API_KEY, Client, board

SOON_S = 0.01
NEVER_S = 3_600.0
GUARD_S = 30
Answer = Callable[[Any, Any], Awaitable[None]]


class Conversation:
    """A batch under way, in the event loop of the application."""

    def __init__(self, answer: Answer) -> None:
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 0
        self._answered: asyncio.Queue[Any] = asyncio.Queue()
        self._began = asyncio.Event()
        self._task = asyncio.create_task(self._run(answer))

    async def _run(self, answer: Answer) -> None:
        await answer(self.said.get, self._send)
        self._answered.put_nowait(None)

    async def _send(self, message: dict[str, Any]) -> None:
        self.status = message.get("status", self.status)
        self._began.set()
        for line in message.get("body", b"").splitlines():
            self._answered.put_nowait(json.loads(line))

    async def begin(self) -> int:
        """Return the status, once it has one."""
        await asyncio.wait_for(self._began.wait(), GUARD_S)
        return self.status

    def say(self, *lines: Any) -> None:
        self.said.put_nowait({"type": "http.request", "body": body_of(lines), "more_body": True})

    async def hear(self) -> Any:
        """Return the next answer; None when there will be no more."""
        return await asyncio.wait_for(self._answered.get(), GUARD_S)

    async def hang_up(self) -> None:
        self.said.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(self._task, GUARD_S)


def batch_of(client: Client, key: str = API_KEY) -> Conversation:
    """Begin one as HTTP does."""
    headers = [(b"x-api-key", key.encode()), (b"content-type", NDJSON.encode())]
    scope = {
        "type": "http", "method": "POST", "path": BATCH, "query_string": b"",
        "headers": headers, "client": ("127.0.0.1", 1),
    }  # fmt: skip
    return Conversation(lambda receive, send: client.application.asgi(scope, receive, send))


def run_of(client: Client, batches: BatchService | None = None) -> BatchRun:
    """Return one that takes every pause for the last."""
    services = client.application.services
    context = RequestContext("127.0.0.1", "bcd", services.keys.valid.find(API_KEY))
    return BatchRun(
        batches or services.batches, services.metrics, context, services.keys.valid, 1 << 20,
        silent_s=SOON_S,
    )  # fmt: skip


def send(client: Client, key: str = API_KEY) -> Any:
    headers = {"Content-Type": NDJSON}
    return client.asend("POST", BATCH, key=key, content=body_of([board()]), headers=headers)


# --- places ------------------------------------------------------------------------------


def test_one_holder_has_not_all_places(client: Client) -> None:
    async def talk() -> None:
        mine = [batch_of(client), batch_of(client)]
        assert [await batch.begin() for batch in mine] == [200, 200]
        refused = await send(client)
        problem_of(refused, 503, "OVERLOADED")
        assert refused.headers["retry-after"]
        good(await send(client, ADMIN_API_KEY))
        await mine[0].hang_up()
        good(await send(client))
        await mine[1].hang_up()

    client.gather(talk())


# --- pauses ------------------------------------------------------------------------------


def test_who_sends_no_more_is_told_so_and_left(client: Client) -> None:
    async def talk() -> None:
        batch = Conversation(run_of(client).answer)
        lines = body_of([board()]) + b'\n{"main'
        batch.said.put_nowait({"type": "http.request", "body": lines, "more_body": True})
        assert (await batch.hear())["status"] == 201
        last = await batch.hear()
        assert (last["line"], last["status"], last["code"]) == (3, 408, "REQUEST_TIMEOUT")
        assert await batch.hear() is None

    client.gather(talk())


class Slow(BatchService):
    """Takes longer to store than anybody may be silent, and then ends all haste."""

    def __init__(self, wrapped: BatchService) -> None:
        self.__dict__.update(vars(wrapped))
        self.run: BatchRun

    async def store(self, work: Work, refusal_body: RefusalBody) -> list[LineAnswer]:
        await asyncio.sleep(10 * SOON_S)
        self.run._silent_s = NEVER_S
        await asyncio.sleep(10 * SOON_S)
        return await super().store(work, refusal_body)


def test_who_waits_for_an_answer_is_not_silent(client: Client) -> None:
    async def talk() -> None:
        slow = Slow(client.application.services.batches)
        slow.run = run_of(client, slow)
        batch = Conversation(slow.run.answer)
        for number in range(1, 3):
            batch.say(board())
            answer = await batch.hear()
            assert (answer["line"], answer["status"]) == (number, 201)
        await batch.hang_up()

    client.gather(talk())


# --- keys --------------------------------------------------------------------------------


def test_a_key_that_ends_ends_its_batch(client: Client) -> None:
    made = good(client.admin("POST", "/v1/keys", {"scope": "api"}), 201)

    async def talk() -> None:
        batch = batch_of(client, made["token"])
        batch.say(board())
        assert (await batch.hear())["status"] == 201
        path = f"/v1/keys/{made['key']['keyId']}/revoke"
        good(await client.asend("POST", path, key=ADMIN_API_KEY, json={}))
        batch.say({"idempotencyKey": "k-2", **board()}, board())
        last = await batch.hear()
        assert (last["line"], last["status"], last["code"]) == (2, 401, "UNAUTHENTICATED")
        assert last["idempotencyKey"] == "k-2"
        assert await batch.hear() is None

    client.gather(talk())
    assert len(ask(client, "/v1/estimate")["items"]) == 1


def test_a_key_that_is_replaced_goes_on_for_its_time(client: Client) -> None:
    made = good(client.admin("POST", "/v1/keys", {"scope": "api"}), 201)

    async def talk() -> None:
        batch = batch_of(client, made["token"])
        path = f"/v1/keys/{made['key']['keyId']}/rotate"
        good(await client.asend("POST", path, key=ADMIN_API_KEY, json={}), 201)
        batch.say(board())
        assert (await batch.hear())["status"] == 201
        await batch.hang_up()

    client.gather(talk())
