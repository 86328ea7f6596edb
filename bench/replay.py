"""Replaying stored estimates: how many a second, against only reading them.

The estimates are written straight into a database: a million of them as a shop with
branches has them after years, one in five a board that nobody asked for before, and
popular boards asked for again and again. Answers are as long as answers are, but
empty: a replay does not read them, and must not pay for their pages.
"""

import itertools
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from bench.boards import economic
from bench.service import SECRETS
from kis.db.engine import Database, open_database
from kis.estimate.bare import bare_request
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit
from kis.estimate.verdict import Sides
from kis.estimate.workers import usable_cores
from kis.home import prepare_home
from kis.knowledge import store
from kis.knowledge.content import Documents, encode_tables, pack
from kis.knowledge.first import FIRST_LABEL, shipped_tables
from kis.knowledge.snapshot import Tables
from kis.ops.replay import Replay, ReplayOrder, prepare
from kis.ops.replay_pool import Versions, sizing
from kis.services import open_services
from kis.settings import Settings, load_settings

CHANGED_LABEL = "bench-replay"
ANSWER_BYTES = 600
BOARDS_FOR_ONE_THAT_IS_NEW = 5
POPULAR = 3
"""How unequal demand is: board number n of N is drawn at N * random ** POPULAR."""
MAINS = ("SBS-54", "SBE-104", "SBS-104", "SBS-204")
FORMS = ("ECONOMIC", "STANDARD")
MOUNTS = ("WALL", "FLUSH", "STAND")
BRANCHES = {"SIE-32": 13, "SEC-53": 11, "SES-54": 9, "SEE-103": 7}
"""Branches with how many different numbers of them there are: 0 to 36 breakers in all."""
SCATTER = 104_729
"""A prime: numbers of boards that follow each other are boards of all kinds."""
CHUNK = 2_000
WIDER_DMM = 250
INSERT = """
INSERT INTO "Estimate" (id, created_at, main_model, owner, client, brand, form, width_mm,
    height_mm, depth_mm, enclosure_model, knowledge_version, request, answer)
VALUES (?, datetime('now'), 'SBS-54', 'api-bench', '127.0.0.1', 'SANGDO', 'ECONOMIC', ?, ?, ?,
    ?, ?, ?, zeroblob(?))
"""
READ = """
SELECT id, width_mm, height_mm, depth_mm, enclosure_model, knowledge_version, request
FROM "Estimate" ORDER BY id
"""


class ReplayTime(NamedTuple):
    """What a replay took, and what only reading the same columns takes."""

    boards: int
    distinct: int
    changed: int
    workers: int
    seconds: float
    read_s: float

    @property
    def per_second(self) -> float:
        """Boards a second, versions and worker processes loaded meanwhile."""
        return self.boards / self.seconds

    @property
    def floor_ratio(self) -> float:
        """How many times as long as reading the columns it takes."""
        return self.seconds / self.read_s


def measure(home: Path, boards: int) -> ReplayTime:
    """Store `boards` estimates in a new `home`, and replay them under a changed version."""
    settings = _settings(home)
    database = open_services(settings).database
    try:
        database.write_now(_add_changed)
        versions = database.read_now(_shipped)
    finally:
        database.close()
    path = home / "data" / "kis.db"
    distinct = _fill(path, versions, boards)
    read_s = _read_s(path)
    database = open_database(settings.database_url, slow_query_ms=60_000)
    try:
        return _replay(database, boards, distinct, read_s)
    finally:
        database.close()


def _settings(home: Path) -> Settings:
    prepare_home(home)
    return load_settings({**SECRETS, "KIS_HOME": str(home)})


def _shipped(connection: Connection) -> Documents:
    return store.load_documents(connection, store.require_version(connection, FIRST_LABEL))


def _add_changed(connection: Connection) -> None:
    """Add a version in which one model is wider, and one stock size is gone."""
    base = store.load_active_version(connection)
    tables = store.load_tables(connection, base)
    packed = pack(encode_tables(_changed(tables)))
    columns = {"mode": "add", "upload_digest": "", "change_set": b"", "created_by": "bench"}
    label = CHANGED_LABEL
    version_id = store.insert_version(
        connection, label=label, base_version_id=base.id, created_at=base.created_at, **columns
    )
    counts = (base.table_count, base.total_rows)
    store.mark_validated(connection, version_id, base.id, packed, counts, base.created_at)


