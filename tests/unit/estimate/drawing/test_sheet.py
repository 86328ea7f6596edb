"""The whole drawing: everything of the answer is on it once, to scale, and nothing runs in it."""

import json
import re
from collections import Counter
from itertools import combinations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.errors import DomainError, ErrorCode, Language
from kis.estimate.drawing.block import Reference
from kis.estimate.drawing.sheet import draw, draw_answer
from kis.estimate.model import BoardDraft
from kis.estimate.preview import Preview
from kis.knowledge.snapshot import Snapshot
from tests.unit.estimate.boards import draft, drafts, knowledge, line

from .pictures import (
    SVG,
    box_of,
    extent_of,
    of_class,
    parsed,
    picture,
    preview_of,
    texts,
    titles,
)

many = settings(max_examples=40, deadline=None)
languages: st.SearchStrategy[Language] = st.sampled_from(["ko", "en"])
written = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=60)
ELEMENTS = {"svg", "title", "desc", "g", "rect", "path", "circle", "text"}
STORED = Reference("0199c0de-1234-7abc-8def-0123456789ab", "2026-03-05T02:11:40.123Z")


def some_board() -> BoardDraft:
    return draft(
        "SBS-54", line("SES-54", 2, name="동력"), line("SIE-32", 8, at=20, name="전등"),
        accessories=[("METER-3PH", 1), ("TIMER-24H", 2)], label="LP-1", customer="한빛전기",
    )  # fmt: skip


@st.composite
def named_boards(draw_: st.DrawFn, snapshot: Snapshot) -> BoardDraft:
    """Draw a board on which people wrote what they like."""
    board = draw_(drafts(snapshot))
    branches = [
        msgspec.structs.replace(branch, name=draw_(written)) for branch in board.branches or ()
    ]
    return msgspec.structs.replace(
        board, branches=tuple(branches), label=draw_(written), customer=draw_(written)
    )


# --- to scale ------------------------------------------------------------------------------------


@many
@given(data=st.data(), views_only=st.booleans())
def test_every_device_is_drawn_once_where_it_stands(
    seed_snapshot: Snapshot, data: st.DataObject, views_only: bool
) -> None:
    snapshot = data.draw(knowledge(seed_snapshot))
    preview = preview_of(data.draw(drafts(snapshot)), snapshot)
    root = parsed(draw(preview, views_only=views_only))
    drawn = {
        device.attrib["data-device"]: box_of(of_class(device, "kis-body")[0])
        for device in of_class(root, "kis-device")
    }
    placements = preview.layout.placements
    assert len(of_class(root, "kis-device")) == len(placements) == len(drawn)
    assert drawn == {
        place.device: pytest.approx((place.x, place.y, place.w, place.h), abs=0.01)
        for place in placements
    }
    (outline,) = {box_of(rect) for rect in of_class(root, "kis-front-view")[0] if is_outline(rect)}
    assert outline == (0, 0, preview.enclosure.W, preview.enclosure.H)
    for x, y, w, h in drawn.values():
        assert 0 <= x < x + w <= preview.enclosure.W
        assert 0 <= y < y + h <= preview.enclosure.H
    overlapping = [
        pair for pair in combinations(drawn.values(), 2) if overlap(*pair)
    ]  # as in the layout, in which nothing does
    assert overlapping == []


def is_outline(element: object) -> bool:
    return getattr(element, "attrib", {}).get("class") == "kis-paper"


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return (
        a[0] + 0.01 < b[0] + b[2]
        and b[0] + 0.01 < a[0] + a[2]
        and a[1] + 0.01 < b[1] + b[3]
        and b[1] + 0.01 < a[1] + a[3]
    )


@many
@given(data=st.data(), language=languages, views_only=st.booleans())
def test_nothing_is_written_off_the_sheet(
    seed_snapshot: Snapshot, data: st.DataObject, language: Language, views_only: bool
) -> None:
    board = data.draw(named_boards(seed_snapshot))
    root = picture(board, seed_snapshot, language, reference=STORED, views_only=views_only)
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    for text in root.iter(f"{SVG}text"):
        x, y, right, bottom = extent_of(text)
        assert left <= x, text.text
        assert top <= y, text.text
        assert right <= left + width, text.text
        assert bottom <= top + height, text.text


@many
@given(data=st.data())
def test_what_is_written_on_a_device_stays_on_it(
    seed_snapshot: Snapshot, data: st.DataObject
) -> None:
    root = picture(data.draw(named_boards(seed_snapshot)), seed_snapshot)
    for device in of_class(root, "kis-device"):
        x, y, w, h = box_of(of_class(device, "kis-body")[0])
        name = device.attrib["data-device"]
        (number,) = [t for t in device.iter(f"{SVG}text") if (t.text or "").split()[:1] == [name]]
        left, top, right, bottom = extent_of(number)
        assert x <= left < right <= x + w
        assert y <= top < bottom <= y + h


