"""Evidence over HTTP: genuine packages verify, altered ones do not, and are told where."""

import contextlib
import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kis.estimate.proof
from kis import strict_json
from kis.api.body import LARGE_BYTES
from kis.evidence.envelope import Keyring
from tests.integration.lifecycle import (
    FIRST,
    activate,
    good,
    import_table,
    main_only,
    publish,
    roll_back,
    row,
    validate,
)
from tests.integration.problems import problem_of
from tests.services import EVIDENCE_SECRET, Client, board, running_client
from tests.unit.evidence.packages import at, changed, json_path, leaves, reseal

CREATE = "/v1/estimate/create"
VERIFY = "/v1/evidence/verify"
STEPS = [
    "shape", "statementDigest", "key", "signature", "evidenceId", "rows", "documents",
    "recomputation", "database",
]  # fmt: skip
WITH_ACCESSORIES = board(
    brand="LS", form="STANDARD", main={"af": 200, "poles": "4P"},
    branches=[{"af": 100, "poles": "3P", "quantity": 4, "name": "펌프"}],
    accessories={"enabled": True, "items": [{"code": "MC-32..40", "quantity": 4}]},
    label="MCC-1", customer="한빛", note="“옥외” 예정",
)  # fmt: skip
OURS = Keyring.of(EVIDENCE_SECRET.encode())


def create(client: Client, request: object | None = None) -> Any:
    return good(client.post(CREATE, request or board()), 201)


def package_of(client: Client, request: object | None = None) -> Any:
    return good(client.get(f"/v1/evidence/{create(client, request)['id']}"))


def verify(client: Client, package: object) -> Any:
    return good(client.post(VERIFY, package))


def failed(verification: Any) -> dict[str, str]:
    """Return the failed steps, each with the path that it names."""
    assert verification["valid"] is False
    found = {c["name"]: c["path"] for c in verification["checks"] if c["outcome"] == "failed"}
    assert found
    name, path = next(iter(found.items()))
    assert verification["reason"].startswith(f"{name} {path}: ")
    return found


# --- large -------------------------------------------------------------------------------------


def with_stock(client: Client, count: int) -> None:
    """Publish so many stock enclosures more."""
    enclosures = [
        {
            "model": f"T-STOCK-{number:05}", "series": "HB", "material": "STEEL",
            "location": "INDOOR", "mount": "SURFACE", "widthMm": 2_000, "heightMm": 2_000,
            "depthMm": 300, "grade": "standard", "thicknessMm": 1.6,
        }
        for number in range(count)
    ]  # fmt: skip
    good(import_table(client, "v-stock", {"enclosures": enclosures}, format="json"), 201)
    assert validate(client, "v-stock")["valid"]
    good(activate(client, "v-stock"))


def test_package_with_thousands_of_stock_enclosures(client: Client) -> None:
    """The package that we give out can be given back, whatever the table set."""
    with_stock(client, 6_000)
    package = client.get(f"/v1/evidence/{create(client)['id']}").content
    assert len(package) > client.settings.max_body_bytes
    headers = {"Content-Type": "application/json"}
    verified = good(client.request("POST", VERIFY, content=package, headers=headers))
    assert verified["valid"], verified["reason"]


