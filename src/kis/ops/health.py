"""Whether the service is ready, and what it knows."""

import logging
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from kis.db.commit_mark import touch
from kis.db.engine import Database
from kis.db.place import DISPLACED
from kis.db.transaction import Trouble
from kis.db.writer import Writer
from kis.errors import Text
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.snapshot import Snapshot
from kis.knowledge.tables import knowledge_pointer_table

ENOUGH_BYTES = 2**20
"""Of a disk that was full: where less is free, a small write may succeed and an estimate not."""

logger = logging.getLogger("kis.ops")


class Health(NamedTuple):
    """What the service serves, and why it cannot, if it cannot.

    `refusing` says why nothing is stored, where all else can be done.
    """

    knowledge_version: str
    active_tables: int
    total_rows: int
    reasons: tuple[Text, ...]
    refusing: Text | None = None

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered, those at least that store nothing."""
        return not self.reasons

    @property
    def status(self) -> str:
        """In one word: `healthy`, `degraded` or `unhealthy`."""
        if not self.is_ready:
            return "unhealthy"
        return "healthy" if self.refusing is None else "degraded"

    @property
    def told(self) -> tuple[str, ...]:
        """Why it is not healthy, in both languages."""
        reasons = self.reasons if self.refusing is None else (*self.reasons, self.refusing)
        return tuple(f"{reason.ko} / {reason.en}" for reason in reasons)


async def check_health(database: Database, writer: Writer, knowledge: ActiveKnowledge) -> Health:
    """Look at the parts that a request needs; raises nothing."""
    snapshot = knowledge.current.snapshot
    reasons = []
    if not writer.is_running:
        reasons.append(Text("저장 스레드가 멈췄습니다.", "The writer is not running."))
    if knowledge.failure is not None:
        problem = knowledge.failure.problem
        reasons.append(Text(f"활성 버전을 불러올 수 없습니다: {problem}", problem))
    if database.is_displaced():
        # Not read either: a new connection would open, or make, another file.
        reasons.append(DISPLACED.message)
        return _health(snapshot, reasons)
    try:
        pointed = await database.read(
            lambda connection: connection.scalar(select(knowledge_pointer_table.c.version_id))
        )
        if pointed is None:
            reasons.append(Text("활성 지식이 없습니다.", "No knowledge is active."))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        reasons.append(
            Text(
                f"데이터베이스를 읽을 수 없습니다 ({type(error).__name__}).",
                f"The database cannot be read ({type(error).__name__}).",
            )
        )
    return _health(snapshot, reasons, writer.trouble)


async def try_to_store(
    database: Database, file: Path | None, writer: Writer, pause: Callable[[], Awaitable[None]]
) -> None:
    """After each `pause`, where a write has failed, try one, until cancelled.

    Nobody else may write anything, and what is known to be refused is to end by itself.
    `file` is the database, None where it is a server. Not while its disk is full, nor while
    the database cannot be read: each failure is a line of the log.
    """
    while True:
        await pause()
        if writer.trouble is None or not _has_room(file):
            continue
        try:
            await database.read(lambda _: None)
            await writer.execute(touch)
            writer.trouble = None
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            logger.debug("nothing can be stored yet: %s", error)
        else:
            logger.info("what is sent is stored again")


def _has_room(file: Path | None) -> bool:
    try:
        return file is None or shutil.disk_usage(file.resolve().parent).free >= ENOUGH_BYTES
    except OSError:
        return False


def _health(snapshot: Snapshot, reasons: list[Text], trouble: Trouble | None = None) -> Health:
    return Health(
        snapshot.label,
        len(snapshot.brand_tables),
        len(snapshot.tables.breakers),
        tuple(reasons),
        None if trouble is None else _refusing(trouble),
    )


def _refusing(trouble: Trouble) -> Text:
    if trouble.is_full:
        return Text(
            "디스크가 가득 차서 저장할 수 없습니다. 조회는 됩니다.",
            "The disk is full: nothing can be stored. Reading goes on.",
        )
    return Text(
        f"저장할 수 없습니다 ({trouble.name}). 조회는 됩니다.",
        f"Nothing can be stored ({trouble.name}). Reading goes on.",
    )
