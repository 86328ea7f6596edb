"""The event loop of a process that serves, with bounds for what TLS takes."""

from typing import Any

import uvloop

from kis.serving.bounded import HEAD_WITHIN_S


class Loop(uvloop.Loop):
    """uvloop's, but a client does not have a minute for its handshake."""

    async def create_server(self, *arguments: Any, **options: Any) -> Any:
        """Listen as ever."""
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = HEAD_WITHIN_S
        return await super().create_server(*arguments, **options)