def test_busbars_and_dimensions(seed_snapshot: Snapshot) -> None:
    board = some_board()
    preview = preview_of(board, seed_snapshot)
    root = picture(board, seed_snapshot)
    (bar,) = preview.layout.busbars
    x, y, w, h = box_of(of_class(root, "kis-busbar")[0])
    assert (x + w / 2, y, h) == pytest.approx((bar.x, bar.y, bar.h), abs=0.01)
    size = preview.enclosure
    assert {f"W {size.W}", f"H {size.H}", f"D {size.D}"} <= set(texts(root))
    side = of_class(of_class(root, "kis-side-view")[0], "kis-paper")[0]
    assert box_of(side)[2:] == (size.D, size.H)


def test_heights_of_the_chain_make_up_the_enclosure(seed_snapshot: Snapshot) -> None:
    """H 600: 80, main 130, 30, rows 2x100 + ... as the layout has them."""
    root = picture(some_board(), seed_snapshot)
    chain = [
        text for text in texts(root) if re.match(r"(상부|메인|간격|분기|부속|하부).* [\d.]+$", text)
    ]
    height = preview_of(some_board(), seed_snapshot).enclosure.H
    assert sum(float(text.split()[-1]) for text in chain) == height
    assert chain[0] == "상부 배선 80"


# --- what a page and a reader get -----------------------------------------------------------------


def test_devices_lead_to_their_lines(seed_snapshot: Snapshot) -> None:
    root = picture(some_board(), seed_snapshot)
    rows = {each.attrib["data-item"]: each.get("data-row") for each in of_class(root, "kis-device")}
    assert rows["main"] == "main"
    assert Counter(rows.values()) == {
        "main": 1, "branches[0]": 2, "branches[1]": 8,
        "accessories.items[0]": 1, "accessories.items[1]": 2,
    }  # fmt: skip
    assert {"branch-1", "branch-10", "accessory-3"} <= rows.keys()
    listed = Counter(each.get("data-row") for each in of_class(root, "kis-row"))
    del listed[None]  # the head and the busbar
    assert listed == dict.fromkeys(rows.values(), 1)


def test_devices_lead_to_lines_as_they_were_typed(seed_snapshot: Snapshot) -> None:
    board = draft("SBS-54", line("SIE-32"), line("SES-54", 2), line("SIE-32", 3))
    preview = preview_of(board, seed_snapshot)
    root = parsed(draw(preview, rows=preview.rows))
    rows = Counter(each.get("data-row") for each in of_class(root, "kis-device"))
    assert rows == {"main": 1, "branches[0]": 1, "branches[1]": 2, "branches[2]": 3}
    # Two typed lines are one row of the list, which can lead to neither.
    listed = {each.get("data-row") for each in of_class(root, "kis-row")} - {None}
    assert listed == {"main", "branches[1]"}


def test_device_says_what_it_is(seed_snapshot: Snapshot) -> None:
    root = picture(some_board(), seed_snapshot)
    devices = {each.attrib["data-item"]: each for each in of_class(root, "kis-device")}
    (told,) = titles(devices["branch-3"])
    assert told == "B3 SIE-32 · ELCB 2P 30AF/20AT · 전등 · 70×33 mm (x 180, y 340)"
    assert titles(devices["accessory-1"])[0].startswith("A1 METER-3PH · 계기 · 130×130 mm")


def test_reader_of_the_screen_gets_the_essentials(seed_snapshot: Snapshot) -> None:
    root = picture(some_board(), seed_snapshot)
    assert root.attrib["role"] == "img"
    assert root.attrib["lang"] == "ko"
    name, description = root[0], root[1]
    size = preview_of(some_board(), seed_snapshot).enclosure
    assert name.text == f"LP-1 내부 정면도, {size.W}×{size.H}×{size.D} mm"
    assert description.tag == f"{SVG}desc"
    told = description.text or ""
    for part in (
        f"{size.W}×{size.H}×{size.D} mm", "메인: SBS-54 MCCB 4P 50AF × 1",
        "분기: SES-54 ELCB 4P 50AF 동력 × 2", "분기: SIE-32 ELCB 2P 30AF/20AT 전등 × 8",
        "부속: METER-3PH 계기 × 1",
    ):  # fmt: skip
        assert part in told
    english = picture(some_board(), seed_snapshot, "en")
    assert english.attrib["lang"] == "en"
    assert "Main: SBS-54 MCCB 4P 50AF × 1" in (english[1].text or "")


def test_english_has_no_korean_of_ours(seed_snapshot: Snapshot) -> None:
    board = msgspec.structs.replace(
        some_board(), customer="", branches=(line("SES-54", 2), line("SIE-32"))
    )
    svg = draw(preview_of(board, seed_snapshot), "en", reference=STORED)
    assert re.findall("[\uac00-\ud7a3]+", svg) == []


