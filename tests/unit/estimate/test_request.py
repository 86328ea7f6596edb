"""The request over the wire: which kinds and spellings are taken, and how the rest is told."""

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from kis.errors import DomainError, ErrorCode
from kis.estimate.model import AccessoryDraft, BoardDraft, DeviceDraft
from kis.estimate.request import (
    GOLDEN_NAME,
    MAX_FINDINGS,
    VERSION_LABEL,
    EstimateRequest,
    parse_board,
    parse_body,
)

FULL: dict[str, Any] = {
    "brand": "LS",
    "form": "STANDARD",
    "installation": {"location": "OUTDOOR", "mount": "STAND", "material": "SUS"},
    "device": {"type": "ELCB"},
    "main": {"model": "M", "af": 100, "poles": "4P", "at": 75, "type": "MCCB", "brand": "LS"},
    "branches": [{"af": 50, "poles": "3P", "quantity": 4, "name": "펌프"}, {"model": "B"}],
    "accessories": {"enabled": True, "items": [{"code": "MC-22", "quantity": 2}, {"code": "X"}]},
    "label": "LP-1",
    "customer": "한빛",
    "note": "비고",
}


def refusals(body: object) -> dict[str, str]:
    """Return the English words of each finding by its path."""
    with pytest.raises(DomainError) as error:
        parse_board(body)
    findings = error.value.findings
    assert {finding.code for finding in findings} == {ErrorCode.INVALID_REQUEST}
    for finding in findings:
        assert finding.hint.ko.removesuffix(".") in finding.message.ko
        assert finding.hint.ko
    return {finding.path: finding.hint.en for finding in findings}


def test_everything_that_can_be_said() -> None:
    assert parse_board(FULL) == BoardDraft(
        brand="LS", form="STANDARD", location="OUTDOOR", mount="STAND", material="SUS",
        device_type="ELCB",
        main=DeviceDraft("M", 100, "4P", 75, "MCCB", "LS"),
        branches=(DeviceDraft(af=50, poles="3P", quantity=4, name="펌프"), DeviceDraft("B")),
        accessories_enabled=True,
        accessories=(AccessoryDraft("MC-22", 2), AccessoryDraft("X")),
        label="LP-1", customer="한빛", note="비고",
    )  # fmt: skip


def test_names_lose_the_spaces_around_them() -> None:
    """They come along when a cell is copied."""
    board = parse_board({"main": {"model": " SBS-54\u00a0"}, "branches": [{"model": "SIB-32 A"}]})
    assert board.main == DeviceDraft("SBS-54")
    assert board.branches == (DeviceDraft("SIB-32 A"),)
    assert refusals({"main": {"model": "  "}}) == {"$.main.model": "must not be empty."}


def test_what_is_left_out_or_null_is_not_stated() -> None:
    nothing = BoardDraft()
    assert parse_board({}) == nothing
    nullable = ("brand", "form", "installation", "device", "main", "branches", "accessories")
    assert parse_board(dict.fromkeys(nullable)) == nothing
    assert parse_board({"installation": {"location": None}, "accessories": {}}) == nothing


def test_no_branches_is_a_statement() -> None:
    assert parse_board({"branches": []}).branches == ()
    assert parse_board({}).branches is None
    assert parse_board({"accessories": {"enabled": False}}).accessories_enabled is False


@pytest.mark.parametrize(
    ("body", "path", "words"),
    [
        ({"brand": 1}, "$.brand", "must be a string."),
        ({"brand": ""}, "$.brand", "must not be empty."),
        ({"brand": "x" * 101}, "$.brand", "at most 100 characters."),
        (
            {"brand": "a\nb"},
            "$.brand",
            "must have no control characters such as line ends and tabs.",
        ),
        ({"form": "economic"}, "$.form", "'ECONOMIC' or 'STANDARD'"),
        ({"installation": []}, "$.installation", "must be an object."),
        ({"main": {"af": "100"}}, "$.main.af", "must be a whole number."),
        ({"main": {"af": 100.0}}, "$.main.af", "must be a whole number."),
        ({"main": {"af": 100.5}}, "$.main.af", "must be a whole number."),
        ({"main": {"af": True}}, "$.main.af", "must be a whole number."),
        ({"main": {"af": 0}}, "$.main.af", "must be at least 1."),
        ({"main": {"af": 10_001}}, "$.main.af", "must be at most 10000."),
        ({"main": {"poles": 4}}, "$.main.poles", "'1P', '2P', '3P' or '4P'"),
        ({"main": {"quantity": 2}}, "$.main.quantity", "unknown field."),
        ({"branches": {}}, "$.branches", "must be an array."),
        ({"branches": [{}, {"quantity": 0}]}, "$.branches[1].quantity", "must be at least 1."),
        ({"branches": [None]}, "$.branches[0]", "must be an object."),
        ({"branches": [{}] * 10_001}, "$.branches", "at most 10000 items."),
        ({"accessories": {"enabled": 1}}, "$.accessories.enabled", "must be true or false."),
        ({"accessories": {"items": [{}]}}, "$.accessories.items[0].code", "required."),
        ({"label": None}, "$.label", "must be a string."),
        ({"odd key": 1}, '$["odd key"]', "unknown field."),
        ([], "$", "must be an object."),
        (None, "$", "must be an object."),
    ],
)
def test_what_is_of_a_wrong_kind(body: object, path: str, words: str) -> None:
    assert refusals(body) == {path: words}


