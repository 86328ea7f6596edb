"""Whether the service is ready, and what it knows."""

from typing import NamedTuple

from sqlalchemy import select

from kis.db.engine import Database
from kis.db.place import DISPLACED
from kis.db.writer import Writer
from kis.errors import Text
from kis.knowledge.active import ActiveKnowledge
from kis.knowledge.snapshot import Snapshot
from kis.knowledge.tables import knowledge_pointer_table


class Health(NamedTuple):
    """What the service serves, and why it cannot, if it cannot."""

    knowledge_version: str
    active_tables: int
    total_rows: int
    reasons: tuple[Text, ...]

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered."""
        return not self.reasons


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
    return _health(snapshot, reasons)


def _health(snapshot: Snapshot, reasons: list[Text]) -> Health:
    return Health(
        snapshot.label,
        len(snapshot.brand_tables),
        len(snapshot.tables.breakers),
        tuple(reasons),
    )
