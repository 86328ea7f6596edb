"""Whatever is changed in the database itself is found by verification, and named."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Float

from kis.db.metadata import Blob, metadata
from kis.db.packing import pack, unpack
from tests import sql
from tests.backends import SHARED_SQLITE_ONLY
from tests.integration.lifecycle import good
from tests.integration.problems import problem_of
from tests.integration.test_evidence import WITH_ACCESSORIES, failed, package_of, verify
from tests.services import Client

EVIDENCE_COLUMNS = {
    "evidence_id": "$.evidenceId",
    "statement_digest": "$.envelope.statementDigest",
    "key_id": "$.envelope.keyId",
    "signature": "$.envelope.signature",
    "knowledge_version": "$.statement.knowledge.version",
    "knowledge_digest": "$.statement.knowledge.digest",
    "enclosures_digest": "$.documents.enclosures",
    "rules_digest": "$.documents.rules",
    "engine_version": "$.statement.engineVersion",
    "client_digest": "$.statement.caller.clientDigest",
    "created_at": "evidence.created_at",
    "rows": "$.statement.rows",
}
ESTIMATE_COLUMNS = (
    "created_at", "main_model", "brand", "form", "label", "customer", "width_mm", "height_mm",
    "depth_mm", "enclosure_model", "knowledge_version", "request",
)  # fmt: skip
CALLER_COLUMNS = {"owner": "$.statement.caller.owner", "client": "Estimate.client"}
OF_THEIR_OWN = {"id", "answer", *CALLER_COLUMNS}
"""The key of the row, the answer, and who asked have their own tests."""


class Tampered:
    """A genuine package, the service that made it, and hands on its database."""

    def __init__(self, client: Client, hands: sql.Hands) -> None:
        self.client = client
        self.hands = hands
        self.genuine = package_of(client, WITH_ACCESSORIES)
        self.id: str = self.genuine["statement"]["estimateId"]

    def change(self, table: str, column: str, value: object, where: str, name: str) -> None:
        if not self.hands.is_sqlite:
            value = typed(table, column, value)
        update = f'UPDATE "{table}" SET {column} = ? WHERE {where} = ? RETURNING 1'
        assert self.hands.execute(update, [value, name]) == [(1,)]

    def change_estimate(self, column: str, value: object) -> None:
        self.change("Estimate", column, value, "id", self.id)

    def change_evidence(self, column: str, value: object) -> None:
        self.change("evidence", column, value, "estimate_id", self.id)

    def edit_as_text(self, table: str, column: str, old: str, new: str) -> None:
        """Store as TEXT, and not packed, what somebody edited in the sqlite3 shell."""
        key = "id" if table == "Estimate" else "estimate_id"
        where = f'FROM "{table}" WHERE {key} = ?'
        ((packed,),) = self.hands.execute(f"SELECT {column} {where}", [self.id])
        edited = unpack(packed).decode().replace(old, new)
        self.change(table, column, edited, key, self.id)
        ((kind, text),) = self.hands.execute(
            f"SELECT typeof({column}), {column} {where}", [self.id]
        )
        assert (kind, text) == ("text", edited)
        assert new in text

    def change_document(self, name: str, column: str, value: object) -> None:
        self.change("knowledge_document", column, value, "digest", self.digest_of(name))

    def digest_of(self, name: str) -> str:
        digest: str = self.genuine["statement"]["rows"][name]["digest"]
        return digest

    def stored(self, column: str) -> Any:
        ((value,),) = self.hands.execute(f'SELECT {column} FROM "Estimate" WHERE id = ?', [self.id])
        return value

    def findings(self) -> dict[str, str]:
        """Return what verification finds in a package that was fetched before the change."""
        assert good(self.client.get("/livez"))
        return failed(verify(self.client, self.genuine))

    def findings_afterwards(self) -> dict[str, str]:
        """Return what it finds in the package as it is fetched now."""
        package = good(self.client.get(f"/v1/evidence/{self.id}"))
        return failed(verify(self.client, package))


def typed(table: str, column: str, value: object) -> object:
    """Return `value` as PostgreSQL would take it: there a column keeps one type only."""
    kind = metadata.tables[table].c[column].type
    if isinstance(kind, Float):
        return 12.5
    if isinstance(kind, Blob):
        return value if isinstance(value, bytes) else str(value).encode()
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@pytest.fixture
def tampered(shared_client: Client) -> Iterator[Tampered]:
    """An estimate of its own, and hands on its database; documents are put back after it."""
    with sql.hands_on(shared_client.settings.home) as hands:
        documents = hands.execute("SELECT digest, content FROM knowledge_document")
        yield Tampered(shared_client, hands)
        hands.execute("DELETE FROM knowledge_document")
        for document in documents:
            hands.execute("INSERT INTO knowledge_document VALUES (?, ?)", document)


def test_all_columns_are_among_the_cases() -> None:
    def columns(table: str) -> set[str]:
        return set(metadata.tables[table].columns.keys())

    assert columns("evidence") == set(EVIDENCE_COLUMNS) | {"estimate_id"}
    assert columns("Estimate") == set(ESTIMATE_COLUMNS) | OF_THEIR_OWN
    assert columns("knowledge_document") == {"digest", "content"}


def test_unchanged_database(tampered: Tampered) -> None:
    assert verify(tampered.client, tampered.genuine)["valid"]


# --- evidence ---------------------------------------------------------------------------


@pytest.mark.parametrize("column", EVIDENCE_COLUMNS)
@pytest.mark.parametrize("value", ["x", b"\xff", 7], ids=repr)
def test_column_of_the_evidence(tampered: Tampered, column: str, value: object) -> None:
    tampered.change_evidence(column, value)
    assert tampered.findings()["database"].startswith(EVIDENCE_COLUMNS[column])
    assert tampered.findings_afterwards()


@pytest.mark.parametrize("value", ["", b"", b"{}", b"[", b"null", b"[1e999]"], ids=repr)
def test_rows_that_are_none(tampered: Tampered, value: object) -> None:
    tampered.change_evidence("rows", value)
    assert tampered.findings()["database"].startswith("$.statement.rows")
    assert tampered.findings_afterwards()["shape"].startswith("$.statement.rows")


def test_rows_that_say_something_else(tampered: Tampered) -> None:
    rows = json.dumps(tampered.genuine["statement"]["rows"])
    tampered.change_evidence("rows", rows.replace('"widthDmm": 750', '"widthDmm": 751').encode())
    assert tampered.findings()["database"].startswith("$.statement.rows.breakers[")
    assert "signature" in tampered.findings_afterwards()


def test_evidence_of_another_estimate(tampered: Tampered) -> None:
    """Two rows change places: each is genuine, where it does not belong."""
    other = package_of(tampered.client)["statement"]["estimateId"]
    for old, new in ((other, "aside"), (tampered.id, other), ("aside", tampered.id)):
        tampered.change("evidence", "estimate_id", new, "estimate_id", old)
    assert "database" in tampered.findings()
    assert {"statementDigest", "signature"} <= set(tampered.findings_afterwards())


def test_evidence_that_is_gone(tampered: Tampered) -> None:
    tampered.change("evidence", "estimate_id", "elsewhere", "estimate_id", tampered.id)
    assert tampered.findings() == {"database": "$.evidenceId"}
    problem_of(tampered.client.get(f"/v1/evidence/{tampered.id}"), 404, "NOT_FOUND")


# --- estimates --------------------------------------------------------------------------


@pytest.mark.parametrize("column", ESTIMATE_COLUMNS)
@pytest.mark.parametrize("value", ["x", b"\xff"], ids=repr)
def test_column_beside_the_answer(tampered: Tampered, column: str, value: object) -> None:
    tampered.change_estimate(column, value)
    assert tampered.findings() == {"database": f"Estimate.{column}"}
    assert tampered.findings_afterwards() == {"database": f"Estimate.{column}"}


@pytest.mark.parametrize("column", CALLER_COLUMNS)
@pytest.mark.parametrize("value", ["x", "", b"\xff", 7], ids=repr)
def test_who_asked(tampered: Tampered, column: str, value: object) -> None:
    tampered.change_estimate(column, value)
    assert tampered.findings() == {"database": CALLER_COLUMNS[column]}
    assert tampered.findings_afterwards()


def test_who_asked_is_in_the_package_without_the_address(tampered: Tampered) -> None:
    caller = tampered.genuine["statement"]["caller"]
    assert caller["owner"] == tampered.stored("owner")
    assert tampered.stored("client") == "127.0.0.1"
    assert "127.0.0.1" not in json.dumps(tampered.genuine)


@SHARED_SQLITE_ONLY  # its text may be no UTF-8
def test_text_that_is_no_utf_8(tampered: Tampered) -> None:
    update = "UPDATE Estimate SET label = cast(x'ff' AS TEXT) WHERE id = ?"
    tampered.hands.execute(update, [tampered.id])
    assert tampered.findings() == {"database": "Estimate.label"}


@SHARED_SQLITE_ONLY  # another column keeps no text for bytes
def test_answer_edited_as_in_the_sqlite3_shell(tampered: Tampered) -> None:
    """The edit leaves TEXT where the service keeps bytes: found and named all the same."""
    tampered.edit_as_text("Estimate", "answer", '"W":', '"W":1')
    assert tampered.findings()["database"].startswith("$.statement.result.")
    found = tampered.findings_afterwards()
    assert found["recomputation"].startswith("$.statement.result.")
    assert "shape" not in found


@SHARED_SQLITE_ONLY  # another column keeps no text for bytes
def test_rows_edited_as_in_the_sqlite3_shell(tampered: Tampered) -> None:
    tampered.edit_as_text("evidence", "rows", '"widthDmm":750', '"widthDmm":751')
    assert tampered.findings()["database"].startswith("$.statement.rows.breakers[")
    assert "signature" in tampered.findings_afterwards()


@SHARED_SQLITE_ONLY  # another column keeps no text for bytes
def test_kept_answer_edited_as_in_the_sqlite3_shell(tampered: Tampered) -> None:
    """What is replayed to the same request is what is stored, whatever its type."""
    headers = {"Idempotency-Key": "edited"}
    first = tampered.client.post("/v1/estimate/create", {}, headers=headers)
    update = "UPDATE idempotency_record SET body = cast(body AS TEXT) WHERE key = 'edited'"
    tampered.hands.execute(update)
    again = tampered.client.post("/v1/estimate/create", {}, headers=headers)
    assert (again.status_code, again.content) == (422, first.content)


def test_both_moments_moved_together(tampered: Tampered) -> None:
    tampered.change_estimate("created_at", "2020-01-01 00:00:00.000000")
    tampered.change_evidence("created_at", "2020-01-01 00:00:00.000000")
    assert tampered.findings() == {"database": "Estimate.created_at"}


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b'"W":', b'"W":1', "$.statement.result."),
        (b'"label":"MCC-1"', b'"label":"MCC-2"', "$.statement.request.label"),
        ("“옥외”".encode(), "“옥내”".encode(), "$.statement.request.note"),
        (b'"rulesVersion":"', b'"rulesVersion":"x', "$.statement.rulesVersion"),
        (b'"createdAt":"2', b'"createdAt":"1', "$.statement.createdAt"),
        (b'"knowledgeVersion":"', b'"knowledgeVersion":"x', "Estimate."),
        (b'"evidenceId":"ev', b'"evidenceId":"xx', "Estimate.answer"),
        (b'"engineVersion":"', b'"engineVersion":"x', "Estimate.answer"),
        (b'{"id":', b'{"more":1,"id":', "Estimate.answer"),
        (b'{"id":', b'{"id":"first","id":', "Estimate.answer"),
        (b'{"id":', b'{ "id":', "Estimate.answer"),
    ],
    ids=["width", "label", "note", "rules", "moment", "version", "evidence", "engine", "new field",
         "field twice", "whitespace"],
)  # fmt: skip
@pytest.mark.parametrize("is_packed", [True, False], ids=["packed", "as JSON"])
def test_answer_that_says_something_else(
    tampered: Tampered, old: bytes, new: bytes, named: str, *, is_packed: bool
) -> None:
    answer = unpack(tampered.stored("answer"))
    assert old in answer
    changed = answer.replace(old, new, 1)
    tampered.change_estimate("answer", pack(changed) if is_packed else changed)
    assert tampered.findings()["database"].startswith(named)
    assert tampered.findings_afterwards()


@pytest.mark.parametrize(
    "value", [b"", b"\xff", b"null", b"[]", b"{}", b"1e999", "{}", 0, pack(b"{}")[:-1]], ids=repr
)
def test_answer_that_is_none(tampered: Tampered, value: object) -> None:
    tampered.change_estimate("answer", value)
    assert tampered.findings()["database"].startswith("$.statement.")
    assert tampered.findings_afterwards()["shape"].startswith("$.statement.")


def test_answer_that_is_gone(tampered: Tampered) -> None:
    tampered.change_estimate("id", "elsewhere")
    assert tampered.findings() == {"database": "$.evidenceId"}


# --- documents --------------------------------------------------------------------------


def packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value).encode())


@pytest.mark.parametrize("name", ["enclosures", "rules"])
@pytest.mark.parametrize(
    "content",
    [b"", b"not compressed", packed([]), packed({}), packed(None), zlib.compress(b"{"), "text", 5,
     zlib.compress(b"[]")[:-1]],
    ids=range(9),
)  # fmt: skip
def test_content_of_a_document(tampered: Tampered, name: str, content: object) -> None:
    tampered.change_document(name, "content", content)
    assert tampered.findings()["database"].startswith(f"$.documents.{name}")
    afterwards = tampered.findings_afterwards()
    assert next(iter(afterwards.values())).startswith(f"$.documents.{name}")


@pytest.mark.parametrize("name", ["enclosures", "rules"])
def test_one_figure_in_a_document(tampered: Tampered, name: str) -> None:
    document = json.dumps(tampered.genuine["documents"][name])
    key = '"widthDmm": 3000' if name == "enclosures" else '"heightAllowanceDmm": 2000'
    assert key in document
    altered = document.replace(key, key.replace("00", "01", 1), 1)
    tampered.change_document(name, "content", zlib.compress(altered.encode()))
    found = tampered.findings()
    assert found["database"].startswith(f"$.documents.{name}")
    assert tampered.findings_afterwards()["documents"] == f"$.documents.{name}"


@pytest.mark.parametrize("name", ["enclosures", "rules"])
def test_digest_of_a_document(tampered: Tampered, name: str) -> None:
    tampered.change_document(name, "digest", "0" * 64)
    found = tampered.findings()
    assert found["recomputation"] == f"$.documents.{name}"
    assert found["database"].startswith(f"$.documents.{name}")
    assert tampered.findings_afterwards()["shape"] == f"$.documents.{name}"