def test_block_says_what_it_is_of(seed_snapshot: Snapshot) -> None:
    shown = texts(picture(some_board(), seed_snapshot, reference=STORED))
    for text in (
        "LP-1",
        "한빛전기",
        STORED.number,
        "2026-03-05 02:11 UTC",
        "경제형 · 스틸 · 옥내 · 노출",
    ):
        assert text in shown


def test_views_alone(seed_snapshot: Snapshot) -> None:
    root = picture(some_board(), seed_snapshot, views_only=True)
    assert of_class(root, "kis-list") == of_class(root, "kis-block") == []
    assert len(of_class(root, "kis-device")) == 14


def test_size_of_the_element(seed_snapshot: Snapshot) -> None:
    root = picture(some_board(), seed_snapshot)
    assert root.get("width") is root.get("height") is None
    sized = picture(some_board(), seed_snapshot, width="190mm", height="100%")
    assert (sized.get("width"), sized.get("height")) == ("190mm", "100%")


@pytest.mark.parametrize("mount", ["WALL", "SURFACE", "FLUSH", "STAND"])
def test_mounting_shows_in_the_side_view(seed_snapshot: Snapshot, mount: str) -> None:
    root = picture(draft("SBS-54", mount=mount), seed_snapshot)
    assert bool(of_class(root, "kis-wall")) == (mount != "STAND")
    assert bool(of_class(root, "kis-floor")) == (mount == "STAND")


# --- nothing runs, nothing leaks, nothing is lost -------------------------------------------------


@many
@given(data=st.data(), language=languages)
def test_nothing_runs_or_leaks_into_the_page(
    seed_snapshot: Snapshot, data: st.DataObject, language: Language
) -> None:
    board = data.draw(named_boards(seed_snapshot))
    root = picture(board, seed_snapshot, language, reference=STORED)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= ELEMENTS
    for each in root.iter():
        for name in each.attrib:
            assert name not in ("style", "id", "href", "src")
            assert not name.startswith(("on", "{"))


@many
@given(data=st.data())
def test_what_people_wrote_is_text(seed_snapshot: Snapshot, data: st.DataObject) -> None:
    board = data.draw(named_boards(seed_snapshot))
    root = picture(board, seed_snapshot)
    # XML has no place for the last two characters of a plane.
    circuits = {re.sub("[\ufffe\uffff]", "\ufffd", b.name) for b in board.branches or ()}
    told = " ".join(titles(root))
    assert [name for name in circuits if name.strip() not in told] == []


def test_hostile_names(seed_snapshot: Snapshot) -> None:
    hostile = "</text><script>alert(1)</script>\"'><a href=javascript:x onload=y>&lt;"
    board = draft("SBS-54", line("SIE-32", name=hostile), label=hostile, customer=hostile)
    svg = draw(preview_of(board, seed_snapshot))
    assert "<script" not in svg
    assert "<a " not in svg
    root = parsed(svg)
    assert (root[0].text or "").startswith(hostile)


@many
@given(data=st.data(), language=languages)
def test_same_bytes_for_the_same_answer(
    seed_snapshot: Snapshot, data: st.DataObject, language: Language
) -> None:
    preview = preview_of(data.draw(named_boards(seed_snapshot)), seed_snapshot)
    again = msgspec.json.decode(msgspec.json.encode(preview), type=Preview)
    assert draw(again, language) == draw(preview, language)


def test_largest_board(seed_snapshot: Snapshot) -> None:
    board = draft("SBS-54", *(line("SIE-32", 9, name=f"회로 {n}") for n in range(100)))
    root = picture(board, seed_snapshot, reference=STORED)
    assert len(of_class(root, "kis-device")) == 901
    assert len(of_class(root, "kis-row")) > 100


# --- of a stored answer ---------------------------------------------------------------------------


def stored(preview: Preview) -> bytes:
    answer = {"id": STORED.number, "createdAt": STORED.made_at, **msgspec.to_builtins(preview)}
    return msgspec.json.encode(answer)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_stored_answer(seed_snapshot: Snapshot, language: Language) -> None:
    preview = preview_of(some_board(), seed_snapshot)
    expected = draw(preview, language, reference=STORED)
    assert draw_answer(stored(preview), language).decode() == expected


@pytest.mark.parametrize("damage", ["layout", "enclosure", "id"])
def test_damaged_answer(seed_snapshot: Snapshot, damage: str) -> None:
    answer = json.loads(stored(preview_of(some_board(), seed_snapshot)))
    del answer[damage]
    for bad in (json.dumps(answer).encode(), b"", b"\xff", b"{"):
        with pytest.raises(DomainError) as refused:
            draw_answer(bad, "ko")
        assert refused.value.main.code is ErrorCode.INTERNAL
