"""The journal of a running service: a thread that copies, and what is to be known of it.

Whatever goes wrong here, estimates go on. It is told once, tried again, and where
something was missed a new chain begins, with a new base.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from kis.db.wal import Wal, WalState
from kis.ops.journal.copying import Broken, Copier, Position

logger = logging.getLogger("kis.journal")

POLL_S = 0.4
RETRY_S = 5.0
END_S = 3.0
"""How long the end of the service waits for a disk that hangs."""


class Journal:
    """Follows the log of one database; see `kis.ops.journal.bases` for the other half.

    `trouble` says what is wrong, or is empty.
    """

    def __init__(self, wal: Wal, folder: Path, now_ns: Callable[[], int]) -> None:
        """Prepare to copy `wal` into `folder`; `now_ns` gives the time in ns since 1970."""
        self.folder = folder
        self.trouble = ""
        self._wal = wal
        self._now_ns = now_ns
        self._copier = Copier(wal, folder, now_ns)
        self._began_ns = 0
        self._has_begun = False
        self._is_whole = False
        self._position: Position | None = None
        self._retry_ns = 0
        self._wake = threading.Event()
        self._is_ending = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="kis-journal", daemon=True)

    # --- what is to be known -----------------------------------------------------------------

    @property
    def lag_s(self) -> float:
        """For how long nothing was copied: what was committed since is not in the journal."""
        since_ns = self._copier.through_ns or self._began_ns
        return max(0.0, (self._now_ns() - since_ns) / 1e9)

    def position(self) -> Position | None:
        """Return where the copy stood after the last turn; None while there is no chain."""
        with self._news:
            return self._position

    def position_after(self, moment_ns: int, seconds: float) -> Position | None:
        """Return where the copy stands once all is copied that was committed by `moment_ns`.

        None: not in so many seconds.
        """

        def is_there() -> bool:
            return self._position is not None and self._position.through_ns >= moment_ns

        self._wake.set()
        with self._news:
            return self._position if self._news.wait_for(is_there, seconds) else None

    def hurry(self) -> None:
        """Copy what there is, now. For the writer."""
        self._wake.set()

    def wait_for(self, state: WalState, seconds: float) -> bool:
        """Wait until everything up to `state` is copied; whether it is. For the writer."""

        def is_there() -> bool:
            salt, frames, _ = self._copier.synced
            return salt == state.salt and frames >= state.frames

        if is_there():
            return True
        if self.trouble:
            return False
        self._wake.set()
        with self._news:
            return self._news.wait_for(is_there, seconds)

    # --- the thread --------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to follow; before anybody writes."""
        self._began_ns = self._now_ns()
        try:
            self._wal.follow(self, self._now_ns)
        except OSError as error:
            self._wal.let_go()
            self._fail(error)
            return
        self._thread.start()

    def stop(self) -> None:
        """Copy the rest, after the last write; the thread ends."""
        self._is_ending = True
        self._wake.set()
        if self._thread.ident is not None:
            # A disk that hangs shall not keep the service from ending.
            self._thread.join(END_S)
        self._wal.stop_following()

    def finish(self) -> None:
        """Note that nothing is missing, so that the next start can go on; after the closing."""
        if self._thread.is_alive():
            return
        try:
            if self._is_whole and not self.trouble:
                self._copier.finish()
            self._copier.close()
        except (OSError, Broken) as error:
            self._fail(error)

    def _run(self) -> None:
        while not self._is_ending:
            self._turn()
            self._wake.wait(POLL_S)
            self._wake.clear()
        self._retry_ns = 0
        self._turn()

    def _turn(self) -> None:
        if self._now_ns() < self._retry_ns:
            return
        try:
            self._is_whole = self._copy()
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a disk does
            self._fail(error)
        else:
            self._recover()
        with self._news:
            self._position = self._copier.position() if self._is_whole else None
            self._news.notify_all()
        self._wal.bring_over()

    def _copy(self) -> bool:
        try:
            if not self._has_begun:
                self._copier.begin()
                self._has_begun = True
            if self._copier.chain is None:
                self._copier.begin_anew()
            return self._copier.poll()
        except Broken as broken:
            logger.warning("the journal begins anew: %s", broken)
            self._has_begun = True
            self._copier.begin_anew()
            return self._copier.poll()

    def _fail(self, error: Exception) -> None:
        self._is_whole = False
        self._retry_ns = self._now_ns() + int(RETRY_S * 1e9)
        reason = f"{type(error).__name__}: {error}"
        if not self.trouble:
            logger.error("the journal cannot be written: %s", reason)
        self.trouble = reason
        self._copier.drop_file()

    def _recover(self) -> None:
        if self.trouble:
            self.trouble = ""
            logger.warning("the journal is written again")
