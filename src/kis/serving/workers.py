"""Several processes that serve one port, under uvicorn's supervisor.

It starts a worker again that has died or is frozen for ten seconds, and takes SIGHUP
(restart the workers one after another, none of them before its successor is ready),
SIGTTIN and SIGTTOU (one more, one less).

What answers the supervisor in a worker is a thread, whatever its event loop does. So a
worker ends itself when its loop is blocked, or its writer has ended.
"""

import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from kis.db.engine import open_database
from kis.db.migrate import migrate
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import Text
from kis.ops.shared_counts import counting_together
from kis.ops.spawned import when_parent_ends
from kis.serving.notify import tell_alive
from kis.serving.process import DRAIN_S, CannotServe, tune
from kis.settings import Settings, SettingsError, load_settings
from kis.telemetry import configure_logging

HUNG_AFTER_S = 10
"""Who does not answer the supervisor for so long is replaced; a new worker starts in less."""
BLOCKED_AFTER_S = 13
"""Who has not beaten for so long ends itself, and is replaced before 15 s are over."""
READY_WITHIN_S = 1.0
ENDS_WITHIN_S = 2.0
"""After the requests that it was given time for."""
START_AGAIN_AFTER_S = 1.0

logger = logging.getLogger("kis")


class _Supervisor(Multiprocess):
    """Says when all workers are ready, or ends when one of the first cannot start.

    And never waits for a worker for ever: one may be frozen.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        on_ready: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(config, [listener])
        self.has_started = False
        self.is_told_to_end = False
        self._on_ready = on_ready
        self._on_end = on_end
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def _end(self, _number: int, _frame: object) -> None:
        self.is_told_to_end = True
        self._on_end()
        # Not here: whoever is interrupted may hold the event's lock.
        threading.Thread(target=self.should_exit.set).start()

    def keep_subprocess_alive(self) -> None:
        if not self.has_started:
            if any(not worker.process.is_alive() for worker in self.processes):
                self.should_exit.set()
            elif all(worker.is_ready(READY_WITHIN_S) for worker in self.processes):
                self.has_started = True
                self._on_ready()
        before = list(self.processes)
        super().keep_subprocess_alive()
        for worker in before:
            if worker not in self.processes:
                logger.warning(
                    "worker %d is replaced: it ended with %s", worker.pid, worker.exitcode
                )
                # It ended while uvicorn looked after it, which takes seconds. One that was
                # killed there, as it did not answer, is tried again.
                if not self.has_started and (worker.exitcode or 0) > 0:
                    self.should_exit.set()

    def restart_all(self) -> None:
        self.keep_subprocess_alive()  # the frozen ones first: they would not end
        super().restart_all()

    def join_all(self) -> None:
        # Who connects now is refused at once: nobody would take the connection any more.
        for listener in self.sockets:
            listener.close()
        deadline = time.monotonic() + DRAIN_S + ENDS_WITHIN_S
        for worker in self.processes:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def serve_with_workers(
    settings: Settings,
    options: dict[str, Any],
    count: int,
    listener: socket.socket,
    *,
    on_ready: Callable[[], None],
    on_end: Callable[[], None],
) -> None:
    """Serve with `count` processes until a signal comes, with `options_of` the settings.

    `on_ready` is called once all take requests, `on_end` before they are told to end.

    Raises:
        CannotServe: a worker does not start.
        DatabaseUnavailable: the database cannot be used.

    """
    # Before any worker: what is wrong is told once, and the schema made once.
    with closing(
        open_database(settings.database_url, slow_query_ms=settings.slow_query_ms)
    ) as database:
        migrate(database)
    app = f"{__name__}:{create_worker.__name__}"
    config = uvicorn.Config(
        app, factory=True, workers=count, timeout_worker_healthcheck=HUNG_AFTER_S, **options
    )
    supervisor = _Supervisor(config, listener, on_ready, on_end)
    with counting_together():
        supervisor.run()
    if not supervisor.is_told_to_end:
        raise CannotServe(
            Text(
                f"워커가 시작하지 못했습니다. 로그를 보십시오: {settings.log_file}",
                "A worker could not start: see the log.",
            )
        )


def create_worker() -> ASGIApp:
    """Return the application of one worker: what uvicorn calls in each of its processes."""
    from kis.api.reconnecting import Reconnecting  # noqa: PLC0415 - only in a worker
    from kis.app import create_app  # noqa: PLC0415

    # Killed, the supervisor ends nobody.
    when_parent_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))
    try:
        settings = load_settings(os.environ)
        configure_logging(settings)
        app = create_app(settings, _beat).asgi
    except (DatabaseUnavailable, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        # The supervisor starts the next try at once.
        time.sleep(START_AGAIN_AFTER_S)
        sys.exit(1)
    tune()
    return Reconnecting(app)


def _beat() -> None:
    """Put off the end of this worker, and tell systemd that one is well."""
    # A clock in C, which needs no lock of the interpreter's; it shows where the loop stands.
    faulthandler.dump_traceback_later(BLOCKED_AFTER_S, exit=True)
    tell_alive()
