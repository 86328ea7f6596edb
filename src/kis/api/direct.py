"""What stands in front of FastAPI's application: three things that it does not do.

Hot routes: it wraps an endpoint in some fifteen frames: exit stacks, routers
within routers, dependencies. They take 55 us of the 430 that a create takes, and
do nothing for an endpoint that takes the request, or an id, and gives the response.

Addresses: it gives `GET /v1/estimate/create` to `/v1/estimate/{estimateId}`, which
knows no estimate of that name. An address that a route has to the letter is that
route's alone, so that a wrong method is told as such.

HEAD: it gives no GET route a HEAD, with which load balancers ask for health.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope, Send

METHOD_NOT_ALLOWED = 405
Handler = Callable[[Request, Exception], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]

ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An id of ours."""


class DirectRoute(APIRoute):
    """A route whose async endpoint takes the request alone, or the id that its path ends with.

    An address that ends with anything else is left to FastAPI, which says what is wrong.
    """


class Shortcut:
    """The ASGI application in front of FastAPI's: requests of direct routes end here."""

    def __init__(self, app: FastAPI, routes: Iterable[BaseRoute]) -> None:
        """Answer the direct ones among `routes`, errors as `app` does; pass on all others."""
        self._app = app
        self._direct: dict[tuple[str, str], APIRoute] = {}
        self._direct_by_id: dict[tuple[str, str], APIRoute] = {}
        self._exact: dict[str, APIRoute] = {}
        self._known: set[tuple[str, str]] = set()
        for route in routes:
            if isinstance(route, DirectRoute) and route.param_convertors:
                folder, _, _ = route.path.rpartition("/")
                self._direct_by_id |= {(method, folder): route for method in route.methods or ()}
            elif isinstance(route, APIRoute) and not route.param_convertors:
                keys = {(method, route.path) for method in route.methods or ()}
                self._known |= keys
                self._exact[route.path] = route
                if isinstance(route, DirectRoute):
                    self._direct |= dict.fromkeys(keys, route)
        # Faults of ours go on to the gatekeeper, as they do from the application.
        self._handlers: dict[type, Handler] = {
            kind: cast("Handler", handler)  # all of ours are async, and none is for a status
            for kind, handler in app.exception_handlers.items()
            if isinstance(kind, type) and kind is not Exception
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; pass what is not direct on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._answer_head(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = scope["method"], scope["path"]
        route = self._direct.get(key)
        if route is not None:
            scope["route"] = route
            await self._call(_call_endpoint, scope, receive, send)
        elif key not in self._known and scope["path"] in self._exact:
            scope["route"] = self._exact[scope["path"]]
            await self._call(_refuse_method, scope, receive, send)
        elif (route := self._find_by_id(*key)) is not None:
            scope["route"] = route
            await self._call(_call_by_id, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _call(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what `endpoint` returns, or what the application makes of what it raises."""
        request = Request(scope, receive)
        try:
            response = await endpoint(request)
        except Exception as error:
            kinds = (kind for kind in type(error).__mro__ if kind in self._handlers)
            kind = next(kinds, None)
            if kind is None:
                raise
            response = await self._handlers[kind](request, error)
        await response(scope, receive, send)

    def _find_by_id(self, method: str, path: str) -> APIRoute | None:
        folder, _, last = path.rpartition("/")
        route = self._direct_by_id.get((method, folder))
        return route if route is not None and ID.fullmatch(last) else None

    async def _answer_head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as a GET, without the body."""

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # A scope of its own: the server and the log go by the method that was sent.
        asked = {**scope, "method": "GET"}
        try:
            await self._answer(asked, receive, send_head)
        finally:
            scope["route"] = asked.get("route")


async def _call_endpoint(request: Request) -> Response:
    response: Response = await request.scope["route"].endpoint(request)
    return response


async def _call_by_id(request: Request) -> Response:
    _, _, last = request.scope["path"].rpartition("/")
    response: Response = await request.scope["route"].endpoint(last)
    return response


async def _refuse_method(_: Request) -> Response:
    raise HTTPException(METHOD_NOT_ALLOWED)
