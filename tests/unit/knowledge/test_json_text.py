"""JSON text: repeated keys are found, and what is accepted can be encoded canonically."""

import json

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from kis.knowledge.json_text import canonical_object, inside_key, load_json
from kis.knowledge.problems import MAX_SAFE_INTEGER, CellError

from .rows import json_values, keys

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(keys, json_values, max_size=4))
def test_plain_json_comes_back_as_it_went(value: dict[str, object]) -> None:
    assert load_json(json.dumps(value)) == (value, ())
    assert canonical_object(value) == value


@given(st.dictionaries(st.text(), any_json, max_size=3))
def test_what_is_accepted_has_one_encoding(value: dict[str, object]) -> None:
    try:
        accepted = canonical_object(value)
    except CellError:
        return
    assert msgspec.json.encode(accepted, order="sorted") == rfc8785.dumps(accepted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(14.0, 14), (-0.0, 0), (2.5, 2.5), (0.0001, 0.0001), (1e15, 10**15), (-3.0, -3)],
)
def test_whole_floats_become_whole_numbers(value: float, expected: float) -> None:
    plain = canonical_object({"a": [value]})
    assert plain == {"a": [expected]}
    assert json.dumps(plain) == json.dumps({"a": [expected]})


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("-inf"),
        MAX_SAFE_INTEGER + 1,
        -MAX_SAFE_INTEGER - 1,
        1e17,
        9e-5,
        "\x00",
        "\x85",
        "\u2028",
        "\udfff",
        b"bytes",
        {"\n": 1},
        {"\U00010000": 1},
        {1: 1},
    ],
)
def test_what_is_refused(value: object) -> None:
    with pytest.raises(CellError) as caught:
        canonical_object({"fine": 1, "odd": [0, value]})
    (reason,) = caught.value.reasons
    assert reason.inside.startswith(".odd[1]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1,"a":1}', [".a"]),
        ('{"a":{"b":1,"b":2,"b":3},"c":[0,{"d":1,"d":1}]}', [".a.b", ".c[1].d"]),
        ('{"a b":1,"a b":1,"é":1}', ["['a b']"]),
        ('[{"":1,"":1}]', ["[0]['']"]),
        ("[" * 500 + '{"a":1,"a":1}' + "]" * 500, ["[0]" * 500 + ".a"]),
    ],
)
def test_repeated_keys(text: str, expected: list[str]) -> None:
    _, repeated = load_json(text)
    assert [reason.inside for reason in repeated] == expected


@pytest.mark.parametrize("text", ["", "{", "{'a':1}", '{"a":1}x', "[" * 100_000, "1" * 5_000])
def test_no_json(text: str) -> None:
    with pytest.raises(CellError):
        load_json(text)


def test_steps() -> None:
    assert [inside_key(key) for key in ("a_b", "비고", "3P", "")] == [
        ".a_b",
        ".비고",
        "['3P']",
        "['']",
    ]
