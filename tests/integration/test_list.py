"""Pages of estimates: newest first, by cursor, with filters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.backends import BACKENDS, new_database
from tests.integration.lifecycle import good, rows_of
from tests.integration.problems import problem_of
from tests.services import Client, board, running_client

LIST = "/v1/estimate"
CREATE = "/v1/estimate/create"
BOARDS = (
    {"label": "LP-1", "customer": "한빛빌딩"},
    {"label": "LP-2", "customer": "한빛빌딩"},
    {"label": "100%_A", "customer": "Daehan"},
    {"label": "100 A", "customer": "Daehan"},
    {"label": "", "customer": "", "main": {"model": "SBS-52", "poles": "2P"}, "form": "STANDARD"},
    {"label": "l'été", "customer": "한빛\\병원"},
    {"label": "LP-10", "customer": "100%"},
)


@pytest.fixture(scope="module", params=BACKENDS)
def made(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Client, list[Any]]]:
    """An application with seven estimates, and their answers, oldest first."""
    home = tmp_path_factory.mktemp("list") / "home"
    url = new_database(request.param, home / "data" / "kis.db", request)
    with running_client(home, DATABASE_URL=url) as client:
        answers = [good(client.post(CREATE, board(**changes)), 201) for changes in BOARDS]
        yield client, answers


def page(client: Client, **query: object) -> Any:
    return good(client.get(LIST, params={name: str(value) for name, value in query.items()}))


def ids(answers: list[Any]) -> list[str]:
    return [answer["id"] for answer in answers]


def labels(client: Client, **query: object) -> list[str]:
    return [line["label"] for line in page(client, **query)["items"]]


def walk(client: Client, limit: int) -> Iterator[list[str]]:
    found = page(client, limit=limit)
    yield ids(found["items"])
    while found["next"] is not None:
        found = page(client, limit=limit, cursor=found["next"])
        yield ids(found["items"])


Made = tuple[Client, list[Any]]


def test_line_of_the_list(made: Made) -> None:
    client, answers = made
    first, newest = page(client)["items"][0], answers[-1]
    assert first == {
        "id": newest["id"], "createdAt": newest["createdAt"], "mainModel": "SBS-54",
        "brand": "SANGDO", "form": "ECONOMIC", "label": "LP-10", "customer": "100%",
        "W": 500, "H": 600, "D": 150, "knowledgeVersion": newest["knowledgeVersion"],
    }  # fmt: skip


def test_whole_millimetres_have_no_fraction(made: Made) -> None:
    client, _ = made
    assert '"W":500,"H":600,"D":150,' in client.get(LIST).text


def test_newest_first(made: Made) -> None:
    client, answers = made
    found = page(client)
    assert ids(found["items"]) == ids(answers)[::-1]
    assert found["next"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 500])
def test_pages_are_the_whole_list_once(made: Made, limit: int) -> None:
    client, answers = made
    pages = list(walk(client, limit))
    assert [line for lines in pages for line in lines] == ids(answers)[::-1]
    assert {len(lines) for lines in pages[:-1]} <= {limit}
    assert 0 < len(pages[-1]) <= limit


def test_new_estimate_does_not_disturb_the_pages(tmp_path: Path) -> None:
    with running_client(tmp_path / "home") as client:
        for label in ("A", "B", "C"):
            good(client.post(CREATE, board(label=label)), 201)
        first = page(client, limit=2)
        good(client.post(CREATE, board(label="new")), 201)
        second = page(client, limit=2, cursor=first["next"])
        assert [line["label"] for line in first["items"] + second["items"]] == ["C", "B", "A"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"mainModel": "SBS-52"}, [""]),
        ({"mainModel": "SBS"}, []),
        ({"mainModel": "sbs-52"}, []),
        ({"label": "LP-1"}, ["LP-10", "LP-1"]),
        ({"label": "lp-1"}, ["LP-10", "LP-1"]),
        ({"label": "%"}, ["100%_A"]),
        ({"label": "_"}, ["100%_A"]),
        ({"label": "'"}, ["l'été"]),
        ({"label": "été"}, ["l'été"]),
        ({"label": "ÉTÉ"}, []),
        ({"label": "L'éT"}, ["l'été"]),
        ({"customer": "한빛"}, ["l'été", "LP-2", "LP-1"]),
        ({"customer": "\\"}, ["l'été"]),
        ({"customer": "한빛빌딩", "label": "2"}, ["LP-2"]),
        ({"customer": "Daehan", "limit": 1}, ["100 A"]),
        ({"customer": "DAEHAN"}, ["100 A", "100%_A"]),
        ({"form": "STANDARD"}, [""]),
        ({"form": "ECONOMIC", "customer": "100"}, ["LP-10"]),
        ({"brand": "SANGDO", "label": "LP-1"}, ["LP-10", "LP-1"]),
        ({"brand": "LS"}, []),
        ({"brand": "sangdo"}, []),
        ({"width": 500, "height": 600, "depth": 150, "label": "LP-1"}, ["LP-10", "LP-1"]),
        ({"width": 500.0, "label": "LP-2"}, ["LP-2"]),
        ({"width": 500.1}, []),
        ({"width": 600, "height": 500}, []),
        ({"depth": 151}, []),
    ],
)
def test_filters(made: Made, query: dict[str, object], found: list[str]) -> None:
    client, _ = made
    assert labels(client, **query) == found


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("LP-1", ["LP-10", "LP-1"]),
        ("lp-1", ["LP-10", "LP-1"]),
        (" lp-2 ", ["LP-2"]),
        ("sbs-52", [""]),
        ("sBs-5", [label["label"] for label in BOARDS[::-1]]),
        ("daehan", ["100 A", "100%_A"]),
        ("100%", ["LP-10", "100%_A"]),
        ("%_", ["100%_A"]),
        ("한빛", ["l'été", "LP-2", "LP-1"]),
        ("빛빌", ["LP-2", "LP-1"]),
        ("한빛 빌딩", []),
        ("ㅎ", []),
        ("\u1112\u1161\u11ab\u1107\u1175\u11be", []),  # 한빛, in pieces
        ("ÉTÉ", []),
        ("\\병원", ["l'été"]),
        ("SANGDO", []),
        ("nothing", []),
        ("", [label["label"] for label in BOARDS[::-1]]),
        ("  ", [label["label"] for label in BOARDS[::-1]]),
    ],
)
def test_one_text_is_looked_for_in_all_that_names_an_estimate(
    made: Made, q: str, found: list[str]
) -> None:
    client, _ = made
    assert labels(client, q=q) == found


def test_piece_of_an_id_is_found(made: Made) -> None:
    client, answers = made
    for answer in answers:
        name = answer["id"]
        for q in (name, name.upper(), name[-12:], name[:8], name[-6:]):
            assert name in ids(page(client, q=q)["items"])
        assert ids(page(client, q=name)["items"]) == [name]


def test_short_text_is_not_looked_for_in_ids(made: Made) -> None:
    """Five digits are in one of so many ids by chance."""
    client, answers = made
    assert page(client, q=answers[0]["id"][-5:])["items"] == []


def test_text_beside_other_filters(made: Made) -> None:
    client, _ = made
    assert labels(client, q="한빛", label="2") == ["LP-2"]
    assert labels(client, q="sbs-54", customer="daehan", width=500, limit=1) == ["100 A"]
    first = page(client, q="한빛", limit=2)
    assert labels(client, q="한빛", limit=2, cursor=first["next"]) == ["LP-1"]


def test_longest_names_are_listed(made: Made) -> None:
    """An index entry of PostgreSQL holds 2.7 kB, and these take four bytes a character."""
    client, _ = made
    emoji = "".join(chr(0x1F300 + n) for n in range(200))
    created = good(client.post(CREATE, board(label=emoji, customer=emoji[::-1])), 201)
    (line,) = page(client, q=emoji[50:150])["items"]
    assert (line["id"], line["label"]) == (created["id"], emoji)
    for table, key in (("evidence", "estimate_id"), ("Estimate", "id")):
        rows_of(client.settings.home, f"DELETE FROM {table} WHERE {key} = ?", [created["id"]])


def test_cursor_keeps_the_filter(made: Made) -> None:
    client, _ = made
    first = page(client, customer="한빛", limit=2)
    assert labels(client, customer="한빛", limit=2, cursor=first["next"]) == ["LP-1"]


def test_since_is_included_and_until_is_not(made: Made) -> None:
    client, answers = made
    moments = [answer["createdAt"] for answer in answers]
    for index in (0, 3, 6):
        after = [answer["id"] for answer in answers if answer["createdAt"] > moments[index]]
        found = ids(page(client, since=moments[index], until="9999-01-01T00:00:00Z")["items"])
        assert set(after) <= set(found)
        assert answers[index]["id"] in found
        found = ids(page(client, since="1970-01-01T00:00:00Z", until=moments[index])["items"])
        assert answers[index]["id"] not in found


@pytest.mark.parametrize(
    "since",
    [
        "2000-01-01T00:00:00Z", "2000-01-01T09:00:00+09:00", "2000-01-01T00:00:00", "2000-01-01",
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    ],
)  # fmt: skip
def test_spellings_of_a_moment(made: Made, since: str) -> None:
    client, _ = made
    assert len(page(client, since=since, customer="한빛")["items"]) == 3
    assert page(client, until=since)["items"] == []


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"])
def test_last_moment_of_all(made: Made, until: str) -> None:
    client, _ = made
    assert len(page(client, until=until, customer="한빛")["items"]) == 3
    assert page(client, since=until)["items"] == []


def test_zone_of_since_counts(made: Made) -> None:
    """The same clock time nine hours east is nine hours earlier."""
    client, answers = made
    clock_time = answers[-1]["createdAt"].removesuffix("Z")
    in_seoul = page(client, since=f"{clock_time}+09:00", customer="한빛")["items"]
    in_bogota = page(client, since=f"{clock_time}-05:00", customer="한빛")["items"]
    assert (len(in_seoul), len(in_bogota)) == (3, 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"), ("limit", "-1"), ("limit", "501"), ("limit", "ten"), ("limit", ""),
        ("limit", "1.5"), ("limit", "1e2"), ("limit", "9" * 5000), ("limit", "NaN"),
        ("since", "garbage"), ("since", ""), ("since", "NaN"), ("since", "inf"), ("since", "1e400"),
        ("since", "2025"), ("since", "0.5"), ("since", "-1"),
        ("since", "2025-13-01T00:00:00Z"), ("since", "9" * 5000), ("until", "yesterday"),
        ("until", "2025-09-24T00:00:00+99:99"), ("cursor", "x" * 65), ("mainModel", "x" * 101),
        ("cursor", "zzz"), ("cursor", ""), ("cursor", "0199c0de-0000-7000-8000-00000000000G"),
        ("form", "economic"), ("brand", "x" * 101),
        ("label", "x" * 201), ("label", "\x00"), ("customer", "x" * 201), ("customer", "\n"),
        ("q", "x" * 201), ("q", "\x00"), ("q", "a\tb"),
        ("width", "0"), ("width", "-600"), ("width", ""), ("width", "600mm"), ("width", "NaN"),
        ("height", "inf"), ("height", "1e400"), ("depth", "100001"), ("depth", "9" * 5000),
    ],
)  # fmt: skip
def test_value_that_is_not_allowed(made: Made, name: str, value: str) -> None:
    client, _ = made
    problem = problem_of(client.get(f"{LIST}?{name}={quote(value)}"), 400, "INVALID_REQUEST")
    assert problem["path"] == f"$.query.{name}"


def test_all_wrong_values_are_told_at_once(made: Made) -> None:
    client, _ = made
    problem = problem_of(client.get(f"{LIST}?limit=0&since=x&until=y"), 400)
    paths = [finding["path"] for finding in problem["findings"]]
    assert paths == ["$.query.limit", "$.query.since", "$.query.until"]


def test_cursor_that_is_none_is_told_what_it_should_be(made: Made) -> None:
    client, _ = made
    problem = problem_of(client.get(f"{LIST}?cursor=zzz"), 400, "INVALID_REQUEST")
    assert "`next` of a page" in problem["hintEn"]


@pytest.mark.parametrize(
    ("path", "unknown", "known"),
    [
        (f"{LIST}?branb=LS&limit=1", ["branb"], "limit, cursor, mainModel, brand, form, label"),
        (f"{LIST}?z=1&a=2&z=3", ["a", "z"], "limit, "),
        (f"{LIST}?Limit=1", ["Limit"], "limit, "),
        ("/v1/knowledge/questions?closed=true", ["closed"], "includeClosed"),
        ("/v1/knowledge/versions/v2025-09-24-01/diff?with=x", ["with"], "against"),
    ],
)
def test_unknown_parameter_is_refused(
    made: Made, path: str, unknown: list[str], known: str
) -> None:
    client, _ = made
    problem = problem_of(client.admin("GET", path), 400, "INVALID_REQUEST")
    assert [finding["path"] for finding in problem["findings"]] == [f"$.query.{n}" for n in unknown]
    assert problem["detailEn"] == f"Unknown parameter: {unknown[0]}"
    assert known in problem["hint"]
    assert known in problem["hintEn"]


def test_very_long_unknown_parameter_is_not_sent_back(made: Made) -> None:
    client, _ = made
    response = client.get(f"{LIST}?{'x' * 5_000}=1")
    problem_of(response, 400, "INVALID_REQUEST")
    assert len(response.content) < 2_000


def test_address_without_parameters_takes_any(made: Made) -> None:
    """What a load balancer adds to a health check can be meant no other way."""
    client, answers = made
    for path in ("/health", "/livez", f"{LIST}/{answers[0]['id']}"):
        good(client.get(f"{path}?nocache=1"))
