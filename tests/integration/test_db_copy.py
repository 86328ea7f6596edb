"""`kis-backend db copy`: an installation moves to another database and is the same there."""

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from tests.backends import new_database
from tests.integration.lifecycle import estimate, good, verify_evidence
from tests.integration.moves import (
    KEY,
    Installation,
    another,
    answer_of,
    installed,
    killed_when,
    query,
    serving,
)
from tests.integration.program import Program, is_clear
from tests.postgres import PASSWORD
from tests.services import API_KEY, board, dumps

DIRECTIONS = [("sqlite", "postgresql"), ("postgresql", "sqlite")]
ONE_WAY = pytest.mark.parametrize("moving", DIRECTIONS[:1], ids="-to-".join, indirect=True)
"""What has to do with neither kind of database."""
MANY = 20_000
MANY_ENTRIES = f"""
INSERT INTO audit_entry (at, actor, action, subject)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
SELECT '2026-01-01 00:00:00.000000', 'test', 'test', 'an entry' FROM n
"""


Moving = tuple[Installation, str]
"""An installation, and the address of an empty database of the other kind."""
Templates = Callable[[str], Installation]


@pytest.fixture(scope="module")
def templates(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Templates:
    """Give an installation of a kind, made once and never used itself."""

    @cache
    def make(kind: str) -> Installation:
        home = tmp_path_factory.mktemp("template") / "home"
        return installed(home, new_database(kind, home / "data" / "kis.db", request))

    return make


@pytest.fixture(params=DIRECTIONS, ids="-to-".join)
def moving(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> Moving:
    before, after = request.param
    home = tmp_path / "home"
    source = new_database(before, home / "data" / "kis.db", request)
    target = new_database(after, tmp_path / "target.db", request)
    return another(templates(before), home, source), target


def test_moved_and_served(moving: Moving) -> None:
    installation, target = moving
    report = installation.report(target)
    assert report["complete"]
    assert {table["table"]: table["rows"] for table in report["tables"]} == {
        table["table"]: table["copied"] for table in report["tables"]
    }
    assert all(table["rows"] and table["verified"] for table in report["tables"])
    assert report["evidence"] == {
        "verified": 4, "valid": 4, "invalidAsBefore": 0, "invalid": [],
    }  # fmt: skip
    assert (report["differences"], report["sequences"]) == ([], [])
    given = "SELECT max(id) FROM audit_entry"
    ((last,),) = query(target, given)
    with serving(installation, target) as server:
        before = json.loads(installation.created)["id"]
        assert answer_of(server, before) == installation.created
        assert verify_evidence(server, before)["valid"]
        again = server.request(
            "POST", "/v1/estimate/create", json=board(label="키"), headers=KEY
        )  # fmt: skip
        assert again.content == installation.keyed
        assert again.headers["idempotency-replayed"] == "true"
        made = good(estimate(server, board()), 201)
        assert made["knowledgeVersion"] == "v-moved"
        assert verify_evidence(server, made["id"])["valid"]
    assert query(target, given) == [(last + 1,)]


def test_there_and_back_is_the_same(
    moving: Moving, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    installation, target = moving
    there = installation.report(target)
    kind = "sqlite" if target.startswith("postgresql") else "postgresql"
    back = new_database(kind, tmp_path / "back.db", request)
    again = installation._replace(url=target).report(back)
    digests = [[table["digest"] for table in report["tables"]] for report in (there, again)]
    assert digests[0] == digests[1]
    assert installation.report(back, "--verify-only")["complete"]


def test_id_that_was_given_once_is_not_given_again(moving: Moving) -> None:
    installation, target = moving
    query(installation.url, MANY_ENTRIES)
    ((last,),) = query(installation.url, "SELECT max(id) FROM audit_entry")
    query(installation.url, "DELETE FROM audit_entry WHERE subject = 'an entry'")
    assert installation.report(target)["complete"]
    columns = "(at, actor, action, subject) VALUES ('', '', '', '')"
    query(target, f"INSERT INTO audit_entry {columns}")
    assert query(target, "SELECT max(id) FROM audit_entry") == [(last + 1,)]


# --- interrupted ------------------------------------------------------------------------


def count_in(url: str, table: str) -> int:
    """Return how many rows a table has; 0 while there is none."""
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return 0
    try:
        return int(query(url, f'SELECT count(*) FROM "{table}"')[0][0])
    except Exception:  # noqa: BLE001 - each driver has its own: there is no such table yet
        return 0


def has_rows(url: str, table: str) -> bool:
    return count_in(url, table) > 0


def test_killed_and_gone_on_with(moving: Moving) -> None:
    installation, target = moving
    query(installation.url, MANY_ENTRIES)
    for table in ("knowledge_document", "Estimate", "audit_entry"):
        killed_when(installation, target, partial(has_rows, target, table))
    assert 0 < count_in(target, "audit_entry") < MANY
    refused = installation.program.run("estimate", "-", stdin=dumps(board()), DATABASE_URL=target)
    assert refused.returncode == 2
    assert is_clear(refused)
    assert "db copy" in refused.stderr
    report = installation.report(target)
    (entries,) = (table for table in report["tables"] if table["table"] == "audit_entry")
    assert 0 < entries["copied"] < entries["rows"]
    assert report["complete"]
    assert installation.report(target, "--verify-only")["complete"]
    with serving(installation, target) as server:
        good(estimate(server, board()), 201)


# --- differences ------------------------------------------------------------------------

CHANGES: list[tuple[str, dict[str, str | None]]] = [
    (
        "UPDATE \"Estimate\" SET customer = 'someone' WHERE label = '키'",
        {"table": "Estimate", "what": "changed", "column": "customer"},
    ),
    (
        "UPDATE idempotency_record SET body = NULL WHERE key = '2'",
        {"table": "idempotency_record", "what": "changed", "column": "body"},
    ),
    (
        "DELETE FROM audit_entry WHERE id = 1",
        {"table": "audit_entry", "what": "missing", "column": None},
    ),
    (
        "INSERT INTO audit_entry (id, at, actor, action, subject) VALUES (999, '', '', '', '')",
        {"table": "audit_entry", "what": "extra", "column": None},
    ),
]


def test_differences_are_found(moving: Moving) -> None:
    installation, target = moving
    installation.report(target)
    for change, _ in CHANGES:
        query(target, change)
    report = installation.report(target, "--verify-only", code=1)
    assert not report["complete"]
    assert all(found.pop("key") for found in report["differences"])
    assert report["differences"] == [expected for _, expected in CHANGES]
    shown = installation.copy(target, "--verify-only")
    assert shown.returncode == 1
    assert is_clear(shown)
    for _, expected in CHANGES:
        assert f"다름 {expected['table']}" in shown.stdout


@ONE_WAY
def test_copy_that_differs_is_never_done(moving: Moving) -> None:
    installation, target = moving
    query(installation.url, MANY_ENTRIES)
    killed_when(installation, target, partial(has_rows, target, "audit_entry"))
    query(target, "UPDATE \"Estimate\" SET owner = 'x' WHERE label = '키'")
    report = installation.report(target, code=1)
    assert [told["column"] for told in report["differences"]] == ["owner"]
    (fault,) = report["evidence"]["invalid"]
    assert not fault["asBefore"]
    assert "signature" in fault["reason"] or "statementDigest" in fault["reason"]
    assert installation.program.run("keys").returncode == 0
    served = installation.program.run("knowledge", "versions", DATABASE_URL=target)
    assert served.returncode == 2


@ONE_WAY
def test_evidence_that_was_forged_at_the_source(moving: Moving) -> None:
    """The copy is as good as the source, and says what is not."""
    installation, target = moving
    query(installation.url, "UPDATE evidence SET signature = '-' || substr(signature, 2)")
    report = installation.report(target)
    assert report["complete"]
    assert (report["evidence"]["valid"], report["evidence"]["invalidAsBefore"]) == (0, 4)
    assert all(fault["asBefore"] for fault in report["evidence"]["invalid"])
    checked: list[dict[str, Any]] = Program(installation.home, DATABASE_URL=target).json(
        "db", "check", code=1
    )
    assert sum(not checkup["isGood"] for checkup in checked) == 5


# --- refused ----------------------------------------------------------------------------


def refused_in(installation: Installation, source: str, target: str) -> str:
    done = installation.program.run("db", "copy", "--from", source, "--to", target)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert is_clear(done)
    assert PASSWORD not in done.stderr
    return done.stderr


@ONE_WAY
def test_target_with_another_installation(moving: Moving, tmp_path: Path) -> None:
    installation, target = moving
    installed(tmp_path / "another", target)
    assert "another installation" in refused_in(installation, installation.url, target)


@ONE_WAY
def test_target_that_is_done_or_of_another_source(
    moving: Moving, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    installation, target = moving
    installation.report(target)
    assert "--verify-only" in refused_in(installation, installation.url, target)
    revision = "alembic_version_of_the_schema_of_this_kis_database"
    query(target, f"UPDATE {revision} SET version_num = 'copy-of-another'")
    assert "unfinished copy" in refused_in(installation, installation.url, target)
    back = new_database("sqlite", tmp_path / "back.db", request)
    assert "Complete that one first" in refused_in(installation, target, back)
    query(target, f"UPDATE {revision} SET version_num = '0000'")
    assert "db migrate" in refused_in(installation, target, back)
    query(target, f"UPDATE {revision} SET version_num = '9999'")
    assert "newer KIS" in refused_in(installation, target, back)
    assert "newer KIS" in refused_in(installation, installation.url, target)


@ONE_WAY
def test_source_that_is_none(moving: Moving, tmp_path: Path) -> None:
    installation, target = moving
    nowhere = f"sqlite:///{tmp_path}/nowhere.db"
    assert "nowhere.db" in refused_in(installation, nowhere, target)
    assert not (tmp_path / "nowhere.db").exists()
    empty = Program(tmp_path / "empty").environ["DATABASE_URL"]
    assert Program(tmp_path / "empty").run("db", "migrate").returncode == 0
    assert "no server was ever started" in refused_in(installation, empty, target)


@ONE_WAY
def test_addresses_that_are_wrong(moving: Moving) -> None:
    installation, target = moving
    url = installation.url
    assert "same database" in refused_in(installation, url, url)
    for wrong in ("mysql://kis:secret@host/kis", "kis.db", "postgresql://kis:secret@host"):
        for pair in ((wrong, target), (url, wrong)):
            assert "secret" not in refused_in(installation, *pair)
    nobody = "postgresql://kis:secret@127.0.0.1:1/kis"
    assert "secret" not in refused_in(installation, url, nobody)


def test_beside_a_running_server(moving: Moving) -> None:
    installation, target = moving
    with serving(installation, installation.url) as server:
        done = installation.copy(target)
        assert done.returncode != 0
        assert is_clear(done)
        if installation.url.startswith("sqlite"):
            assert server.url in done.stderr
        good(estimate(server, board()), 201)
    assert installation.copy(target).returncode == 0
    assert API_KEY not in done.stderr


@ONE_WAY
def test_what_is_shown_has_no_password(moving: Moving) -> None:
    installation, target = moving
    done = installation.copy(target)
    assert done.returncode == 0
    assert is_clear(done)
    assert PASSWORD not in done.stdout + done.stderr
    assert "DATABASE_URL" in done.stdout
    assert done.stderr == ""