def test_large_packages_take_turns(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is many times its bytes in memory, and keeps a reader of the database busy."""
    under_way: list[int] = []
    most: list[int] = []
    loads = strict_json.loads

    def slowly(raw: bytes) -> object:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.05)
        under_way.pop()
        return loads(raw)

    monkeypatch.setattr(strict_json, "loads", slowly)
    content, headers = b"{}".ljust(LARGE_BYTES + 1), {"Content-Type": "application/json"}
    requests = [client.asend("POST", VERIFY, content=content, headers=headers) for _ in range(3)]
    assert [good(response)["valid"] for response in client.gather(*requests)] == [False] * 3
    assert most == [1, 1, 1]


# --- genuine -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        board(), WITH_ACCESSORIES, board(branches=[]), board(form="STANDARD"),
        board(branches=[{"af": 50, "poles": "4P", "type": "ELCB", "quantity": 7}]),
        board(installation={"location": "OUTDOOR", "mount": "WALL", "material": "SUS"}),
        board(label='\u2028 \U0001f600 \\ "'),
    ],
    ids=range(7),
)  # fmt: skip
def test_genuine_package_verifies(shared_client: Client, request_: dict[str, Any]) -> None:
    verification = verify(shared_client, package_of(shared_client, request_))
    assert verification["valid"] is True
    assert verification["reason"] is None
    assert [(c["step"], c["name"]) for c in verification["checks"]] == list(enumerate(STEPS, 1))
    for check in verification["checks"]:
        assert (check["outcome"], check["passed"], check["path"]) == ("passed", True, None)
        assert check["detailKo"]
        assert check["detailEn"]


def test_largest_board_verifies(shared_client: Client) -> None:
    """A package has to fit into a request: it is sent as it was received."""
    lines = [{"model": "SIE-32", "name": f"회로 {n}", "quantity": 9} for n in range(100)]
    package = package_of(shared_client, board(branches=lines))
    assert len(json.dumps(package, ensure_ascii=False).encode()) < 1_000_000
    assert verify(shared_client, package)["valid"]


def test_package_in_any_spelling_verifies(shared_client: Client) -> None:
    """Another program may have read and written it: members sorted, text escaped."""
    text = json.dumps(package_of(shared_client, WITH_ACCESSORIES), sort_keys=True, indent=2)
    headers = {"Content-Type": "application/json"}
    response = shared_client.request("POST", VERIFY, content=text, headers=headers)
    assert good(response)["valid"]


def test_package_says_what_was_answered(shared_client: Client) -> None:
    answer = create(shared_client, WITH_ACCESSORIES)
    package = good(shared_client.get(f"/v1/evidence/{answer['id']}"))
    statement = package["statement"]
    assert package["evidenceId"] == answer["evidenceId"]
    assert (statement["estimateId"], statement["createdAt"]) == (answer["id"], answer["createdAt"])
    assert statement["request"] == answer["request"]
    for name, part in statement["result"].items():
        assert part == answer[name]
    assert statement["knowledge"]["version"] == answer["knowledgeVersion"]
    used = {placed["model"] for placed in answer["layout"]["placements"]}
    stated = {row["row"]["model"] for row in statement["rows"]["breakers"]}
    stated |= {row["row"]["code"] for row in statement["rows"]["accessories"]}
    assert used <= stated


def test_unknown_estimate_has_no_evidence(shared_client: Client) -> None:
    problem_of(shared_client.get("/v1/evidence/nothing"), 404, "NOT_FOUND")


def test_evidence_outlives_its_knowledge_version(client: Client) -> None:
    publish(client, "v-2", row("T-100"))
    package = package_of(client, main_only("T-100"))
    good(roll_back(client, FIRST))
    good(client.admin("DELETE", "/v1/knowledge/versions/v-2"))
    assert verify(client, package)["valid"]
    again = good(client.get(f"/v1/evidence/{package['statement']['estimateId']}"))
    assert again == package


# --- altered packages ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def genuine(shared_client: Client) -> Any:
    return package_of(shared_client, WITH_ACCESSORIES)


def other_value(value: object) -> object:
    """Return another value of the same kind: nothing that a check of types would find."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("a" if value[-1:] != "a" else "b")
    return "x"


def test_every_field_is_sealed(shared_client: Client, genuine: Any) -> None:
    """Every third leaf of all but the long documents, every 50th of those.

    Every single one is the matter of tests/unit/evidence/test_verification.py.
    """
    paths = list(leaves(genuine))
    chosen = [path for path in paths if path[0] != "documents"][::3]
    chosen += [path for path in paths if path[0] == "documents"][::50]
    assert len(chosen) > 60
    for path in chosen:
        found = failed(verify(shared_client, changed(genuine, path, other_value)))
        # Under another id we have nothing to compare with, and say so.
        shown = json_path(path).replace("$.statement.estimateId", "$.evidenceId")
        named = [name or "" for name in found.values()]
        assert any(shown.startswith(name) or name.startswith(shown) for name in named), shown


def test_every_field_is_needed(shared_client: Client, genuine: Any) -> None:
    for path in [path for path in leaves(genuine) if path[0] != "documents"][1::10]:
        package = copy.deepcopy(genuine)
        parent = at(package, path[:-1])
        del parent[path[-1]]
        assert failed(verify(shared_client, package))


@pytest.mark.parametrize(
    ("path", "value", "step", "named"),
    [
        (("statement", "result", "enclosure", "W"), 100, "recomputation",
         "$.statement.result.enclosure.W"),
        (("statement", "result", "layout", "placements", 0, "x"), 1, "recomputation",
         "$.statement.result.layout.placements[0].x"),
        (("statement", "rows", "breakers", 0, "row", "widthDmm"), 999, "recomputation",
         "$.statement.result.layout.placements[0].w"),
        (("statement", "request", "note"), "x", "database", "$.statement.request.note"),
        (("statement", "createdAt"), "2020-01-01T00:00:00.000Z", "database",
         "$.statement.createdAt"),
        (("documents", "rules", "version"), "x", "recomputation", "$.documents.rules"),
        (("statement", "request", "main", "af"), 63, "recomputation",
         "$.statement.request.main.af"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_whoever_has_the_key_is_found_out_too(
    shared_client: Client, genuine: Any, path: tuple[Any, ...], value: object, step: str, named: str
) -> None:
    """Altered and sealed anew with our own secret: seal and digests agree again."""
    forged = reseal(changed(genuine, path, lambda _: value), OURS)
    found = failed(verify(shared_client, forged))
    assert not {"shape", "statementDigest", "key", "signature", "rows", "documents"} & set(found)
    assert found[step].startswith(named)
    assert "database" in found


def test_package_of_another_installation(tmp_path: Path) -> None:
    with running_client(tmp_path / "here") as client:
        package = package_of(client)
    with running_client(tmp_path / "there") as client:
        assert failed(verify(client, package)) == {"database": "$.evidenceId"}


def test_evidence_of_an_earlier_secret(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_client(home) as client:
        package = package_of(client)
    with running_client(
        home, EVIDENCE_SECRET="another-secret-of-the-half-year-0123456789"
    ) as client:
        assert verify(client, package)["valid"]
        newer = package_of(client)
        assert newer["envelope"]["keyId"] != package["envelope"]["keyId"]
        assert verify(client, newer)["valid"]


# --- a stranger's packages -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("statement", "rows", "breakers", 0, "row", "widthDmm"), 10_001),
        (("statement", "rows", "breakers", 0, "row", "heightDmm"), 2**53 - 1),
        (("statement", "rows", "breakers", 0, "row", "depthDmm"), 0),
        (("statement", "rows", "breakers", 0, "row", "widthDmm"), -5),
        (("statement", "rows", "accessories", 0, "row", "heightDmm"), 10**9),
    ],
)
def test_absurd_rows_are_refused_before_any_work(
    shared_client: Client,
    genuine: Any,
    monkeypatch: pytest.MonkeyPatch,
    path: tuple[Any, ...],
    value: int,
) -> None:
    monkeypatch.setattr(kis.estimate.proof, "rerun", forbidden)
    forged = reseal(changed(genuine, path, lambda _: value), OURS)
    assert failed(verify(shared_client, forged))["recomputation"] == json_path(path)


def forbidden(*_: object) -> None:
    raise AssertionError("the engine was run")


@pytest.mark.parametrize("name", ["rules", "enclosures"])
def test_foreign_documents_are_refused_before_any_work(
    shared_client: Client, genuine: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(kis.estimate.proof, "rerun", forbidden)
    empty: object = {} if name == "rules" else []
    forged = reseal(changed(genuine, ("documents", name), lambda _: empty), OURS)
    assert failed(verify(shared_client, forged))["recomputation"] == f"$.documents.{name}"


def test_more_devices_than_a_board_may_have_are_refused(
    shared_client: Client, genuine: Any
) -> None:
    path = ("statement", "request", "branches", 0, "quantity")
    forged = reseal(changed(genuine, path, lambda _: 1_000), OURS)
    assert failed(verify(shared_client, forged))["recomputation"] == "$.statement.request"


def test_very_long_field_name_is_not_sent_back(shared_client: Client) -> None:
    response = shared_client.post(VERIFY, {"한" * 200_000: 1})
    failed(good(response))
    assert len(response.content) < 10_000


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), value=JSON_VALUES, is_sealed=st.booleans())
def test_anything_anywhere_gets_a_report(
    shared_client: Client, genuine: Any, data: st.DataObject, value: Any, is_sealed: bool
) -> None:
    path = data.draw(st.sampled_from([p for p in leaves(genuine) if p[0] != "documents"]))
    package = changed(genuine, path[: data.draw(st.integers(1, len(path)))], lambda _: value)
    # Some are so broken that nobody can seal them.
    with contextlib.suppress(KeyError, TypeError, AttributeError, ValueError):
        package = reseal(package, OURS) if is_sealed else package
    body = json.dumps(package).encode(errors="surrogatepass")
    response = shared_client.request(
        "POST", VERIFY, content=body, headers={"Content-Type": "application/json"}
    )
    if response.status_code == 400:
        problem_of(response, 400, "MALFORMED_JSON")
    elif package == genuine:
        assert good(response)["valid"]
    else:
        failed(good(response))
