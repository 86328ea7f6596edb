"""GET /v1/estimate/{id}/drawing.svg: the stored estimate, drawn."""

from xml.etree import ElementTree as ET

import httpx
import pytest

from kis.db.packing import unpack
from tests.integration.lifecycle import good, rows_of
from tests.integration.problems import codes_and_paths, problem_of
from tests.services import Client, board

CREATE = "/v1/estimate/create"
UNKNOWN = "00000000-0000-7000-8000-000000000000"


def created(client: Client, **stated: object) -> str:
    return str(good(client.post(CREATE, board(label="LP-1", **stated)), 201)["id"])


def drawing(client: Client, estimate_id: str, query: str = "") -> httpx.Response:
    return client.get(f"/v1/estimate/{estimate_id}/drawing.svg{query}")


@pytest.mark.parametrize(("query", "lang"), [("", "ko"), ("?lang=ko", "ko"), ("?lang=en", "en")])
def test_drawing_of_an_estimate(shared_client: Client, query: str, lang: str) -> None:
    estimate_id = created(shared_client)
    response = drawing(shared_client, estimate_id, query)
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/svg+xml"
    assert response.headers["content-security-policy"] == "default-src 'none'"
    assert response.headers["x-content-type-options"] == "nosniff"
    root = ET.fromstring(response.content)  # noqa: S314 - our own
    assert root.attrib["lang"] == lang
    assert estimate_id in response.text
    answer = good(shared_client.get(f"/v1/estimate/{estimate_id}"))
    devices = {each.get("data-device") for each in root.iter()} - {None}
    assert devices == {place["device"] for place in answer["layout"]["placements"]}
    rows = {each.get("data-row") for each in root.iter()} - {None}
    lines = len(answer["request"]["branches"])
    assert rows == {"main", *(f"branches[{index}]" for index in range(lines))}


def test_same_bytes_each_time(shared_client: Client) -> None:
    estimate_id = created(shared_client)
    assert (
        drawing(shared_client, estimate_id).content == drawing(shared_client, estimate_id).content
    )


def test_head(shared_client: Client) -> None:
    path = f"/v1/estimate/{created(shared_client)}/drawing.svg"
    head = shared_client.request("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("estimate_id", [UNKNOWN, "x", "%2e%2e"])
def test_unknown_estimate(shared_client: Client, estimate_id: str) -> None:
    problem_of(drawing(shared_client, estimate_id), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("?lang=fr", "$.query.lang"),
        ("?lang=", "$.query.lang"),
        ("?language=en", "$.query.language"),
    ],
)
def test_other_queries(shared_client: Client, query: str, path: str) -> None:
    problem = problem_of(drawing(shared_client, created(shared_client), query), 400)
    assert codes_and_paths(problem) == [("INVALID_REQUEST", path)]


def test_without_a_key(shared_client: Client) -> None:
    path = f"/v1/estimate/{UNKNOWN}/drawing.svg"
    problem_of(shared_client.request("GET", path, key=None), 401, "UNAUTHENTICATED")


def test_other_methods(shared_client: Client) -> None:
    path = f"/v1/estimate/{UNKNOWN}/drawing.svg"
    for method in ("POST", "DELETE"):
        response = shared_client.request(method, path)
        problem_of(response, 405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"] == "GET, HEAD"


def test_hostile_names_stay_text(shared_client: Client) -> None:
    hostile = "</svg><script>alert(1)</script>"
    branches = [{"model": "SIE-32", "name": hostile}]
    text = drawing(shared_client, created(shared_client, branches=branches, note=hostile)).text
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_drawing_is_of_the_stored_answer(client: Client) -> None:
    """Knowledge may have changed since: what was answered is what is drawn."""
    estimate_id = created(client)
    before = drawing(client, estimate_id).content
    home = client.settings.home
    ((answer,),) = rows_of(home, 'SELECT answer FROM "Estimate" WHERE id = ?', [estimate_id])
    other = unpack(answer).replace(b"LP-1", b"LP-9")
    rows_of(home, 'UPDATE "Estimate" SET answer = ? WHERE id = ?', [other, estimate_id])
    assert drawing(client, estimate_id).content == before.replace(b"LP-1", b"LP-9")


def test_damaged_answer_is_told(client: Client) -> None:
    estimate_id = created(client)
    rows_of(
        client.settings.home, 'UPDATE "Estimate" SET answer = ? WHERE id = ?', [b"{", estimate_id]
    )
    problem = problem_of(drawing(client, estimate_id), 500, "INTERNAL")
    assert "evidence verify" in problem["hint"]
