"""The OpenAPI document is what the service does, and the page that shows it needs no network."""

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # has no stubs

from kis.api.errors import STATUS
from kis.errors import ErrorCode
from tests.backends import own_programs
from tests.integration.batches import BATCH, NDJSON, send_batch
from tests.integration.lifecycle import FIRST, ask, good, main_only
from tests.integration.problems import HANGUL
from tests.services import ADMIN_API_KEY, Client, Server, board

__all__ = ["own_programs"]

Operation = tuple[str, str, dict[str, Any]]
OUTSIDE = {"/metrics", "/api-docs", "/openapi.json"}
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
WITHOUT_BODY = ("/v1/backups", "/v1/backups/{file}/note", "/v1/maintenance", "/v1/selftest")
APART = "^/v1/keys/|^/v1/backups"
"""What ends keys, and what takes seconds."""
EVERYWHERE = {"401", "403", "429", "500", "503"}


@pytest.fixture(scope="module")
def document(shared_client: Client) -> Any:
    return good(shared_client.request("GET", "/openapi.json", key=None))


def operations(document: Any) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def validate(document: Any, schema: Any, value: object) -> None:
    """Check `value`; references of `schema` lead into the components of `document`."""
    whole = {**schema, "components": document["components"]}
    Draft202012Validator(whole).validate(value)


# --- the document --------------------------------------------------------------------------------


def test_version_of_the_format(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "KIS"
    assert document["components"]["securitySchemes"] == {
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    }


def test_schemas_are_schemas_and_lead_somewhere(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    names = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document)))
    assert names <= set(schemas)
    assert len(names) > 30
    assert set(re.findall(r"'\$ref': '([^']+)'", str(document))) == {
        f"#/components/schemas/{name}" for name in names
    }


def test_evidence_tells_its_unit_of_length(document: Any) -> None:
    shown = document["paths"]["/v1/evidence/{estimateId}"]["get"]["responses"]["200"]
    taken = document["paths"]["/v1/evidence/verify"]["post"]["requestBody"]
    for place in (shown, taken):
        assert "0.1 mm" in place["content"]["application/json"]["schema"]["description"]


def test_schemas_have_plain_names(document: Any) -> None:
    """Two types of one name would be shown with the names of their modules."""
    assert [name for name in document["components"]["schemas"] if not name.isidentifier()] == []


def test_every_route_is_documented(shared_client: Client, document: Any) -> None:
    gatekeeper: Any = shared_client.application.asgi
    beside_the_console = inspect.getclosurevars(gatekeeper._app).nonlocals["others"]
    found = set()
    for route in beside_the_console._app.routes:
        inner = route.original_router.routes if hasattr(route, "original_router") else [route]
        found |= {
            (method, each.path)
            for each in inner
            if isinstance(each, APIRoute)
            for method in each.methods or ()
        }
    documented = {(method, path) for method, path, _ in operations(document)}
    assert {(method, path) for method, path in found if path not in OUTSIDE} == documented
    assert len(documented) >= 20


def test_operations_are_told_apart(document: Any) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)


def test_every_operation_says_what_it_does_in_both_languages(document: Any) -> None:
    for method, path, operation in operations(document):
        words = operation["summary"] + operation.get("description", "")
        assert HANGUL.search(words), (method, path)
        assert re.search("[A-Za-z]{3}", words), (method, path)
        assert len(operation["tags"]) == 1


def test_every_operation_says_who_may(document: Any) -> None:
    for method, path, operation in operations(document):
        is_open = not path.startswith("/v1/")
        assert operation["security"] == ([] if is_open else [{"apiKey": []}]), (method, path)
        if not is_open:
            assert set(operation["responses"]) >= EVERYWHERE, (method, path)


def test_every_error_has_the_one_shape(document: Any) -> None:
    for method, path, operation in operations(document):
        if not path.startswith("/v1/"):
            continue
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"] == PROBLEM, (method, path, status)
                codes = re.findall(r"`(\w+)`", response["description"])
                assert codes
                assert {STATUS[ErrorCode(code)] for code in codes} == {int(status)}


