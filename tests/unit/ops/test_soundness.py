"""What `db check` finds in databases that are sound, and in others."""

from pathlib import Path

import pytest

from kis.db.migrate import REVISION_TABLE
from kis.evidence.envelope import key_id_for
from kis.evidence.keys import Opener
from kis.ops.doctor import Checkup
from kis.ops.soundness import MAX_SHOWN, EvidenceOrder, look_over
from tests.backends import SQLITE_ONLY
from tests.postgres import PASSWORD
from tests.services import EVIDENCE_SECRET, MASTER_KEY
from tests.unit.ops.installed import FORGED, OPENER, change, install, opened

ALL = ["server", "schema", "file", "tables", "foreignKeys", "rows", "knowledge", "keys", "evidence"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def look(url: str, at_most: int | None = None, opener: Opener = OPENER) -> list[Checkup]:
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None
    order = EvidenceOrder(opener, at_most, 1)
    found = list(look_over(url, file, order, lambda *_: None))
    assert all(checkup.ko and checkup.en and "\n" not in checkup.en for checkup in found)
    return found


def bad(url: str) -> dict[str, str]:
    return {checkup.what: checkup.en for checkup in look(url) if not checkup.is_good}


def test_sound(home: Path, database_url: str) -> None:
    install(home, database_url)
    found = look(database_url)
    assert [checkup.what for checkup in found] == ALL
    assert all(checkup.is_good for checkup in found)
    assert "Estimate 3, estimate_note 0, evidence 3" in found[5].en
    assert found[8].en == "3 verified: 3 valid, 0 not"
    assert look(database_url, at_most=2)[8].en == "2 verified: 2 valid, 0 not"
    assert look(database_url, at_most=9)[8].en == "3 verified: 3 valid, 0 not"


def test_password_is_not_shown(home: Path, database_url: str) -> None:
    install(home, database_url, estimates=0)
    assert PASSWORD not in look(database_url)[0].en


def test_secrets_under_another_master_key(home: Path, database_url: str) -> None:
    """What was sealed still verifies here, by the .env; elsewhere nobody could open it."""
    install(home, database_url, estimates=1)
    other = Opener("another-" + MASTER_KEY, EVIDENCE_SECRET)
    found = {checkup.what: checkup for checkup in look(database_url, opener=other)}
    assert [what for what, checkup in found.items() if not checkup.is_good] == ["keys"]
    assert key_id_for(EVIDENCE_SECRET.encode()) in found["keys"].en


def test_forged_evidence(home: Path, database_url: str) -> None:
    ids = install(home, database_url)
    change(database_url, FORGED, id=ids[1])
    one, all_of_them = (checkup for checkup in look(database_url) if checkup.what == "evidence")
    assert one.en.startswith(f"{ids[1]}: signature $.envelope.signature")
    assert (all_of_them.is_good, all_of_them.en) == (False, "3 verified: 2 valid, 1 not")


def test_few_of_much_forged_evidence(home: Path, database_url: str) -> None:
    install(home, database_url, estimates=MAX_SHOWN + 2)
    change(database_url, "UPDATE evidence SET key_id = 'x'")
    found = [checkup for checkup in look(database_url) if checkup.what == "evidence"]
    assert len(found) == MAX_SHOWN + 1


@pytest.mark.parametrize(
    ("statement", "what", "words"),
    [
        ('DROP INDEX "ix_Estimate_created_at_main_model"', "tables", "ix_Estimate_created_at"),
        ("ALTER TABLE golden_case RENAME TO elsewhere", "tables", "golden_case"),
        ("ALTER TABLE audit_entry ADD COLUMN more TEXT", "tables", "more"),
        ("DELETE FROM knowledge_pointer", "knowledge", "no knowledge"),
        ("UPDATE knowledge_document SET content = cast('x' AS {})", "knowledge", "unpacked"),
    ],
)
def test_otherwise_than_expected(
    home: Path, database_url: str, statement: str, what: str, words: str
) -> None:
    install(home, database_url, estimates=0)
    kind = "BLOB" if database_url.startswith("sqlite") else "BYTEA"
    change(database_url, statement.format(kind))
    assert words in bad(database_url)[what]


def test_tables_of_somebody_else(home: Path, database_url: str) -> None:
    install(home, database_url, estimates=0)
    change(database_url, "CREATE TABLE theirs (id TEXT)")
    assert bad(database_url) == {}


@SQLITE_ONLY  # a server keeps them
def test_rows_that_refer_to_nothing(home: Path, database_url: str) -> None:
    ids = install(home, database_url)
    change(database_url, 'DELETE FROM "Estimate" WHERE id = :id', id=ids[0])
    assert bad(database_url)["foreignKeys"].startswith("1 rows refer")


@pytest.mark.parametrize(
    ("revision", "words"), [("0000", "db migrate"), ("9999", "9999"), ("copy-x", "db copy again")]
)
def test_revision_of_another_program(
    home: Path, database_url: str, revision: str, words: str
) -> None:
    install(home, database_url, estimates=0)
    change(database_url, f"UPDATE {REVISION_TABLE} SET version_num = '{revision}'")
    found = bad(database_url)
    assert list(found) == ["schema"]
    assert words in found["schema"]


def test_nothing_yet(database_url: str) -> None:
    with opened(database_url):
        assert "nothing yet" in bad(database_url)["schema"]


@SQLITE_ONLY
def test_file_that_is_none(database_url: str, tmp_path: Path) -> None:
    assert list(bad(database_url)) == ["server"]
    assert list(tmp_path.glob("*.db")) == []
    Path(database_url.removeprefix("sqlite:///")).write_bytes(b"no database" * 1_000)
    assert "not a database" in bad(database_url)["server"]


def test_server_that_is_none() -> None:
    found = bad("postgresql://kis:secret@127.0.0.1:1/kis")
    assert list(found) == ["server"]
    assert "secret" not in found["server"]