@pytest.mark.parametrize(
    ("body", "korean"),
    [
        ({"form": "X"}, "값이 올바르지 않습니다: 'ECONOMIC' 또는 'STANDARD' 중 하나여야 합니다."),
        ({"brand": "a\nb"}, "값이 올바르지 않습니다: 줄바꿈, 탭 같은 제어 문자를 쓸 수 없습니다."),
        ({"accessories": {"items": [{}]}}, "필수 항목입니다: code"),
        ({"more": 1}, "모르는 필드입니다: more"),
    ],
)
def test_it_is_told_in_korean_alone(body: object, korean: str) -> None:
    with pytest.raises(DomainError) as error:
        parse_board(body)
    assert error.value.main.message.ko == korean


class Lengths(BaseModel):
    """Lengths as a query has them."""

    mm: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]


@pytest.mark.parametrize(
    ("mm", "said"),
    [
        ("0", "must be above 0."),
        ("100001", "must be at most 100000"),
        ("wide", "must be a number."),
        ("inf", "must be a number."),
        ("NaN", "must be a number."),
    ],
)
def test_length_that_is_none(mm: str, said: str) -> None:
    with pytest.raises(DomainError) as error:
        parse_body(Lengths, {"mm": mm})
    assert said in error.value.main.hint.en


class Names(BaseModel):
    """Names that other requests take."""

    label: Annotated[str, Field(pattern=VERSION_LABEL)] = "v1"
    golden: Annotated[str, Field(pattern=GOLDEN_NAME)] = "LP-1"
    other: Annotated[str, Field(pattern="^a$")] = "a"


@pytest.mark.parametrize(
    ("field", "name", "said"),
    [
        ("label", "", "1~64자"),
        ("label", " v1", "영문자나 숫자로 시작"),
        ("label", "한글-01", "영문자, 숫자, 마침표(.), 밑줄(_), 붙임표(-)"),
        ("label", "x" * 500, "1~64자"),
        ("golden", "", "1~100자"),
        ("golden", "a/b", "빗금(/)"),
        ("other", "b", "허용되지 않는 문자"),
    ],
)
def test_refused_name_tells_what_is_allowed(field: str, name: str, said: str) -> None:
    with pytest.raises(DomainError) as error:
        parse_body(Names, {field: name})
    assert said in error.value.main.message.ko
    assert said in error.value.main.hint.ko


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = {"brand": 1, "main": {"af": "x", "more": 1}, "branches": [{"poles": "5P"}]}
    paths = ["$.brand", "$.main.af", "$.main.more", "$.branches[0].poles"]
    assert sorted(refusals(wrong)) == sorted(paths)


def test_first_hundred_are_told() -> None:
    assert len(refusals({f"x{number}": 1 for number in range(1_000)})) == MAX_FINDINGS


def test_value_is_shown_and_cut_short() -> None:
    with pytest.raises(DomainError) as error:
        parse_board({"form": "x" * 1_000})
    shown = error.value.main.data["value"]
    assert isinstance(shown, str)
    assert 0 < len(shown) < 100


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries({}, optional=dict.fromkeys(FULL, ANYTHING))


def parsed(body: object) -> BoardDraft | DomainError:
    try:
        return parse_board(body)
    except DomainError as error:
        return error


@given(ANYTHING | FIELDS)
def test_anything_is_a_board_or_refused(body: object) -> None:
    found = parsed(body)
    if isinstance(found, DomainError):
        assert {finding.code for finding in found.findings} == {ErrorCode.INVALID_REQUEST}
        assert all(finding.path.startswith("$") for finding in found.findings)


def test_every_field_is_described_for_the_documentation() -> None:
    schema = EstimateRequest.model_json_schema()
    assert schema["additionalProperties"] is False
    for definition in schema["$defs"].values():
        assert definition["additionalProperties"] is False
    assert set(schema["properties"]) == set(FULL)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({"accessories": {"items": [{"quantity": 1}]}}, {}),
        ({"main": [{"model": "한", "poles": None}]}, {"value": '[{"model": "한", "poles": null}]'}),
        ({"brand": {"a": True}}, {"value": '{"a": true}'}),
        ({"brand": 7}, {"value": 7}),
        ({"form": "x" * 99}, {"value": "x" * 40}),
        ({"brand": ["x" * 99]}, {"value": '["' + "x" * 38}),
        ({"more": None}, {"value": None}),
    ],
)
def test_value_is_shown_as_it_was_sent(body: object, data: object) -> None:
    """As JSON, never as Python writes it; what is missing has none."""
    with pytest.raises(DomainError) as error:
        parse_board(body)
    assert error.value.main.data == data
