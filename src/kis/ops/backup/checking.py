"""Looks a database over before it counts as a backup, or as restored."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, func, inspect, select, table, text

from kis.db.engine import Database, open_database
from kis.db.migrate import COPY_MARK, HEAD, stored_revision
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import Text
from kis.evidence.keys import Opener
from kis.knowledge.content import ContentError
from kis.ops.backup.manifest import Contents, EvidenceCount
from kis.ops.backup.packing import Tell
from kis.ops.backup.trouble import Unsound
from kis.ops.doctor import in_one_line, load_knowledge, trouble_in_file
from kis.ops.evidence_pool import SLOW_MS, Places, find_faults, ids_to_verify
from kis.ops.installation import identity

CHECK, EVIDENCE = "점검 check", "증거 evidence"
SPOT = 200
"""How much evidence is verified, by chance, unless all is asked for."""
STEPS = 4


class Order(NamedTuple):
    """What to verify evidence with: at most so many by chance, or all of it (None).

    What is not valid is looked up at `original_url`, if there is one: there it may be so too.
    """

    opener: Opener
    at_most: int | None = SPOT
    workers: int = 1
    original_url: str | None = None


def url_of(file: Path) -> str:
    """Return the address of a SQLite file."""
    return f"sqlite:///{file}"


def look_into(url: str, order: Order, tell: Tell) -> Contents:
    """Return what is in the database at `url`, once it is found to be sound.

    Pages, foreign keys, active knowledge and evidence; of a schema that is not this program's
    only pages, foreign keys and counts.

    Raises:
        Unsound: it is not.

    """
    try:
        database = open_database(url, slow_query_ms=SLOW_MS)
    except DatabaseUnavailable as error:
        raise _unreadable(error) from error
    try:
        return _look_into(database, url, order, tell)
    except (DatabaseUnavailable, ContentError) as error:
        raise _unreadable(error) from error
    finally:
        database.close()


def _unreadable(error: Exception) -> Unsound:
    line = in_one_line(error)
    return Unsound(Text(f"읽을 수 없습니다: {line}", f"cannot be read: {line}"))


def _look_into(database: Database, url: str, order: Order, tell: Tell) -> Contents:
    def step(number: int, look: Callable[[Connection], None]) -> None:
        tell(CHECK, number, STEPS)
        database.read_now(look)

    step(0, _require_pages)
    step(1, _require_references)
    tell(CHECK, 2, STEPS)
    schema = database.read_now(require_schema)
    rows = database.read_now(rows_of_all)
    tell(CHECK, 3, STEPS)
    if schema != HEAD:
        return Contents(rows, schema, None, None, None)
    version = database.read_now(load_knowledge)
    name = database.read_now(identity)
    tell(CHECK, STEPS, STEPS)
    return Contents(rows, schema, version, name, verify_evidence(database, url, order, tell))


def _require_pages(connection: Connection) -> None:
    trouble = trouble_in_file(connection)
    if trouble:
        line = in_one_line(trouble)
        raise Unsound(Text(f"파일이 손상되었습니다: {line}", f"the file is damaged: {line}"))


def _require_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return  # the server keeps them
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken:
        raise Unsound(
            Text(
                f"{broken[0]} 표에 없는 행을 가리키는 행이 있습니다({broken[2]})",
                f"rows of {broken[0]} refer to rows of {broken[2]} that are not there",
            )
        )


def require_schema(connection: Connection) -> str:
    """Return the revision of a database of KIS.

    Raises:
        Unsound: it is none, or a copy that was not completed.

    """
    revision = stored_revision(connection)
    if revision is None:
        raise Unsound(
            Text(
                "KIS의 데이터베이스가 아니거나 비어 있습니다", "it is no database of KIS, or empty"
            )
        )
    if revision.startswith(COPY_MARK):
        raise Unsound(Text("끝나지 않은 사본입니다", "it is a copy that was not completed"))
    return revision


def rows_of_all(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has, whatever tables there are."""
    return {
        name: connection.scalar(select(func.count()).select_from(table(name))) or 0
        for name in sorted(inspect(connection).get_table_names())
    }


def verify_evidence(database: Database, url: str, order: Order, tell: Tell) -> EvidenceCount:
    """Verify evidence as `order` says, and count it.

    Raises:
        Unsound: some is not valid that is so in the original.

    """
    total, pages = ids_to_verify(database, order.at_most)
    verified = 0

    def count(more: int) -> None:
        nonlocal verified
        verified += more
        tell(EVIDENCE, verified, total)

    places = Places(url, order.original_url, order.opener)
    invalid = 0
    for fault in find_faults(places, pages, total, order.workers, count):
        if order.original_url is not None and not fault.was_so:
            line = in_one_line(fault.reason)
            raise Unsound(
                Text(
                    f"증거 {fault.estimate_id}: {line}", f"evidence of {fault.estimate_id}: {line}"
                )
            )
        invalid += 1
    return EvidenceCount(verified, invalid)


def require_as_told(told: Contents, found: Contents) -> None:
    """Check that a database holds what its manifest says; evidence has its own verdict.

    Raises:
        Unsound: it does not.

    """
    if found.rows != told.rows:
        raise Unsound(
            Text("행 수가 목록과 다릅니다", "its rows are not as many as its manifest says")
        )
    allowed = told.evidence.invalid if told.evidence else 0
    if found.evidence is not None and found.evidence.invalid and not allowed:
        raise Unsound(
            Text(
                f"증거 {found.evidence.invalid:,}건이 유효하지 않습니다."
                " 그때는 EVIDENCE_SECRET이나 KIS_MASTER_KEY가 달랐습니까",
                f"{found.evidence.invalid:,} evidence packages are not valid."
                " Were EVIDENCE_SECRET or KIS_MASTER_KEY other ones then",
            )
        )
