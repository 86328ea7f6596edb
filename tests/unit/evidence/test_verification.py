"""A genuine package passes; every alteration there is does not."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.evidence.difference import first_difference
from kis.evidence.envelope import Keyring
from kis.evidence.verification import Outcome

from .packages import (
    GENUINE,
    KEYRING,
    OTHER_KEYRING,
    Path,
    any_json,
    at,
    changed,
    check,
    containers,
    failed,
    json_path,
    leaves,
    make_package,
    reseal,
)

STEPS = [
    "shape", "statementDigest", "key", "signature", "evidenceId", "rows", "documents",
    "recomputation", "database",
]  # fmt: skip


def mutate(leaf: Any) -> Any:
    """Another value of the same type, so that the shape stays."""
    match leaf:
        case bool():
            return not leaf
        case int() | float():
            return leaf + 1
        case str():
            return leaf[:-1] + chr(ord(leaf[-1]) ^ 1) if leaf else "x"
        case None:
            return 0
        case list():
            return [0]
        case _:
            return {"x": 0}


# --- genuine -------------------------------------------------------------------


def test_a_genuine_package_passes_every_step() -> None:
    verification = check(make_package())
    assert [c.name for c in verification.checks] == STEPS
    assert [c.step for c in verification.checks] == list(range(1, 10))
    assert {c.outcome for c in verification.checks} == {Outcome.PASSED}
    assert verification.valid
    assert verification.reason is None


def test_a_retired_key_still_opens() -> None:
    rotated = Keyring.of(b"a newer secret than the current", *KEYRING.secrets.values())
    assert check(make_package(), keyring=rotated).valid


@pytest.mark.parametrize(
    ("since_ms", "valid"), [(-86_400_000, False), (-1, False), (0, False), (1, True)]
)
def test_key_that_was_compromised_since(since_ms: int, valid: bool) -> None:
    """What it sealed before verifies; what it sealed from then on does not."""
    sealed_at = datetime.fromisoformat(GENUINE["statement"]["createdAt"])
    since = sealed_at + timedelta(milliseconds=since_ms)
    compromised = {GENUINE["envelope"]["keyId"]: since, "evk-of-others": sealed_at}
    verification = check(make_package(), keyring=replace(KEYRING, compromised=compromised))
    assert verification.valid is valid
    assert failed(verification) == ({} if valid else {"key": "$.envelope.keyId"})
    (step,) = (c for c in verification.checks if c.name == "key")
    assert ("compromised since" in step.detail_en) is ("유출" in step.detail_ko) is not valid


def test_whoever_has_the_key_can_state_an_earlier_time_but_did_not_store_it() -> None:
    package = make_package()
    since = datetime.fromisoformat(package["statement"]["createdAt"])
    package["statement"]["createdAt"] = "2020-01-01T00:00:00.000Z"
    keyring = replace(KEYRING, compromised={KEYRING.current_id: since})
    assert failed(check(reseal(package), keyring=keyring)) == {"database": "$.statement.createdAt"}


def test_key_under_another_master_key() -> None:
    key_id = GENUINE["envelope"]["keyId"]
    keyring = replace(OTHER_KEYRING, locked=frozenset({key_id}))
    verification = check(make_package(), keyring=keyring)
    assert failed(verification) == {"key": "$.envelope.keyId"}
    assert "KIS_MASTER_KEY" in (verification.reason or "")


def test_member_order_does_not_matter() -> None:
    def reverse(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reverse(value[key]) for key in reversed(value)}
        return [reverse(item) for item in value] if isinstance(value, list) else value

    backwards = reverse(make_package())
    assert json.dumps(backwards) != json.dumps(GENUINE)
    assert check(backwards).valid


def test_number_spelling_does_not_matter() -> None:
    def as_float(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: as_float(child) for key, child in value.items()}
        if isinstance(value, list):
            return [as_float(item) for item in value]
        return float(value) if type(value) is int else value

    spelled = as_float(make_package())
    assert '"W": 600.0' in json.dumps(spelled)
    assert check(spelled).valid


def test_the_report_is_json() -> None:
    report = json.loads(msgspec.json.encode(check({**GENUINE, "\ud800": 1})))
    assert report["valid"] is False
    assert report["checks"][0] == {
        "step": 1,
        "name": "shape",
        "outcome": "failed",
        "passed": False,
        "detailKo": "모르는 필드입니다",
        "detailEn": "the field is unknown",
        "path": '$["\\ud800"]',
    }
    assert report["reason"].endswith("모르는 필드입니다 / the field is unknown")
    assert [c["outcome"] for c in report["checks"][1:]] == ["skipped"] * 8


def test_what_is_not_stored_here_is_not_valid() -> None:
    verification = check(make_package(), stored=None)
    assert failed(verification) == {"database": "$.evidenceId"}
    assert verification.reason is not None
    assert "not stored here" in verification.reason


def test_a_change_in_the_database_is_found_and_named() -> None:
    stored = changed(GENUINE, ("statement", "request", "main", "quantity"), mutate)
    path = "$.statement.request.main.quantity"
    assert failed(check(make_package(), stored=stored)) == {"database": path}


def test_a_package_composed_from_a_changed_database_fails_by_itself() -> None:
    altered = changed(GENUINE, ("statement", "result", "required", "H"), mutate)
    verification = check(altered, stored=altered)
    assert list(failed(verification)) == ["statementDigest", "signature", "recomputation"]


# --- every alteration there is ----------------------------------------------------


def test_every_leaf_is_protected_and_named() -> None:
    for path in leaves(GENUINE):
        altered = changed(GENUINE, path, mutate)
        verification = check(altered)
        names = failed(verification)
        assert not verification.valid, path
        assert verification.reason, path
        if "shape" not in names:
            named = names["database"]
            assert named is not None, path
            # an empty array or object is named with what was put in
            assert named.startswith(json_path(path)), path
            assert len(names) > 1, f"{path}: nothing but the database found it"


def test_every_leaf_is_protected_from_one_who_holds_the_key() -> None:
    for path in leaves(GENUINE["statement"]["result"]):
        altered = reseal(changed(GENUINE, ("statement", "result", *path), mutate))
        named = failed(check(altered))["recomputation"]
        assert named is not None
        assert named.startswith(json_path(("statement", "result", *path)))
    for part in ("statement", "documents"):
        for path in leaves(GENUINE[part]):
            if (part, path) == ("statement", ("type",)) or path[-1] == "digest":
                continue  # not a shape we seal; or set right by the sealing
            altered = reseal(changed(GENUINE, (part, *path), mutate))
            assert "database" in failed(check(altered)), path


def test_every_member_is_required_and_no_other_allowed() -> None:
    for path in containers(GENUINE):
        for alteration in alterations(at(GENUINE, path)):
            altered = replaced(path, alteration)
            verification = check(altered)
            assert not verification.valid, (path, alteration)
            assert verification.reason, path
            assert set(failed(verification)) != {"database"}, path


def replaced(path: Path, value: Any) -> Any:
    """Return the genuine package with `value` at `path`; the root can be replaced too."""
    return changed({"$": GENUINE}, ("$", *path), lambda _: value)["$"]


def alterations(container: Any) -> list[Any]:
    """Each way to add, remove, double or swap one member."""
    if isinstance(container, dict):
        fewer = [{k: v for k, v in container.items() if k != key} for key in container]
        return [*fewer, {**container, "added": None}]
    fewer = [container[:i] + container[i + 1 :] for i in range(len(container))]
    doubled = [container[: i + 1] + container[i:] for i in range(len(container))]
    swapped = [container[::-1]] if container[::-1] != container else []
    return [*fewer, *doubled, *swapped, [*container, None]]


# --- anything at all ---------------------------------------------------------------

PLACES = [*containers(GENUINE), *leaves(GENUINE)]


@settings(max_examples=100, deadline=None)
@given(any_json)
def test_any_json_gets_a_report(package: object) -> None:
    verification = check(package)
    assert not verification.valid
    assert [c.name for c in verification.checks] == STEPS


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), any_json)
def test_any_json_anywhere_gets_a_report(place: Path, graft: object) -> None:
    altered = replaced(place, graft)
    verification = check(altered)
    assert verification.valid is (first_difference(altered, GENUINE) is None)


@pytest.mark.parametrize("path", ["", "statement.request", "statement.result", "documents.rules"])
def test_bottomless_nesting_gets_a_report(path: str) -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    package: Any = deep
    if path:
        package = make_package()
        package = changed(package, tuple(path.split(".")), lambda _: deep)
    assert not check(package).valid