def test_every_code_is_documented_somewhere(document: Any) -> None:
    told = set(re.findall(r"`([A-Z_]+)`", str([o["responses"] for *_, o in operations(document)])))
    assert told == set(ErrorCode) - {ErrorCode.METHOD_NOT_ALLOWED}


def test_every_body_has_an_example_that_is_valid(document: Any) -> None:
    bodies = 0
    for method, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None and path != "/v1/evidence/verify":
            validate(document, content["schema"], content["example"])
            bodies += 1
        if path not in (BATCH, *WITHOUT_BODY):
            assert (method in ("POST", "PUT")) == (content is not None), path
    assert bodies == 14


def test_lines_of_a_batch_are_as_documented(client: Client) -> None:
    """The schemas of its bodies are those of a line; the example is a body that works."""
    document = good(client.get("/openapi.json"))
    operation = document["paths"][BATCH]["post"]
    taken = operation["requestBody"]["content"][NDJSON]
    lines = [json.loads(line) for line in taken["example"].splitlines()]
    for line in lines:
        validate(document, taken["schema"], line)
    answers = send_batch(client, *lines, {"idempotencyKey": "k"})
    assert [answer["status"] for answer in answers] == [201, 201, 422]
    for answer in answers:
        validate(document, operation["responses"]["200"]["content"][NDJSON]["schema"], answer)


def test_examples_work_as_they_are(client: Client) -> None:
    """In the order of a day: a table comes in, boards are estimated, the table goes out."""
    paths = good(client.get("/openapi.json"))["paths"]
    for path, status in {
        "/v1/knowledge/tables/import": 201,
        "/v1/knowledge/tables/validate": 200,
        "/v1/knowledge/tables/activate": 200,
        "/v1/estimate/validate": 200,
        "/v1/estimate/preview": 200,
        "/v1/estimate/create": 201,
        "/v1/knowledge/golden": 201,
        "/v1/knowledge/tables/rollback": 200,
        "/v1/knowledge/replay": 200,
    }.items():
        example = paths[path]["post"]["requestBody"]["content"]["application/json"]["example"]
        good(client.admin("POST", path, example), status)


def test_answers_are_as_documented(client: Client) -> None:
    document = good(client.get("/openapi.json"))
    created = good(client.post("/v1/estimate/create", board()), 201)
    client.post("/v1/estimate/create", main_only("NO-SUCH"))
    package = good(client.get(f"/v1/evidence/{created['id']}"))
    answers = {
        ("post", "/v1/estimate/create", "201"): created,
        ("post", "/v1/evidence/verify", "200"): good(client.post("/v1/evidence/verify", package)),
        ("get", "/v1/evidence/{estimateId}", "200"): package,
        ("get", "/v1/estimate/{estimateId}", "200"): ask(client, f"/v1/estimate/{created['id']}"),
        ("post", "/v1/estimate/validate", "200"): good(client.post("/v1/estimate/validate", {})),
        ("post", "/v1/estimate/preview", "200"): good(client.post("/v1/estimate/preview", board())),
    }
    path, shown = "/v1/estimate/{estimateId}/note", f"/v1/estimate/{created['id']}/note"
    answers["get", path, "200"] = ask(client, shown)
    written = client.request("PUT", shown, json={"note": "확정", "revision": 0})
    answers["put", path, "200"] = good(written)
    path, order = "/v1/knowledge/replay", {"versionLabel": FIRST}
    answers["post", path, "200"] = good(client.admin("POST", path, order))
    for path in (
        "/v1/estimate", "/v1/knowledge/versions", "/v1/knowledge/versions/active",
        "/v1/knowledge/questions", "/v1/knowledge/golden", "/v1/models", "/v1/choices",
        "/health", "/livez", "/readyz",
    ):  # fmt: skip
        answers["get", path, "200"] = ask(client, path)
    documented = document["paths"]["/v1/estimate/{estimateId}/drawing.svg"]["get"]["responses"]
    assert list(documented["200"]["content"]) == ["image/svg+xml"]
    for (method, path, status), answer in answers.items():
        responses = document["paths"][path][method]["responses"]
        schema = responses[status]["content"]["application/json"]["schema"]
        validate(document, schema, answer)
        assert answer != []


