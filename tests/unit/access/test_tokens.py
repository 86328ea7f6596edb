"""The form of a key: told from all others, and from itself misspelt."""

import math
import re
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.access.tokens import RANDOM_BYTES, SECRET_CHARACTERS, key_id_in, make_token

KEY_IDS = st.builds(
    "{}-{}".format,
    st.sampled_from(["api", "admin"]),
    st.text("bcdfghjkmnpqrstv", min_size=8, max_size=8),
)
RANDOM = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)
TOKENS = st.builds(make_token, KEY_IDS, RANDOM)
TOKEN = make_token("api-bcdfghjk", bytes(range(RANDOM_BYTES)))
CHARACTERS = st.one_of(st.sampled_from(digits + ascii_letters + "_- "), st.characters())


def test_form() -> None:
    assert re.fullmatch(r"kis_api_bcdfghjk_[0-9A-Za-z]{38}", TOKEN)
    assert make_token("admin-vvvvvvvv", bytes(32)).startswith("kis_admin_vvvvvvvv_" + "0" * 32)


def test_nobody_guesses_it() -> None:
    assert SECRET_CHARACTERS * math.log2(62) >= 190


@given(KEY_IDS, RANDOM)
def test_token_tells_its_id(key_id: str, randomness: bytes) -> None:
    assert key_id_in(make_token(key_id, randomness)) == key_id


@given(TOKENS, st.data())
def test_any_other_character_is_noticed(token: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(CHARACTERS.filter(lambda character: character != token[at]))
    assert key_id_in(token[:at] + other + token[at + 1 :]) is None


def test_every_other_character_everywhere_is_noticed() -> None:
    for at, right in enumerate(TOKEN):
        for wrong in digits + ascii_letters + "_":
            misspelt = TOKEN[:at] + wrong + TOKEN[at + 1 :]
            assert (key_id_in(misspelt) is None) is (wrong != right), misspelt


@given(TOKENS, st.data())
def test_a_character_too_few_or_too_many_is_noticed(token: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(token) - 1))
    assert key_id_in(token[:at] + token[at + 1 :]) is None
    assert key_id_in(token[:at] + data.draw(CHARACTERS) + token[at:]) is None


@given(TOKENS, st.data())
def test_neighbours_that_changed_places_are_noticed(token: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(token) - 2))
    swapped = token[:at] + token[at + 1] + token[at] + token[at + 2 :]
    assert (key_id_in(swapped) is None) is (swapped != token)


@given(st.text())
def test_other_texts_are_none(text: str) -> None:
    assert key_id_in(text) is None


@pytest.mark.parametrize(
    "text", ["", TOKEN + "\n", " " + TOKEN, TOKEN.upper(), TOKEN.replace("api", "root"), "\ud800"]
)
def test_near_misses(text: str) -> None:
    assert key_id_in(text) is None


@given(RANDOM, RANDOM)
def test_other_randomness_is_another_secret(one: bytes, other: bytes) -> None:
    """All but one in 2^66, as 256 bits are folded into 190."""
    tokens = {make_token("api-bcdfghjk", each) for each in (one, other)}
    assert len(tokens) == len({one, other})
