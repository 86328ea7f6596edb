"""Whether source and target of a move are what they must be, and the mark of a copy."""

import time

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from kis.db.engine import Database
from kis.db.locks import NUMBER_OF_COPY, lock_installation
from kis.db.migrate import COPY_MARK, HEAD, migrate, set_revision, stored_revision
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import Text
from kis.korean import with_particle
from kis.ops.installation import COUNTED, count_rows, identity, last_id_given

OTHERS_LEAVE_S = 5.0
"""How long a process that was killed may take to be gone from a server's list."""


class Refused(Exception):  # noqa: N818 - says what is the case
    """Something about source or target is not as it must be."""

    def __init__(self, words: Text) -> None:
        """Keep `words`."""
        super().__init__(words.en)
        self.words = words


def require_source(origin: Connection) -> str:
    """Return the identity of the installation that is to be moved."""
    revision = stored_revision(origin)
    if revision is not None and revision.startswith(COPY_MARK):
        raise Refused(
            Text(
                "원본이 끝나지 않은 사본입니다. 그 복사를 먼저 끝내십시오.",
                "The source is a copy that was not completed. Complete that one first.",
            )
        )
    if revision is not None and revision < HEAD:
        raise Refused(
            Text(
                f"원본의 스키마가 오래되었습니다({revision}, 이 프로그램은 {HEAD})."
                " 원본을 DATABASE_URL로 하여 kis-backend db migrate를 먼저 실행하십시오.",
                f"The source is at schema revision {revision}, this program at {HEAD}:"
                " run kis-backend db migrate with the source as DATABASE_URL first.",
            )
        )
    if revision is not None and revision != HEAD:
        raise Refused(
            Text(
                f"원본은 더 새로운 KIS가 썼습니다(개정 {revision}).",
                f"A newer KIS has written the source (revision {revision}).",
            )
        )
    name = None if revision is None else identity(origin)
    if name is None:
        raise Refused(
            Text(
                "원본에 옮길 설치가 없습니다: 한 번도 시작하지 않은 데이터베이스입니다.",
                "There is no installation in the source: no server was ever started on it.",
            )
        )
    return name


OTHERS = text("""
SELECT client_addr::text FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'kis-backend%'
AND pid <> ALL(:ours)
""")


SOURCE = Text("원본", "source")


def require_nobody_else(source: Database, name: Text = SOURCE) -> None:
    """Wait until no other process of ours is connected to a server; a file has a lock.

    `name` is what the refusal calls it.

    What others committed last is seen by those who read after this has returned.

    Raises:
        Refused: somebody stays.

    """
    if source.write_engine.dialect.name != "postgresql":
        return
    pid = text("SELECT pg_backend_pid()")
    with source.write_engine.connect() as second:
        ours = [source.read_now(lambda c: c.scalar(pid)), second.scalar(pid)]
        deadline = time.monotonic() + OTHERS_LEAVE_S
        while True:
            others = second.execute(OTHERS, {"ours": ours}).scalars().all()
            second.rollback()
            if not others:
                return
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
    who = ", ".join(sorted({address or "local" for address in others}))
    raise Refused(
        Text(
            f"다른 kis-backend가 {with_particle(name.ko, '을/를')} 쓰고 있습니다({who})."
            " 서버를 멈춘 뒤 다시 하십시오.",
            f"Another kis-backend is connected to the {name.en} ({who}). Stop it, then try again.",
        )
    )


def require_unchanged(source: Database, origin: Connection) -> None:
    """Check that nothing was written since `origin` began to read.

    Raises:
        Refused: something was, so that the copy is not of what is there now.

    """
    if source.read_now(_state) != _state(origin):
        raise Refused(
            Text(
                "복사하는 동안 원본이 바뀌었습니다. 서버를 멈추고 같은 명령으로 이어서 하십시오.",
                "The source was written to meanwhile. Stop the server: the same command goes on.",
            )
        )


def _state(connection: Connection) -> tuple[dict[str, int], list[int]]:
    # Whatever is written leaves an audit entry, whose ids only grow.
    return count_rows(connection), [last_id_given(connection, table) for table in COUNTED]


# --- the target -------------------------------------------------------------------------


def begin_copy(target: Database, name: str) -> None:
    """Make `target` a copy of `name` that was begun: it is empty, or such a copy already.

    Raises:
        Refused: it holds something else, or a newer program has written it.

    """
    revision = target.read_now(stored_revision)
    if revision is None or not revision.startswith(COPY_MARK):
        try:
            migrate(target)
        except DatabaseUnavailable as error:
            raise Refused(
                Text("대상의 스키마를 맞출 수 없습니다.", f"The target cannot be used: {error}.")
            ) from error
    target.write_now(lambda connection: _mark(connection, name))


def _mark(connection: Connection, name: str) -> None:
    lock_installation(connection)
    revision = stored_revision(connection)
    if revision == COPY_MARK + name:
        return
    if revision != HEAD:
        raise Refused(
            Text(
                "대상은 다른 설치의 끝나지 않은 사본입니다. 빈 데이터베이스를 쓰십시오.",
                "The target is an unfinished copy of another installation. Use an empty database.",
            )
        )
    if any(count_rows(connection).values()):
        if identity(connection) == name:
            raise Refused(
                Text(
                    "대상에 이미 이 설치가 있습니다. 비교만 하려면 --verify-only를 쓰십시오.",
                    "The target has this installation already. To compare, use --verify-only.",
                )
            )
        raise Refused(
            Text(
                "대상에 이미 다른 설치가 있습니다. 빈 데이터베이스를 쓰십시오.",
                "The target holds another installation. Use an empty database.",
            )
        )
    set_revision(connection, COPY_MARK + name)


def require_copy(target: Database, name: str) -> None:
    """Check that `target` can be compared.

    Raises:
        Refused: it has not the schema of this program.

    """
    if target.read_now(stored_revision) not in (HEAD, COPY_MARK + name):
        raise Refused(
            Text(
                "대상에 비교할 사본이 없습니다. --verify-only 없이 먼저 복사하십시오.",
                "There is no copy in the target to compare. Copy first, without --verify-only.",
            )
        )


def be_only_copy(writing: Connection) -> None:
    """Be the only copy into a server's database, as long as this connection lasts.

    Raises:
        Refused: another one is at work.

    """
    if writing.dialect.name != "postgresql":
        return
    try:
        with writing.begin():
            writing.execute(text("SELECT pg_advisory_lock(:number)"), {"number": NUMBER_OF_COPY})
    except OperationalError as error:
        if error.connection_invalidated:
            raise
        raise Refused(
            Text(
                "다른 db copy가 같은 대상에 쓰고 있습니다.",
                "Another db copy is writing into this target.",
            )
        ) from error
