"""What an estimate answers, and what is stored before the answer leaves."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from importlib.resources import files
from typing import Any

import pytest

from kis.access.keys import Scope, key_id_for
from kis.db.packing import unpack
from tests import sql
from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import FIRST, good, publish, rows_of
from tests.integration.problems import problem_of
from tests.services import ADMIN_API_KEY, API_KEY, Client, board

CREATE = "/v1/estimate/create"
RUNBOOK_TABLE = (
    '{"format": "csv", "content": "brand,series,model,af,poles,width_mm,height_mm,depth_mm,meta\\n'
    'LS,METASOL,METASOL-600,600,4P,350,275,103,{\\"series\\":\\"METASOL\\",\\"type\\":\\"MCCB\\"}",'
    ' "versionLabel": "v2025-09-24-02"}'
)
RUNBOOK_REQUEST = """{
    "brand": "LS",
    "form": "ECONOMIC",
    "installation": {"location": "INDOOR", "mount": "WALL"},
    "device": {"type": "MCCB"},
    "main": {"model": "METASOL-600", "af": 600, "poles": "4P"},
    "branches": [],
    "accessories": {"enabled": false, "items": []}
  }"""
MOST_USED_MODELS = """
SELECT main_model, COUNT(*) as usage_count
FROM Estimate
WHERE created_at > datetime('now', '-30 days')
GROUP BY main_model
ORDER BY usage_count DESC
LIMIT 10;
"""
TABLES = ("Estimate", "evidence", "audit_entry", "idempotency_record")
COUNT = """SELECT (SELECT COUNT(*) FROM Estimate), (SELECT COUNT(*) FROM evidence),
(SELECT COUNT(*) FROM audit_entry WHERE action = 'estimate.create'),
(SELECT COUNT(*) FROM idempotency_record)"""


def create(client: Client, request: object | None = None, **more: Any) -> Any:
    return good(client.post(CREATE, request or board(), **more), 201)


def counts(client: Client) -> dict[str, int]:
    """Count the rows that belong to estimates."""
    return dict(zip(TABLES, rows_of(client.settings.home, COUNT)[0], strict=True))


def columns_of(client: Client, table: str, where: str, value: str) -> dict[str, Any]:
    (row,) = sql.run_by_name(
        client.settings.home, f'SELECT * FROM "{table}" WHERE {where} = ?', [value]
    )
    return row


def numbers_in(value: object, path: str = "$") -> Iterator[tuple[str, int | float]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from numbers_in(child, f"{path}.{name}")
    elif isinstance(value, list):
        for child in value:
            yield from numbers_in(child, f"{path}[]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


# --- the contract of the answer --------------------------------------------------------------


def test_answer_has_every_field(client: Client) -> None:
    answer = create(client)
    assert set(answer) == {
        "id", "createdAt", "enclosure", "required", "warnings", "layout", "billOfMaterials",
        "rejected", "request", "knowledgeVersion", "rulesVersion", "engineVersion", "evidenceId",
    }  # fmt: skip
    assert set(answer["enclosure"]) >= {"W", "H", "D", "source", "model"}
    assert set(answer["required"]) == {"W", "H", "D"}
    assert set(answer["layout"]) == {"placements", "busbars", "utilisation"}
    for placement in answer["layout"]["placements"]:
        assert set(placement) == {"device", "role", "model", "x", "y", "w", "h", "rotated"}
    for rejected in answer["rejected"]:
        assert set(rejected) == {"model", "W", "H", "D", "reason"}
    assert answer["knowledgeVersion"] == FIRST


def test_board_that_a_maker_sells(client: Client) -> None:
    """SANGDO SBS-54 with SEC-53 x2 and SIE-32 x6 is sold as 500x600x150 (DOMAIN.md)."""
    answer = create(client)
    enclosure = answer["enclosure"]
    assert (enclosure["W"], enclosure["H"], enclosure["D"]) == (500, 600, 150)
    assert enclosure["source"] == "stock"
    # By hand: H = main 130 + rows 75 + 3 x 33 + 200, W = 2 x tallest branch 96 + 300.
    assert answer["required"] == {"W": 492, "H": 504, "D": 150}
    bill = [(item["category"], item.get("model"), item["quantity"]) for item in
            answer["billOfMaterials"]]  # fmt: skip
    assert ("enclosure", enclosure["model"], 1) in bill
    assert ("main", "SBS-54", 1) in bill
    assert {("branch", "SEC-53", 2), ("branch", "SIE-32", 6)} <= set(bill)


def test_lengths_are_millimetres_inside_the_enclosure(client: Client) -> None:
    answer = create(client)
    enclosure, layout = answer["enclosure"], answer["layout"]
    assert len(layout["placements"]) == 1 + 2 + 6
    for placed in layout["placements"]:
        assert 0 <= placed["x"] <= placed["x"] + placed["w"] <= enclosure["W"]
        assert 0 <= placed["y"] <= placed["y"] + placed["h"] <= enclosure["H"]
    main = next(placed for placed in layout["placements"] if placed["role"] == "main")
    assert (main["w"], main["h"], main["rotated"]) == (100, 130, False)
    branch = next(placed for placed in layout["placements"] if placed["model"] == "SIE-32")
    assert (branch["w"], branch["h"], branch["rotated"]) == (70, 33, True)


def test_whole_numbers_have_no_fraction_and_the_rest_one_digit(client: Client) -> None:
    branches = [{"model": "BKN-1P", "quantity": 3}]
    request = board(brand="LS", main={"model": "ABN-52"}, branches=branches)
    numbers = list(numbers_in(create(client, request)))
    assert ("$.layout.placements[].h", 17.8) in numbers
    for path, number in numbers:
        assert isinstance(number, int) or number != int(number), (path, number)
        assert number == round(number, 1) or path == "$.layout.utilisation"


def test_each_smaller_stock_enclosure_has_its_reason(client: Client) -> None:
    answer = create(client)
    area = answer["enclosure"]["W"] * answer["enclosure"]["H"]
    assert answer["rejected"]
    for rejected in answer["rejected"]:
        assert rejected["W"] * rejected["H"] < area
        assert rejected["reason"]


def test_ids_sort_by_time_and_agree_with_it(client: Client) -> None:
    answers = [create(client) for _ in range(3)]
    for answer in answers:
        assert answer["id"][14] == "7"
        milliseconds = int(answer["id"].replace("-", "")[:12], 16)
        created_at = datetime.fromisoformat(answer["createdAt"])
        assert created_at.utcoffset() is not None
        assert abs(created_at.timestamp() * 1000 - milliseconds) < 1000
    stamps = [answer["createdAt"] for answer in answers]
    assert stamps == sorted(stamps)
    assert len({answer["evidenceId"] for answer in answers}) == 3


def test_request_in_the_answer_is_complete_and_a_request_itself(client: Client) -> None:
    first = create(client, board(form=None, label="LP-1", customer="한빛빌딩"))
    assert first["request"]["form"] == "ECONOMIC"
    assert first["request"]["installation"]["material"] == "STEEL"
    assert (first["request"]["label"], first["request"]["customer"]) == ("LP-1", "한빛빌딩")
    second = create(client, first["request"])
    for name in ("request", "enclosure", "required", "layout", "billOfMaterials", "rejected"):
        assert second[name] == first[name]


def test_order_of_lines_does_not_matter(client: Client) -> None:
    lines = board()["branches"]
    one, other = create(client, board()), create(client, board(branches=lines[::-1]))
    assert one["request"] == other["request"]
    assert one["layout"] == other["layout"]


def test_headers_of_an_answer(client: Client) -> None:
    response = client.post(CREATE, board())
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert len(response.headers["x-request-id"]) == 20
    assert "idempotency-replayed" not in response.headers


@pytest.mark.parametrize("key", [API_KEY, ADMIN_API_KEY], ids=["api", "admin"])
def test_both_keys_may_estimate(client: Client, key: str) -> None:
    answer = create(client, key=key)
    scope = Scope.API if key == API_KEY else Scope.ADMIN
    owner = columns_of(client, "Estimate", "id", answer["id"])["owner"]
    assert owner == f"{scope}-env"
    audit = columns_of(client, "audit_entry", "subject", answer["id"])
    assert audit["actor"] == key_id_for(scope, key)


@pytest.mark.parametrize(
    "name",
    ["sample-request", "lighting-panel", "main-only", "motor-panel", "outdoor-panel"],
)
def test_shipped_samples_can_be_estimated(client: Client, name: str) -> None:
    sample = files("kis").joinpath("seed", "samples", f"{name}.json").read_text(encoding="utf-8")
    answer = create(client, json.loads(sample))
    for axis in "WHD":
        assert answer["enclosure"][axis] >= answer["required"][axis]


def test_shipped_problem_request_abstains(client: Client) -> None:
    sample = files("kis").joinpath("seed", "samples", "problem-request.json")
    response = client.post(CREATE, json.loads(sample.read_text(encoding="utf-8")))
    problem_of(response, 422, "NEED_KNOWLEDGE_UPDATE")


# --- the runbook -------------------------------------------------------------------------------


def test_request_of_the_runbook(client: Client) -> None:
    headers = {"Content-Type": "application/json"}
    tables = "/v1/knowledge/tables"
    order = {"versionLabel": "v2025-09-24-02"}
    good(client.admin("POST", f"{tables}/import", content=RUNBOOK_TABLE, headers=headers), 201)
    good(client.admin("POST", f"{tables}/validate", {**order, "sampleSize": 10}))
    good(client.admin("POST", f"{tables}/activate", {**order, "runRegression": True}))
    headers["Idempotency-Key"] = "test-new-model-1758672000"
    answer = good(client.admin("POST", CREATE, content=RUNBOOK_REQUEST, headers=headers), 201)
    assert answer["knowledgeVersion"] == "v2025-09-24-02"
    for axis, body in {"W": 350, "H": 275, "D": 103}.items():
        assert answer["enclosure"][axis] > body
    (main,) = answer["layout"]["placements"]
    assert (main["model"], main["w"], main["h"]) == ("METASOL-600", 350, 275)


@SQLITE_ONLY  # the runbook's SQL is SQLite's
def test_sql_of_the_runbook(client: Client) -> None:
    for _ in range(2):
        create(client)
    create(client, board(main={"model": "SBS-52", "poles": "2P"}))
    home = client.settings.home
    assert rows_of(home, MOST_USED_MODELS) == [("SBS-54", 2), ("SBS-52", 1)]
    (plan,) = rows_of(home, "EXPLAIN QUERY PLAN SELECT * FROM Estimate WHERE id = '123';")
    assert "USING INDEX" in plan[3]
    usage = rows_of(home, f"EXPLAIN QUERY PLAN {MOST_USED_MODELS}")
    assert "USING COVERING INDEX" in usage[0][3]
    for (table,) in rows_of(home, "SELECT name FROM sqlite_master WHERE type = 'table'"):
        assert rows_of(home, f"SELECT COUNT(*) FROM {table};")[0][0] >= 0


@SQLITE_ONLY  # the runbook's SQL is SQLite's
def test_estimates_of_thirty_days_ago_are_not_counted(client: Client) -> None:
    created = create(client)
    path = client.settings.home / "data" / "kis.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        age = "UPDATE Estimate SET created_at = datetime('now', '-31 days') WHERE id = ?"
        assert connection.execute(age, [created["id"]]).rowcount == 1
    assert rows_of(client.settings.home, MOST_USED_MODELS) == []


@SQLITE_ONLY  # the runbook's commands are SQLite's
@pytest.mark.parametrize("statement", ["PRAGMA optimize", "VACUUM", "ANALYZE", "REINDEX"])
def test_maintenance_of_the_runbook_beside_the_running_service(
    client: Client, statement: str
) -> None:
    first = create(client)
    with closing(sqlite3.connect(client.settings.home / "data" / "kis.db")) as connection:
        connection.execute(statement)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert good(client.get(f"/v1/estimate/{first['id']}")) == first
    create(client)
    assert counts(client)["Estimate"] == 2


def test_names_of_any_length_are_found_again(client: Client) -> None:
    """They stand in an index, which holds less than a row of PostgreSQL does."""
    names = [chr(0x20000 + n * 9_973 % 40_000) for n in range(400)]
    label, customer = "".join(names[:200]), "".join(names[200:])
    created = create(client, board(label=label, customer=customer))
    found = good(client.get("/v1/estimate", params={"label": label, "customer": customer}))
    assert [line["id"] for line in found["items"]] == [created["id"]]


# --- all or nothing ----------------------------------------------------------------------------


def test_what_is_stored_together(client: Client) -> None:
    headers = {"Idempotency-Key": "k-1"}
    response = client.post(CREATE, board(label="LP-1", customer="한빛"), headers=headers)
    answer = good(response, 201)
    assert counts(client) == dict.fromkeys(TABLES, 1)
    estimate = columns_of(client, "Estimate", "id", answer["id"])
    assert unpack(estimate["answer"]) == response.content
    assert len(estimate["answer"]) < len(response.content) / 4
    assert estimate["main_model"] == "SBS-54"
    assert (estimate["width_mm"], estimate["height_mm"], estimate["depth_mm"]) == (500, 600, 150)
    assert (estimate["label"], estimate["customer"]) == ("LP-1", "한빛")
    assert estimate["client"] == "127.0.0.1"
    moment = answer["createdAt"].removesuffix("Z").replace("T", " ")
    assert estimate["created_at"].startswith(moment)
    evidence = columns_of(client, "evidence", "estimate_id", answer["id"])
    assert evidence["evidence_id"] == answer["evidenceId"]
    audit = columns_of(client, "audit_entry", "subject", answer["id"])
    assert (audit["action"], audit["actor"]) == ("estimate.create", key_id_for(Scope.API, API_KEY))
    assert estimate["owner"] == "api-env"
    assert audit["digest"] == evidence["statement_digest"]
    kept = columns_of(client, "idempotency_record", "key", "k-1")
    assert (kept["estimate_id"], kept["status"]) == (answer["id"], 201)
    assert kept["owner"] == estimate["owner"]


@pytest.mark.parametrize("table", TABLES)
def test_all_is_stored_or_nothing(client: Client, table: str) -> None:
    """One of the four inserts fails: the others must not remain."""
    headers = {"Idempotency-Key": "k-1"}
    with sql.broken_table(client.settings.home, table):
        problem_of(client.post(CREATE, board(), headers=headers), 500, "INTERNAL")
    assert counts(client) == dict.fromkeys(TABLES, 0)
    create(client, headers=headers)
    assert counts(client) == dict.fromkeys(TABLES, 1)


def test_request_that_is_refused_stores_no_estimate(client: Client) -> None:
    problem_of(client.post(CREATE, {}), 422)
    assert counts(client) == dict.fromkeys(TABLES, 0)


def test_get_gives_the_very_bytes(client: Client) -> None:
    created = client.post(CREATE, board())
    found = client.get(f"/v1/estimate/{created.json()['id']}")
    assert found.status_code == 200
    assert found.content == created.content


@pytest.mark.parametrize("estimate_id", ["nothing", "00000000-0000-7000-8000-000000000000"])
def test_unknown_estimate_is_not_found(client: Client, estimate_id: str) -> None:
    problem_of(client.get(f"/v1/estimate/{estimate_id}"), 404, "NOT_FOUND")


def test_estimates_keep_their_version_when_another_becomes_active(client: Client) -> None:
    before = create(client)
    publish(client, "v-2", 'LS,TEST,T-100,100,3P,90,155,60,"{""type"":""MCCB""}"')
    after = create(client)
    assert (before["knowledgeVersion"], after["knowledgeVersion"]) == (FIRST, "v-2")
    assert good(client.get(f"/v1/estimate/{before['id']}")) == before