def _changed(tables: Tables) -> Tables:
    breakers = tuple(
        msgspec.structs.replace(row, width_dmm=row.width_dmm + WIDER_DMM)
        if row.model == "SEE-103"
        else row
        for row in tables.breakers
    )
    enclosures = tuple(row for row in tables.enclosures if row.model != "HB606015")
    return msgspec.structs.replace(tables, breakers=breakers, enclosures=enclosures)


def _fill(path: Path, versions: Documents, boards: int) -> int:
    """Write the estimates with the sizes that the shipped version gives."""
    distinct = boards // BOARDS_FOR_ONE_THAT_IS_NEW
    requests = list(itertools.islice(_requests(), distinct))
    sizes = _sizes(requests, versions)
    chance = random.Random(1)  # noqa: S311 - the same boards in every run
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # It need not survive a power cut, so it is written once and not waited for.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.executemany(INSERT, _rows(requests, sizes, boards, chance))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    return distinct


def _requests() -> Iterator[bytes]:
    """Yield distinct boards: each main, form, and mounting, with each number of branches."""
    rules = shipped_tables().rules
    kinds = list(itertools.product(MAINS, FORMS, MOUNTS))
    numbers = list(itertools.product(*(range(count) for count in BRANCHES.values())))
    for number in range(len(kinds) * len(numbers)):
        place = number * SCATTER % (len(kinds) * len(numbers))
        main, form, mount = kinds[place % len(kinds)]
        lines = zip(BRANCHES, numbers[place // len(kinds)], strict=True)
        board = {
            **economic(main, *(line for line in lines if line[1])),
            "form": form,
            "installation": {"location": "INDOOR", "mount": mount},
        }
        yield bare_request(admit(parse_board(board), rules, allow_mixed=False)[0])


def _sizes(requests: list[bytes], versions: Documents) -> list[tuple[Sides, str | None]]:
    sizes = []
    with sizing(Versions(versions, None), usable_cores()) as sizer:
        chunks = [sizer(requests[at : at + CHUNK]) for at in range(0, len(requests), CHUNK)]
        for judged in chunks:
            for judgement in judged():
                if judgement.after.sides is None:
                    message = f"a board of the benchmark is refused: {judgement.after.code}"
                    raise RuntimeError(message)
                sizes.append((judgement.after.sides, judgement.after.model))
    return sizes


def _rows(
    requests: list[bytes], sizes: list[tuple[Sides, str | None]], boards: int, chance: random.Random
) -> Iterator[tuple[object, ...]]:
    distinct = len(requests)
    for number in range(boards):
        # Each board occurs, and beyond that the popular ones.
        index = int(distinct * chance.random() ** POPULAR)
        if number % BOARDS_FOR_ONE_THAT_IS_NEW == 0:
            index = number // BOARDS_FOR_ONE_THAT_IS_NEW
        sides, model = sizes[index]
        yield (
            f"{number:036x}", *sides, model, FIRST_LABEL, requests[index], ANSWER_BYTES,
        )  # fmt: skip


def _read_s(path: Path) -> float:
    """Return the seconds that SQLite takes to hand the columns over, without SQLAlchemy."""
    with closing(sqlite3.connect(path)) as connection:
        began = time.perf_counter()
        for _ in connection.execute(READ):
            pass
        return time.perf_counter() - began


def _replay(database: Database, boards: int, distinct: int, read_s: float) -> ReplayTime:
    workers = usable_cores()
    began = time.perf_counter()
    prepared = database.read_now(lambda c: prepare(c, ReplayOrder(CHANGED_LABEL)))
    replay = Replay(database, prepared)
    with sizing(prepared.versions, workers) as sizer:
        replay.run(sizer, is_stopped=lambda: False, tell=lambda _: None)
    seconds = time.perf_counter() - began
    if replay.tally.total != boards or replay.tally.failed:
        message = f"{replay.tally.total} boards were replayed, {replay.tally.failed} failed"
        raise RuntimeError(message)
    return ReplayTime(boards, distinct, replay.tally.changed, workers, seconds, read_s)