# --- the page ------------------------------------------------------------------------------------

REFERENCE = re.compile(r"""(?:href|src)=["']?([^"'\s>]+)""")


def test_page_and_its_files_load_without_the_network(shared_client: Client) -> None:
    page = shared_client.request("GET", "/api-docs", key=None)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    references = REFERENCE.findall(page.text)
    kinds = {".css": "text/css", ".js": "javascript", ".png": "image/png"}
    assert {Path(reference).suffix for reference in references} == set(kinds)
    for reference in references:
        assert reference.startswith("/static/")
        found = shared_client.request("GET", reference, key=None)
        assert found.status_code == 200, reference
        assert kinds[Path(reference).suffix] in found.headers["content-type"]
        assert found.content


def test_nothing_comes_from_elsewhere(shared_client: Client) -> None:
    """Neither the page nor its style nor its entry script names another host."""
    page = shared_client.get("/api-docs").text
    assert not re.search(r"(?:https?:)?//[a-z]", page)
    style = shared_client.get("/static/swagger-ui/swagger-ui.css").text
    assert {url[:5] for url in re.findall(r"url\([\"']?([^)\"']+)", style)} <= {"data:"}
    assert "@import" not in style
    start = shared_client.get("/static/swagger-ui/start.js").text
    (address,) = re.findall(r'url: "([^"]+)"', start)
    assert urljoin("http://kis/api-docs", address) == "http://kis/openapi.json"
    assert "://" not in start


def test_browser_is_told_to_load_nothing_from_elsewhere(shared_client: Client) -> None:
    page = shared_client.get("/api-docs")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "http" not in policy
    assert "unsafe-eval" not in policy
    # Without 'unsafe-inline' for scripts no script may stand in the page itself.
    assert not re.search(r"<script>|<script[^>]*>[^<]|\son\w+=", page.text)


@pytest.mark.parametrize(
    "name", ["../../../app.py", "..%2f..%2fapp.py", "%2e%2e/start.py", "", "."]
)
def test_static_files_are_those_of_the_page_alone(shared_client: Client, name: str) -> None:
    assert shared_client.get(f"/static/{name}").status_code == 404


# --- whatever the document allows ----------------------------------------------------------------


def test_schemathesis(server: Server, tmp_path: Path) -> None:
    """Every operation with generated requests, good and bad, in all phases and all checks but one.

    That one asks that whatever the schema allows be accepted. A schema cannot say
    what the gates and the tables say. Nor can it write NDJSON: batches have
    their own tests.
    """
    log = attack(server, tmp_path, "--exclude-path", BATCH, "--exclude-path-regex", APART)
    assert len(log.splitlines()) > 1_000
    good(server.request("POST", "/v1/estimate/create", json=board()), 201)


def test_schemathesis_of_what_ends_keys(server: Server, tmp_path: Path) -> None:
    """Apart from the rest: it finds the ids of keys, ends them, and may lock itself out."""
    log = attack(server, tmp_path, "--include-path-regex", "^/v1/keys")
    assert len(log.splitlines()) > 100


@pytest.mark.usefixtures("own_programs")
def test_schemathesis_of_backups(server: Server, tmp_path: Path) -> None:
    """Apart from the rest: each that is made takes a process, and half a second."""
    good(server.request("POST", "/v1/backups", key=ADMIN_API_KEY), 201)
    only = ("--include-path-regex", "^/v1/backups", "--request-timeout", "60")
    log = attack(server, tmp_path, *only)
    assert log.count('"POST /v1/backups" 201') > 1
    assert '"GET /v1/backups" 200' in log


def attack(server: Server, folder: Path, *paths: str) -> str:
    """Send generated requests; return the log."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("st")), "run", f"{server.url}/openapi.json",
            "--header", f"X-API-Key: {ADMIN_API_KEY}", "--max-examples", "10", "--seed", "1",
            "--exclude-checks", "positive_data_acceptance", *paths,
            "--no-color", "--warnings", "off",
        ],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2_000:]
    log = (server.home / "logs" / "kis-backend.log").read_text(encoding="utf-8")
    assert " ERROR " not in log
    return log
