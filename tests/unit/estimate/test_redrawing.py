"""A stored estimate drawn beside what it would be under another version."""

import msgspec

from kis.estimate.redrawing import redraw, request_of
from kis.estimate.request import parse_board
from kis.knowledge.snapshot import Snapshot, Tables
from tests.services import board
from tests.unit.estimate.drawing.pictures import preview_of


def answered(snapshot: Snapshot) -> bytes:
    """Return what of an answer a drawing needs, as it is stored."""
    return msgspec.json.encode(preview_of(parse_board(board()), snapshot))


def changed(snapshot: Snapshot, model: str, factor: int) -> Snapshot:
    """Return the version with that model so many times as wide; 0 without it."""
    tables = snapshot.tables
    rows = [
        msgspec.structs.replace(row, width_dmm=row.width_dmm * factor)
        if row.model == model
        else row
        for row in tables.breakers
        if factor or row.model != model
    ]
    other = Tables(tuple(rows), tables.enclosures, tables.accessories, tables.rules)
    return Snapshot(other, label="other")


def test_same_version_gives_the_same_drawing(seed_snapshot: Snapshot) -> None:
    found = redraw(answered(seed_snapshot), seed_snapshot, "ko")
    assert found.after is not None
    assert found.before == found.after._replace(drawn=found.before.drawn)
    assert found.after.drawn.enclosure == found.before.drawn.enclosure


def test_wider_breaker_is_drawn_in_a_larger_enclosure(seed_snapshot: Snapshot) -> None:
    wider = changed(seed_snapshot, "SBS-54", 4)
    found = redraw(answered(seed_snapshot), wider, "en")
    assert found.after is not None
    assert found.after.drawn.enclosure.W > found.before.drawn.enclosure.W
    assert found.after.drawing != found.before.drawing


def test_board_that_cannot_be_answered_any_more_says_why(seed_snapshot: Snapshot) -> None:
    without = changed(seed_snapshot, "SBS-54", 0)
    found = redraw(answered(seed_snapshot), without, "ko")
    assert found.after is None
    assert found.refusals[0].code == "NEED_KNOWLEDGE_UPDATE"
    assert found.before.drawing.startswith("<svg")


def test_request_of_an_answer_can_be_asked_again(seed_snapshot: Snapshot) -> None:
    again = parse_board(request_of(answered(seed_snapshot)))
    enclosure = preview_of(again, seed_snapshot).enclosure
    assert (enclosure.W, enclosure.H) == (500, 600)
