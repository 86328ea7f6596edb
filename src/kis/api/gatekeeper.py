"""What every request passes: identity, limits, one log line, no fault uncaught.

Plain ASGI around the application. Access is decided by path here, in one table,
so that no route can forget it.
"""

import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from kis.access.keys import Key, KeySet, Scope
from kis.access.rate import Allowance, Client, Limiter
from kis.access.tokens import PREFIX, key_id_in
from kis.api.errors import (
    PROBLEM_TYPE,
    headers_of,
    internal_fault,
    problem_body,
    status_of,
    unavailable,
)
from kis.api.metrics import Metrics
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.estimate.answer import Caller
from kis.settings import EQUAL_KEYS, Settings
from kis.telemetry import log_access, new_request_id

logger = logging.getLogger("kis.api")

LARGE_BODIES = frozenset(
    {
        "/v1/knowledge/tables/import", "/console/knowledge/import",
        "/v1/evidence/verify", "/console/evidence/verify",
    }
)  # fmt: skip
"""Paths that take whole tables: an evidence package holds the stock it chose from."""

LOOPBACK = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))
FORWARDED = frozenset({b"forwarded", b"via", b"x-real-ip"})
"""Headers that proxies set, beside all of X-Forwarded."""

STREAMED = frozenset({"/v1/estimate/batch"})
"""Paths that bound their bodies themselves, line by line."""

OF_ADMINISTRATORS = (
    "/v1/backups", "/v1/journal", "/v1/keys", "/v1/knowledge/", "/v1/maintenance", "/v1/report/",
    "/v1/selftest",
)  # fmt: skip

ADMIN_NEEDED = Text(
    "관리자 키(ADMIN_API_KEY)가 필요합니다.", "It takes the admin key (ADMIN_API_KEY)."
)


FindAgain = Callable[[str], Awaitable[Key | None]]
"""Looks up a key that this process does not know: another one may have made it just now."""


class RequestContext(NamedTuple):
    """Who asks, as the routes see it (`request.state.context`)."""

    client: str
    request_id: str
    key: Key | None

    @property
    def caller(self) -> Caller:
        """Who asks, as estimates are told."""
        if self.key is None:
            return Caller("", "", self.client)
        return Caller(self.key.holder, self.key.key_id, self.client)


class Gatekeeper:
    """The ASGI middleware."""

    def __init__(
        self, app: ASGIApp, *, settings: Settings, keys: KeySet, find_again: FindAgain,
        limiter: Limiter, metrics: Metrics,
    ) -> None:  # fmt: skip
        """Wrap `app`; a key that is not among `keys` is refused when `find_again` finds none."""
        self._app = app
        self._keys = keys
        self._find_again = find_again
        self._metrics = metrics
        self._admin_hint = ADMIN_NEEDED if settings.admin_key_usable else EQUAL_KEYS
        self._max_body_bytes = settings.max_body_bytes
        self._max_import_bytes = settings.max_import_bytes
        self._limiter = limiter
        self._has_local_proxy = _trusts_loopback(settings)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request; pass everything else on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        client = scope["client"][0] if scope.get("client") else "-"
        exchange = _Exchange(send, new_request_id())
        key: Key | None = None
        try:
            secret = _header(scope, b"x-api-key") or ""
            needed = _scope_of(scope["path"])
            key = self._keys.find(secret)
            if key is None and needed is not None:
                key = await self._find_again(secret)
            await self._admit(scope, client, key, needed, exchange)
            context = RequestContext(client, exchange.request_id, key)
            scope.setdefault("state", {})["context"] = context
            if scope["path"] not in STREAMED:
                limit = self._limit_of(scope["path"])
                receive = _LimitedBody(receive, limit, _length(scope)).receive
            await self._app(scope, receive, exchange.send)
        except DomainError as error:
            await exchange.refuse(error)
        except DatabaseUnavailable:
            logger.exception("the database cannot be used, request=%s", exchange.request_id)
            await exchange.refuse(unavailable())
        except Exception:
            logger.exception("a request failed, request=%s", exchange.request_id)
            await exchange.refuse(internal_fault())
        ms = (time.perf_counter() - began) * 1000
        method = scope["method"]
        state = scope.get("state", {})
        key = key or state.get("key")  # who is signed in to the console
        log_access(
            client, method, scope["path"], exchange.status, ms,
            key.key_id if key else "", exchange.request_id,
            hit=state.get("hit", False),
        )  # fmt: skip
        route = scope.get("route")
        self._metrics.count_request(method, getattr(route, "path", "-"), exchange.status, ms)

    async def _admit(
        self, scope: AsgiScope, client: str, key: Key | None, needed: Scope | None,
        exchange: "_Exchange",
    ) -> None:  # fmt: skip
        path = scope["path"]
        if "\x00" in path:
            raise _with_nul()
        if needed is None:
            is_open = path != "/metrics" or (key and key.may(Scope.ADMIN))
            if not (is_open or self._is_local(scope, client)):
                raise _forbidden(self._admin_hint)
            return
        if self._limiter.is_on:
            allowance = await self._limiter.take(Client(key.holder if key else "", client))
            exchange.headers += _rate_headers(allowance)
            if not allowance.allowed:
                raise too_many(allowance)
        if key is None:
            raise _unauthenticated(_header(scope, b"x-api-key") or "")
        if not key.may(needed):
            raise _forbidden(self._admin_hint)

    def _is_local(self, scope: AsgiScope, client: str) -> bool:
        """Whether a program of this machine asks, for itself.

        Where a proxy here is trusted, whoever comes from here may be its client: one whose
        header got lost on the way.
        """
        return not (self._has_local_proxy or _is_forwarded(scope)) and _is_loopback(client)

    def _limit_of(self, path: str) -> int:
        return self._max_import_bytes if path in LARGE_BODIES else self._max_body_bytes


