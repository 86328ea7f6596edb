"""Breakers found from what people type of them, without looking at the whole table."""

from collections.abc import Iterable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.knowledge.model import Breaker, BreakerType
from kis.knowledge.model_search import ModelIndex, ModelQuery, _Part, folded

from .rows import breaker, breakers, seed_tables

ALL = 1_000_000
SEED = ModelIndex(seed_tables().breakers)


def query(text: str = "", **more: Any) -> ModelQuery:
    return ModelQuery(**{"text": text, "brand": None, "type": None, "limit": ALL, **more})


def names(index: ModelIndex, text: str = "", **more: Any) -> list[str]:
    """Return the models that are found; none of them has nothing."""
    return [model[0].model for model in index.find(query(text, **more)).models]


@pytest.mark.parametrize(
    "text", ["ABN-53", "abn-53", "abn53", "ABN 53", " abn53 ", "ＡＢＮ－５３", "a.b.n_53"]
)
def test_spellings_of_one_model(text: str) -> None:
    assert names(SEED, text) == ["ABN-53"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("abn5", {"ABN-52", "ABN-53", "ABN-54"}),
        ("n-5", {"ABN-52", "ABN-53", "ABN-54", "EBN-52", "EBN-53"}),
        ("32grhs", {"32GRHS", "32GRHS 고감도"}),
        ("고감", {"32GRHS 고감도", "SIB-32 고감도", "SIE-32 고감도"}),
        ("grhs고", {"32GRHS 고감도"}),
        ("ㄱ", set()),
        ("zzz", set()),
    ],
)
def test_beginning_or_piece_of_a_model(text: str, found: set[str]) -> None:
    assert set(names(SEED, text)) == found


def test_what_begins_so_comes_first_then_the_frame_then_what_has_it_inside() -> None:
    index = ModelIndex(
        breaker(model, frame_size_a=frame)
        for model, frame in sorted(
            [("X-100", 50), ("A-1000", 100), ("100-B", 50), ("100-A", 100), ("B-7", 100), ("C", 50)]
        )
    )
    assert names(index, "100") == ["100-A", "100-B", "A-1000", "B-7", "X-100"]
    for text in ("100AF", "100 af", "100A", "１００ＡＦ"):
        assert names(index, text)[-2:] == ["A-1000", "B-7"]
        assert "X-100" not in names(index, text)
    assert names(index, "1000AF") == []
    assert names(index, "99") == []


def test_nothing_typed_offers_everything() -> None:
    everything = {row.model for row in seed_tables().breakers}
    for text in ("", " ", "-", "\u200b"):
        assert set(names(SEED, text)) == everything
        assert names(SEED, text) == sorted(names(SEED, text), key=folded)


@pytest.mark.parametrize("brand", ["LS", "SANGDO"])
@pytest.mark.parametrize("kind", get_args(BreakerType))
def test_of_one_brand_and_type(brand: str, kind: BreakerType) -> None:
    expected = {r.model for r in seed_tables().breakers if (r.brand, r.type) == (brand, kind)}
    assert set(names(SEED, brand=brand, type=kind)) == expected
    assert set(names(SEED, "3", brand=brand, type=kind)) <= expected


def test_mixed_is_every_brand_and_an_unknown_one_has_nothing() -> None:
    assert names(SEED, "s", brand="MIXED") == names(SEED, "s")
    assert names(SEED, "s", brand="NO-SUCH") == []


def test_rows_of_a_model_come_together() -> None:
    rows = [
        breaker("M-600", 4, frame_size_a=600),
        breaker("M-600", 3, frame_size_a=600),
        breaker("M600", 2, frame_size_a=600),
        breaker("M-600", 3, brand="SANGDO"),
        breaker("M-600", 2, type="ELCB"),
        breaker("M-600", 1, frame_size_a=30),
    ]
    index = ModelIndex(sorted(rows, key=lambda row: row.key))
    for text in ("m6", "600"):
        found = index.find(query(text)).models
        shown = {
            (m[0].brand, m[0].model, m[0].type, m[0].frame_size_a): [row.poles for row in m]
            for m in found
        }
        assert shown == {
            ("LS", "M-600", "MCCB", 600): [3, 4],
            ("LS", "M600", "MCCB", 600): [2],
            ("SANGDO", "M-600", "MCCB", 50): [3],
            ("LS", "M-600", "ELCB", 50): [2],
            ("LS", "M-600", "MCCB", 30): [1],
        }
        assert len(found) == len(shown)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_no_more_than_asked_for(limit: int) -> None:
    index = ModelIndex([breaker("A-1"), breaker("A-2"), breaker("B-A")])
    found = index.find(query("a", limit=limit))
    assert [model[0].model for model in found.models] == ["A-1", "A-2", "B-A"][:limit]
    assert found.has_more is (limit < 3)


