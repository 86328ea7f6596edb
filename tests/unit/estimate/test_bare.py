"""What is kept of a request for replays: it gives the size of the request itself."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.errors import DomainError, ErrorCode
from kis.estimate.bare import bare_request, decode_bare, size_bare
from kis.estimate.engine import estimate, size_of
from kis.estimate.gates import normalise
from kis.estimate.model import BoardDraft
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit, resize
from kis.knowledge.snapshot import Snapshot
from kis.units import Size
from tests.services import board

from .boards import draft, drafts, knowledge, line, with_tables


def bare_of(request: dict[str, Any], snapshot: Snapshot) -> bytes:
    admitted, _ = admit(parse_board(request), snapshot.rules, allow_mixed=True)
    return bare_request(admitted)


def size_or_codes(request: BoardDraft, snapshot: Snapshot) -> tuple[object, object, object]:
    """Return the sizes, or the refusals, of estimate, size_of and size_bare."""
    normalised, origins = normalise(request, snapshot.rules)

    def whole() -> object:
        enclosure = estimate(normalised, snapshot, origins).estimate.enclosure
        return Size(enclosure.W, enclosure.H, enclosure.D), enclosure.model

    def sized() -> object:
        choice = size_of(normalised, snapshot, origins).found.choice
        return choice.size, choice.stock and choice.stock.model

    def bare() -> object:
        choice = size_bare(decode_bare(bare_request(normalised)), snapshot).found.choice
        return choice.size, choice.stock and choice.stock.model

    return _try(whole), _try(sized), _try(bare)


def _try(size: Any) -> object:
    try:
        return size()
    except DomainError as refusal:
        return [finding.code for finding in refusal.findings]


def test_what_only_people_read_is_left_out(seed_snapshot: Snapshot) -> None:
    plain = bare_of(board(), seed_snapshot)
    named = board(label="LP-1", customer="한빛", note="급함")
    named["main"]["name"] = "메인"
    named["branches"][0]["name"] = "전등"
    assert bare_of(named, seed_snapshot) == plain
    assert "전등".encode() not in plain


def test_lines_stay_where_they_are(seed_snapshot: Snapshot) -> None:
    """Two lines that differ by name alone stay two: a finding's path counts them."""
    two = board(
        branches=[
            {"model": "SIE-32", "quantity": 2, "name": "전등"},
            {"model": "SIE-32", "quantity": 3, "name": "콘센트"},
        ]
    )
    decoded = decode_bare(bare_of(two, seed_snapshot))
    assert sorted(each.quantity for each in decoded.branches) == [2, 3]


def test_it_is_a_request_itself(seed_snapshot: Snapshot) -> None:
    again = msgspec.json.decode(bare_of(board(), seed_snapshot))
    assert resize(again, seed_snapshot) == resize(board(), seed_snapshot)


@given(data=st.data())
def test_the_three_ways_to_a_size_agree(seed_snapshot: Snapshot, data: st.DataObject) -> None:
    snapshot = data.draw(knowledge(seed_snapshot))
    whole, sized, bare = size_or_codes(data.draw(drafts(snapshot)), snapshot)
    assert whole == sized == bare


@given(data=st.data())
def test_they_agree_on_refusals_under_other_knowledge(
    seed_snapshot: Snapshot, data: st.DataObject
) -> None:
    """Boards of the shipped tables under tables that lack some of their rows."""
    rows = seed_snapshot.tables.breakers
    kept = data.draw(st.integers(1, len(rows)))
    other = with_tables(seed_snapshot, breakers=rows[:kept])
    whole, sized, bare = size_or_codes(data.draw(drafts(seed_snapshot)), other)
    assert whole == sized == bare


def test_names_of_circuits_do_not_matter(seed_snapshot: Snapshot) -> None:
    lines = [line("SES-54", 3, name=f"회로 {n}") for n in range(4)]
    whole, _, bare = size_or_codes(draft("SBS-54", *lines), seed_snapshot)
    assert whole == bare


def test_brand_that_the_rules_do_not_know_any_more(seed_snapshot: Snapshot) -> None:
    rules = msgspec.structs.replace(seed_snapshot.rules, brands=("LS",))
    other = with_tables(seed_snapshot, rules=rules)
    request = bare_of(board(), seed_snapshot)
    with pytest.raises(DomainError) as error:
        size_bare(decode_bare(request), other)
    with pytest.raises(DomainError) as expected:
        resize(msgspec.json.decode(request), other)
    assert error.value.main == expected.value.main


def test_brands_may_be_mixed(seed_snapshot: Snapshot) -> None:
    mixed = board(
        brand="MIXED",
        main={"brand": "SANGDO", "model": "SBS-54"},
        branches=[{"brand": "LS", "model": "ABN-52"}],
    )
    decoded = decode_bare(bare_of(mixed, seed_snapshot))
    assert size_bare(decoded, seed_snapshot).found.choice.size == resize(mixed, seed_snapshot)


@pytest.mark.parametrize("stored", [b"", b"{}", b"[1]", b"\xff", b'{"brand":1}'], ids=repr)
def test_damaged_request(stored: bytes) -> None:
    with pytest.raises(DomainError) as error:
        decode_bare(stored)
    assert error.value.main.code is ErrorCode.INVALID_REQUEST