class _Exchange:
    """One answer under way: adds our headers, and knows whether it has begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = [
            (b"x-request-id", request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
        ]

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.get("headers", ())
            message["headers"] = [*given, *self.headers]
            if not any(name == b"cache-control" for name, _ in given):
                message["headers"].append((b"cache-control", b"no-store"))
        await self._send(message)

    async def refuse(self, error: DomainError) -> None:
        if self.status:
            return
        body = problem_body(error, self.request_id)
        headers = [
            (b"content-type", PROBLEM_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            *((name.lower().encode(), value.encode()) for name, value in headers_of(error).items()),
        ]
        start = {"type": "http.response.start", "status": status_of(error), "headers": headers}
        await self.send(start)
        await self._send({"type": "http.response.body", "body": body})


class _LimitedBody:
    """Refuses a body that is too large: by its announced length, else as soon as it is."""

    def __init__(self, receive: Receive, limit: int, announced: int | None) -> None:
        if announced is not None and announced > limit:
            raise _too_large(limit)
        self._receive = receive
        self._limit = limit
        self._read = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self._limit:
                raise _too_large(self._limit)
        return message


def _header(scope: AsgiScope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found.decode("latin-1")
    return None


def _length(scope: AsgiScope) -> int | None:
    text = _header(scope, b"content-length")
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _is_loopback(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False


def _is_forwarded(scope: AsgiScope) -> bool:
    """Whether a proxy has passed the request on, and says so."""
    return any(
        name in FORWARDED or name.startswith(b"x-forwarded-") for name, _ in scope["headers"]
    )


def _trusts_loopback(settings: Settings) -> bool:
    proxies = map(ipaddress.ip_network, filter(None, settings.trusted_proxies.split(",")))
    return any(each.is_loopback or any(own in each for own in LOOPBACK) for each in proxies)


def _rate_headers(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    values: tuple[tuple[bytes, Any], ...] = (
        (b"ratelimit-limit", allowance.limit),
        (b"ratelimit-remaining", allowance.remaining),
        (b"ratelimit-reset", allowance.reset_s),
    )
    return [(name, str(value).encode()) for name, value in values]


def _with_nul() -> DomainError:
    """Refuse what no name of ours holds, and no text in PostgreSQL can."""
    return refusal(
        ErrorCode.INVALID_REQUEST,
        Text("주소에 NUL 문자(%00)가 있습니다.", "The address holds a NUL character (%00)."),
        Text("주소에서 %00을 빼십시오.", "Leave %00 out of the address."),
    )


def _scope_of(path: str) -> Scope | None:
    """Return what it takes to ask at `path`; None: nothing."""
    if path.startswith(OF_ADMINISTRATORS):
        return Scope.ADMIN
    return Scope.API if path.startswith("/v1/") else None


def _unauthenticated(secret: str) -> DomainError:
    message = Text("API 키가 없거나 올바르지 않습니다.", "The API key is missing or wrong.")
    hint = Text("X-API-Key 헤더에 키를 넣으십시오.", "Send the key in the X-API-Key header.")
    if secret.startswith(PREFIX) and key_id_in(secret) is None:
        hint = Text(
            "키에 오타가 있습니다(검사값이 맞지 않음). 받은 그대로 붙여 넣으십시오.",
            "The key is misspelt (its checksum is wrong): paste it as it was given.",
        )
    return refusal(ErrorCode.UNAUTHENTICATED, message, hint)


def _forbidden(hint: Text) -> DomainError:
    denied = Text("이 키로는 할 수 없는 요청입니다.", "This key may not do that.")
    return refusal(ErrorCode.FORBIDDEN, denied, hint)


def too_many(allowance: Allowance) -> DomainError:
    """Return the error of a client that asks too often."""
    wait_s = allowance.retry_after_s
    return refusal(
        ErrorCode.RATE_LIMITED,
        Text(
            f"분당 요청 한도 {allowance.limit}회를 넘었습니다.", f"Over {allowance.limit} a minute."
        ),
        Text(f"{wait_s}초 뒤에 다시 보내십시오.", f"Retry after {wait_s} s."),
        retryAfter=wait_s,
    )


def _too_large(limit: int) -> DomainError:
    return refusal(
        ErrorCode.BODY_TOO_LARGE,
        Text(f"본문이 {limit}바이트를 넘습니다.", f"The body is over {limit} bytes."),
        Text("요청을 나누어 보내십시오.", "Split the request."),
    )