def test_kinds_that_there_are() -> None:
    rows = [breaker("A", 2), breaker("A", 4), breaker("B", 1, type="MCB"), breaker("C", brand="Z")]
    assert [tuple(kind) for kind in ModelIndex(rows).kinds] == [
        ("LS", "MCB", (1,)), ("LS", "MCCB", (2, 4)), ("Z", "MCCB", (3,)),
    ]  # fmt: skip
    assert ModelIndex([]).kinds == ()
    assert names(ModelIndex([]), "a") == []


def test_it_gives_way_while_it_is_made() -> None:
    pauses: list[None] = []
    ModelIndex((breaker(f"A-{n:04}") for n in range(1_000)), lambda: pauses.append(None))
    assert len(pauses) >= 6


@pytest.mark.parametrize("text", ["", "a", "0", "a00", "9999", "zz", "7", "50", "50af", "5z"])
def test_no_question_looks_at_the_whole_table(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    index = ModelIndex(breaker(f"A-{number:05}") for number in range(20_000))
    looked_at: list[int] = []
    ending = _Part._ending

    def counted(part: _Part, code: int) -> str:
        looked_at.append(code)
        return ending(part, code)

    monkeypatch.setattr(_Part, "_ending", counted)
    index.find(query(text, limit=20))
    assert len(looked_at) < 100


# --- against the plain way to say it -------------------------------------------------------------

texts = st.text(st.sampled_from("aB-1 50가\u00df"), max_size=5) | st.sampled_from(["50", "50af"])


def plainly(rows: Iterable[Breaker], text: str) -> tuple[set[Any], set[Any], set[Any]]:
    """Return the keys of what begins with `text`, has its frame, and contains it."""
    wanted = folded(text)
    frame = wanted.removesuffix("f").removesuffix("a") or "0"
    rows = list(rows)
    begins = {row.key for row in rows if folded(row.model).startswith(wanted)}
    framed = {row.key for row in rows if frame == str(row.frame_size_a)}
    holds = {row.key for row in rows if wanted in folded(row.model)}
    return begins, framed - begins, holds - begins - framed


@given(
    rows=st.lists(
        st.builds(
            breaker,
            st.text(st.sampled_from("aB-1 50가\u00df"), min_size=1, max_size=6),
            st.integers(1, 4),
            brand=st.sampled_from(["LS", "SANGDO"]),
            type=st.sampled_from(["MCCB", "ELCB"]),
            frame_size_a=st.sampled_from([1, 50, 100]),
        ),
        max_size=12,
        unique_by=lambda row: row.key,
    ),
    text=texts,
    brand=st.none() | st.sampled_from(["LS", "MIXED"]),
    kind=st.none() | st.just("ELCB"),
)
def test_every_row_that_should_be_found_is_found_once_and_in_order(
    rows: list[Breaker], text: str, brand: str | None, kind: BreakerType | None
) -> None:
    rows.sort(key=lambda row: row.key)
    found = ModelIndex(rows).find(query(text, brand=brand, type=kind))
    keys = [row.key for model in found.models for row in model]
    allowed = [
        row for row in rows if brand in (None, "MIXED", row.brand) and kind in (None, row.type)
    ]
    begins, framed, holds = plainly(allowed, text)
    assert len(keys) == len(set(keys))
    assert set(keys[: len(begins)]) == begins
    assert set(keys[len(begins) : len(begins) + len(framed)]) == framed
    assert set(keys[len(begins) + len(framed) :]) == holds


@given(rows=st.lists(breakers, max_size=6, unique_by=lambda row: row.key), text=st.text(max_size=3))
def test_any_rows_and_any_text(rows: list[Breaker], text: str) -> None:
    rows.sort(key=lambda row: row.key)
    is_frame = folded(text)[:1].isdigit()
    found = names(ModelIndex(rows), text)
    assert all(is_frame or folded(text) in folded(name) for name in found)
