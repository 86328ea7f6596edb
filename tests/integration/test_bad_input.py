"""Hostile input: always a 4xx of the one shape, never a 5xx, and the service goes on."""

import gzip
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.lifecycle import good
from tests.integration.problems import codes_and_paths, problem_of
from tests.services import ADMIN_API_KEY, Client, board

JSON = {"Content-Type": "application/json"}
POSTS = (
    "/v1/estimate/create",
    "/v1/estimate/validate",
    "/v1/estimate/preview",
    "/v1/evidence/verify",
    "/v1/knowledge/tables/import",
    "/v1/knowledge/tables/validate",
    "/v1/knowledge/tables/activate",
    "/v1/knowledge/tables/rollback",
    "/v1/knowledge/golden",
)
BOARDS = POSTS[:3]
GOOD = json.dumps(board()).encode()
NUMBER = b'{"main": {"af": %s}}'
NOT_JSON = {
    "empty": b"",
    "blank": b" \r\n\t",
    "cut off": GOOD[:-1],
    "two values": GOOD + GOOD,
    "trailing comma": b'{"brand": "LS",}',
    "comment": b'{"brand": "LS" /* maker */}',
    "single quotes": b"{'brand': 'LS'}",
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "NaN": NUMBER % b"NaN",
    "Infinity": NUMBER % b"-Infinity",
    "leading zero": NUMBER % b"050",
    "plus": NUMBER % b"+50",
    "hex": NUMBER % b"0x32",
    "beyond a double": NUMBER % b"1e400",
    "10**400": NUMBER % (b"1" + b"0" * 400),
    "a million digits": NUMBER % (b"9" * 1_000_000),
    "2**53": NUMBER % b"9007199254740992",
    "duplicate key": b'{"brand": "LS", "brand": "SANGDO"}',
    "duplicate key, escaped": b'{"brand": "LS", "br\\u0061nd": "SANGDO"}',
    "duplicate key, deep": b'{"main": {"af": 50, "af": 60}}',
    "lone surrogate": b'{"label": "\\ud800"}',
    "lone surrogate, reversed": b'{"label": "\\udc00\\ud800"}',
    "lone surrogate in a key": b'{"\\udfff": 1}',
    "surrogate in UTF-8": b'{"label": "\xed\xa0\x80"}',
    "not UTF-8": b'{"label": "\xff\xfe"}',
    "CP949": '{"label": "한빛"}'.encode("cp949"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "overlong": b'{"label": "\xc0\xaf"}',
    "raw control character": b'{"label": "a\x01b"}',
    "raw newline": b'{"label": "a\nb"}',
    "nested arrays": b"[" * 100_000,
    "nested arrays, closed": b"[" * 100_000 + b"]" * 100_000,
    "nested objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "gzip": gzip.compress(GOOD),
    "form": b"brand=LS&form=ECONOMIC",
    "XML": b"<?xml version='1.0'?><board/>",
    "null bytes": b"\x00" * 1_000,
}
WRONG_KINDS: list[Any] = [
    None, True, 0, -1, 1.5, "", "text", [], [[]], {}, {"a": {}}, "x" * 100_000, 2**53 - 1,
    ["1P"], {"model": "x"}, "\x00", "1p", "NaN",
]  # fmt: skip
PLACES = (
    "brand", "form", "installation", "installation.location", "installation.mount",
    "installation.material", "device", "device.type", "main", "main.model", "main.af",
    "main.poles", "main.at", "main.type", "main.brand", "main.name", "branches", "branches.0",
    "branches.0.model", "branches.0.af", "branches.0.poles", "branches.0.quantity",
    "branches.0.brand", "branches.0.type", "branches.0.name", "accessories",
    "accessories.enabled", "accessories.items", "accessories.items.0",
    "accessories.items.0.code", "accessories.items.0.quantity", "label", "customer", "note",
    "unknown",
)  # fmt: skip


def send(client: Client, path: str, body: bytes, **headers: str) -> httpx.Response:
    return client.request(
        "POST", path, key=ADMIN_API_KEY, content=body, headers={**JSON, **headers}
    )


def changed(place: str, value: Any) -> dict[str, Any]:
    """Return the board with `value` at `place`."""
    request = board(accessories={"enabled": True, "items": [{"code": "MC-22"}]})
    *parents, last = [int(key) if key.isdigit() else key for key in place.split(".")]
    inner: Any = request
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return request


def assert_refused_or_answered(response: httpx.Response) -> None:
    """4xx of the one shape, or what the contract promises for a good request."""
    if response.status_code >= 300:
        assert response.status_code < 500, response.text
        problem_of(response)
        assert len(response.content) < 300_000


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("name", NOT_JSON)
def test_body_that_is_not_our_json(shared_client: Client, path: str, name: str) -> None:
    problem = problem_of(send(shared_client, path, NOT_JSON[name]), 400, "MALFORMED_JSON")
    assert len(problem["detail"]) < 400


def test_service_goes_on(shared_client: Client) -> None:
    """After all of the above, and before all of the below."""
    good(shared_client.post("/v1/estimate/create", board()), 201)


@pytest.mark.parametrize("place", PLACES)
def test_wrong_kind_anywhere(shared_client: Client, place: str) -> None:
    path = "$" + "".join(f"[{k}]" if k.isdigit() else f".{k}" for k in place.split("."))
    for value in WRONG_KINDS:
        response = shared_client.post("/v1/estimate/create", changed(place, value))
        assert_refused_or_answered(response)
        if response.status_code == 400:
            assert problem_of(response)["path"].startswith(path), value


@pytest.mark.parametrize("path", BOARDS)
@pytest.mark.parametrize(
    "place", [place for place in PLACES if place not in ("unknown", "branches", "branches.0")]
)
def test_very_long_text_is_not_sent_back(shared_client: Client, path: str, place: str) -> None:
    response = shared_client.post(path, changed(place, "x" * 900_000))
    assert problem_of(response, 400, "INVALID_REQUEST")["findings"]
    assert len(response.content) < 5_000


def test_very_long_field_name_is_not_sent_back(shared_client: Client) -> None:
    response = shared_client.post("/v1/estimate/create", {"x" * 900_000: 1})
    problem_of(response, 400, "INVALID_REQUEST")
    assert len(response.content) < 5_000


def test_field_name_that_is_no_plain_word_is_quoted(shared_client: Client) -> None:
    response = shared_client.post("/v1/estimate/create", {'a"] .b': 1})
    assert problem_of(response, 400)["path"] == '$["a\\"] .b"]'


def test_first_hundred_faults_are_told(shared_client: Client) -> None:
    request = {f"field-{number}": 1 for number in range(50_000)}
    response = shared_client.post("/v1/estimate/create", request)
    assert len(problem_of(response, 400, "INVALID_REQUEST")["findings"]) == 100


@pytest.mark.parametrize("path", BOARDS)
def test_first_hundred_findings_are_told(shared_client: Client, path: str) -> None:
    response = shared_client.post(path, board(branches=[{}] * 10_000))
    assert len(response.json()["findings"]) == 100
    assert len(response.content) < 100_000


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [b"null", b"true", b"0", b'"text"', b"[]", b"[{}]", b"{}"])
def test_body_of_a_wrong_kind(shared_client: Client, path: str, body: bytes) -> None:
    response = send(shared_client, path, body)
    if path == "/v1/evidence/verify":
        assert good(response)["valid"] is False
    elif not (path == "/v1/estimate/validate" and body == b"{}"):
        assert problem_of(response)["code"] in ("INVALID_REQUEST", "REQ_MORE_INFO")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "text/html", "application/xml", "multipart/form-data; boundary=x",
     "application/x-www-form-urlencoded", "json", "application/jsonx", "\xff", "a" * 10_000],
)  # fmt: skip
def test_other_media_types(shared_client: Client, path: str, content_type: str) -> None:
    headers = {"Content-Type": content_type.encode("latin-1")}
    response = shared_client.request("POST", path, key=ADMIN_API_KEY, content=GOOD, headers=headers)
    problem_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert len(response.content) < 5_000


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
     " application/json ;x=y", "application/vnd.kis+json"],
)  # fmt: skip
def test_media_types_that_are_json(shared_client: Client, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    response = shared_client.request("POST", BOARDS[0], content=GOOD, headers=headers)
    good(response, 201)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "x" * 10_000])
