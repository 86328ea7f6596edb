from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from kis.errors import DomainError, ErrorCode
from kis.estimate.model import BillItem
from kis.web.pages.estimates import A_PAGE, filter_of, side_by_side


def sizes(text: str) -> tuple[float | None, float | None, float | None]:
    wanted = filter_of(QueryParams({"size": text}))
    return wanted.width_mm, wanted.height_mm, wanted.depth_mm


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("600x700x200", (600, 700, 200)),
        ("600 × 700 × 200", (600, 700, 200)),
        ("600*700", (600, 700, None)),
        ("x700", (None, 700, None)),
        ("600xx200", (600, None, 200)),
        ("", (None, None, None)),
    ],
)
def test_sizes_as_people_write_them(
    text: str, expected: tuple[float | None, float | None, float | None]
) -> None:
    assert sizes(text) == expected


def test_days_are_whole_and_of_this_place() -> None:
    wanted = filter_of(QueryParams({"since": "2026-11-01", "until": "2026-11-01"}))
    assert wanted.since is not None
    assert wanted.until is not None
    assert wanted.since == datetime(2026, 11, 1).astimezone(UTC)
    assert (wanted.until - wanted.since).total_seconds() == 24 * 3600


def test_every_field_that_cannot_be_read_is_named() -> None:
    with pytest.raises(DomainError) as refused:
        filter_of(QueryParams({"since": "yesterday", "until": "9999-12-31", "size": "large"}))
    assert {finding.path for finding in refused.value.findings} == {"since", "until", "size"}
    assert {finding.code for finding in refused.value.findings} == {ErrorCode.INVALID_REQUEST}


@given(st.dictionaries(st.sampled_from(["q", "size", "since", "until", "before"]), st.text()))
def test_no_text_breaks_the_search(asked: dict[str, str]) -> None:
    with suppress(DomainError):
        assert filter_of(QueryParams(asked)).limit == A_PAGE + 1


def item(model: str, quantity: int) -> BillItem:
    return BillItem("branch", "분기 차단기", quantity, "EA", model=model)


def test_two_bills_side_by_side() -> None:
    first, second = (item("A", 2), item("B", 1)), (item("B", 3), item("C", 4))
    lines = list(side_by_side(first, second))
    assert [(line.item.model, line.first, line.second) for line in lines] == [
        ("A", 2, 0), ("B", 1, 3), ("C", 0, 4),
    ]  # fmt: skip
