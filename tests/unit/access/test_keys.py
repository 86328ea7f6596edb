"""Keys: what they may do, and that they tell no secret."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.access.keys import EnvKey, KeySet, Scope, key_id_for, new_key_id
from tests.keys import key_set

API = "a-secret-that-may-estimate"
ADMIN = "a-secret-that-may-do-everything"
KEYS = key_set((Scope.API, API), (Scope.ADMIN, ADMIN))


@pytest.mark.parametrize(("secret", "scope"), [(API, Scope.API), (ADMIN, Scope.ADMIN)])
def test_secret_opens_its_key(secret: str, scope: Scope) -> None:
    key = KEYS.find(secret)
    assert key is not None
    assert (key.scope, key.key_id) == (scope, key_id_for(scope, secret))


@given(st.text())
def test_nothing_else_opens_any(text: str) -> None:
    assert KEYS.find(text) is None


@pytest.mark.parametrize("text", ["", API[:-1], API + " ", API.upper(), API + "\x00", "\ud800"])
def test_neighbours_of_a_secret_open_nothing(text: str) -> None:
    assert KEYS.find(text) is None


@pytest.mark.parametrize(
    ("scope", "wanted", "may"),
    [
        (Scope.API, Scope.API, True),
        (Scope.API, Scope.ADMIN, False),
        (Scope.ADMIN, Scope.API, True),
        (Scope.ADMIN, Scope.ADMIN, True),
    ],
)
def test_admin_covers_everything(scope: Scope, wanted: Scope, may: bool) -> None:
    (key,) = key_set((scope, API)).keys
    assert key.may(wanted) is may


def test_key_is_held_until_it_is_replaced() -> None:
    keys = key_set((Scope.API, API), (Scope.ADMIN, ADMIN))
    mine = keys.find(API)
    assert mine is not None
    assert keys.holds(mine)
    keys.replace(key for key in keys.keys if key != mine)
    assert not keys.holds(mine)
    keys.replace([mine._replace(scope=Scope.ADMIN)])
    assert not keys.holds(mine)


def test_only_the_digest_is_kept() -> None:
    (key,) = key_set((Scope.API, API)).keys
    assert key.digest == hashlib.sha256(API.encode()).digest()
    assert API not in repr(KEYS.keys)
    assert API not in repr(vars(KEYS))


@given(st.sampled_from(Scope), st.text())
def test_key_id_is_letters_that_name_the_secret_alone(scope: Scope, secret: str) -> None:
    key_id = key_id_for(scope, secret)
    assert re.fullmatch(rf"{scope}-[bcdfghjkmnpqrstv]{{8}}", key_id)
    assert key_id == key_id_for(scope, secret)
    assert hashlib.sha256(secret.encode()).hexdigest()[:8] not in key_id


def test_key_ids_differ() -> None:
    assert len({key_id_for(Scope.API, f"secret-{number}") for number in range(1000)}) == 1000


def test_one_comparison_whatever_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long for an unknown key as for a known one: the time tells nothing."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr("kis.access.keys.hmac.compare_digest", compare)
    for text in (API, ADMIN, "neither", ""):
        compared.clear()
        KEYS.find(text)
        assert compared == [(32, 32)]


def test_no_key_no_entry() -> None:
    assert KeySet().find("") is None
    # The digest of nobody is all zeros, which no text has.
    assert KeySet().find("\x00" * 32) is None


def test_replaced_at_once() -> None:
    keys = key_set((Scope.API, API))
    keys.replace(key_set((Scope.ADMIN, ADMIN)).keys)
    assert keys.find(API) is None
    assert keys.find(ADMIN) is not None


def test_use_is_told_once() -> None:
    keys = key_set((Scope.API, API), (Scope.ADMIN, ADMIN))
    for secret in (API, API, "neither"):
        keys.find(secret)
    assert keys.take_used() == {key_id_for(Scope.API, API)}
    assert keys.take_used() == frozenset()


def test_key_of_the_environment_has_a_lasting_holder() -> None:
    one, other = EnvKey("API_KEY", Scope.API, API), EnvKey("API_KEY", Scope.API, ADMIN)
    assert one.key_id != other.key_id
    assert one.holder == other.holder == "api-env"


def test_id_of_a_new_key_is_of_its_scope() -> None:
    assert new_key_id(Scope.ADMIN, bytes(4)) == "admin-bbbbbbbb"
    assert new_key_id(Scope.API, b"\xff" * 4) == "api-vvvvvvvv"


def test_stale_keys_open_nothing_until_somebody_has_looked() -> None:
    now_s = [0.0]
    (key,) = key_set((Scope.API, API)).keys
    keys = KeySet([key], lambda: now_s[0])
    keys.go_stale(5.0)
    for now_s[0], is_stale in ((5.0, False), (5.1, True)):
        assert keys.is_stale is is_stale
        assert keys.find(API) == (None if is_stale else key)
        assert keys.known(API) == key
        assert keys.holds(key)
    keys.go_stale(6.0)
    assert keys.find(API) == key
