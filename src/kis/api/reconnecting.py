"""Spreads clients that keep their connection over the processes of one port.

Whichever process is idle first takes a new connection, and has that client for as
long as it keeps it: of clients that come at once one process gets most. So an answer
is now and then the last on its connection; the next one goes where there is room.
"""

import random

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LAST_OF = 200
"""One answer in so many: a new connection costs less than a request."""

_CLOSE = (b"connection", b"close")


class Reconnecting:
    """The ASGI application `app`, with some answers that close their connection."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; pass everything else on."""
        if scope["type"] != "http" or random.randrange(LAST_OF):  # noqa: S311 - any would do
            await self._app(scope, receive, send)
            return

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        await self._app(scope, receive, send_last)