def test_compressed_bodies(shared_client: Client, coding: str) -> None:
    body, headers = gzip.compress(GOOD), {"Content-Encoding": coding}
    response = send(shared_client, BOARDS[0], body, **headers)
    problem = problem_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert "uncompressed" in problem["hintEn"]
    assert len(response.content) < 5_000


def test_content_of_an_import_is_text_or_an_object(shared_client: Client) -> None:
    contents: tuple[object, ...] = (1, None, [], True)
    for content in contents:
        order = {"format": "csv", "versionLabel": "v-9", "content": content}
        response = shared_client.admin("POST", "/v1/knowledge/tables/import", order)
        assert codes_and_paths(problem_of(response, 400)) == [("INVALID_REQUEST", "$.content")]


# --- paths and queries ---------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/v1/estimate/", "/v1/evidence/", "/static/", "/", "/v1/"])
@pytest.mark.parametrize(
    "rest",
    [
        "%00", "%ff", "%ed%a0%80", "%0d%0aX-Evil:%201", "..%2f..%2fetc%2fpasswd",
        "../../etc/passwd", "....//....//etc/passwd", "%2e%2e/%2e%2e/app.py", "x" * 60_000, "%",
        "%zz", "'%20OR%201=1--", "%F0%9F%92%A9", "\u200b", "?", "?x=%00&x=%ff&=&&&", "a/b/c/d",
        ";", "*", "create", "verify",
    ],
    ids=range(21),
)  # fmt: skip
def test_odd_paths(shared_client: Client, prefix: str, rest: str) -> None:
    response = shared_client.get(prefix + rest)
    if prefix + rest.partition("?")[0] == "/":  # the console's
        assert response.status_code == 303
        return
    if prefix + rest not in ("/v1/estimate/", "/v1/estimate"):
        assert response.status_code in (400, 404, 405)
    problem_of(response)


@pytest.mark.parametrize("name", ["limit", "cursor", "mainModel", "label", "since", "until", "x"])
@pytest.mark.parametrize(
    "value", ["%00", "%ff", "%ed%a0%80", "%F0%9F%92%A9", "[]", "{}", "x" * 60_000]
)
def test_odd_queries(shared_client: Client, name: str, value: str) -> None:
    assert_refused_or_answered(shared_client.get(f"/v1/estimate?{name}={value}"))


@pytest.mark.parametrize("label", ["%00", "%ff", "x" * 65, "..", "%2f", "é"])
def test_odd_labels(shared_client: Client, label: str) -> None:
    for method, path in (("GET", f"{label}/diff"), ("DELETE", label)):
        response = shared_client.admin(method, f"/v1/knowledge/versions/{path}")
        assert problem_of(response)["status"] in (400, 404, 405)
    response = shared_client.admin(
        "GET", f"/v1/knowledge/versions/v2025-09-24-01/diff?against={label}"
    )
    assert problem_of(response)["status"] in (400, 404)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": b"\xff\xfe"}, {"X-API-Key": b"k" * 100_000}, {"X-API-Key": b"\x00"},
        {"X-API-Key": b""},
    ],
    ids=range(4),
)  # fmt: skip
def test_odd_keys(shared_client: Client, headers: dict[str, bytes]) -> None:
    response = shared_client.request("GET", "/v1/estimate", key=None, headers=headers)
    problem_of(response, 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/html"}, {"Accept-Language": "\xff"}, {"Host": "evil.example"},
        {"Range": "bytes=0-1"}, {"If-None-Match": "*"}, {"X-Forwarded-For": "10.0.0.1"},
        {"X-Request-Id": "mine"}, {"Content-Encoding": "identity"}, {"Cookie": "a=b" * 10_000},
    ],
    ids=range(9),
)  # fmt: skip
def test_headers_that_change_nothing(shared_client: Client, headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    response = shared_client.post("/v1/estimate/create", board(), headers=raw)
    good(response, 201)
    assert response.headers["x-request-id"] != "mine"


# --- anything ------------------------------------------------------------------------------------

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
BOUNDED = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@BOUNDED
@given(path=st.sampled_from(POSTS), body=st.binary(max_size=200))
def test_any_bytes(shared_client: Client, path: str, body: bytes) -> None:
    assert_refused_or_answered(send(shared_client, path, body))


@BOUNDED
@given(path=st.sampled_from(POSTS), value=JSON_VALUES)
def test_any_json(shared_client: Client, path: str, value: object) -> None:
    body = json.dumps(value).encode(errors="surrogatepass")
    assert_refused_or_answered(send(shared_client, path, body))


@BOUNDED
@given(place=st.sampled_from(PLACES), value=JSON_VALUES)
def test_any_value_anywhere_in_a_board(shared_client: Client, place: str, value: object) -> None:
    body = json.dumps(changed(place, value)).encode(errors="surrogatepass")
    assert_refused_or_answered(send(shared_client, BOARDS[0], body))


@BOUNDED
@given(
    path=st.text(max_size=50).map(lambda text: quote(text, safe="/%", errors="replace")),
    query=st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=3),
)
def test_any_path_and_query(shared_client: Client, path: str, query: dict[str, str]) -> None:
    clean = {k.encode(errors="replace"): v.encode(errors="replace") for k, v in query.items()}
    for start in ("/v1/estimate/", "/v1/evidence/", "/v1/knowledge/", "/static/", "/"):
        response = shared_client.get(f"{start}{path}", params=clean)
        if response.url.path not in ("/", "/console"):  # the console's
            assert_refused_or_answered(response)
