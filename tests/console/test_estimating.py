"""A board is typed, drawn, put right, and stored: with keys alone where one types."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser import Watched
from tests.console.conftest import Open, Shoot
from tests.services import API_KEY

SIZE = "[data-size]"


def cell(page: Page, line: int, column: str) -> Locator:
    """Return a cell of the grid; line 0 is the main."""
    return page.locator(f"#breakers tbody >> nth={line} >> [data-cell={column}]")


def lines_of(page: Page) -> list[list[str]]:
    """Return what is typed, line by line, without the blank cells."""
    script = """() => [...document.querySelectorAll("#breakers tbody")].map((row) =>
        [...row.querySelectorAll("[data-cell]")].map((input) => input.value).filter(Boolean))"""
    lines: list[list[str]] = page.evaluate(script)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def begin(tab: Watched) -> Page:
    """Sign in, and state what is stated of most boards by choosing."""
    page = tab.sign_in(API_KEY)
    page.select_option("[data-field=brand]", "SANGDO")
    page.select_option("[data-field='installation.location']", "INDOOR")
    page.select_option("[data-field='installation.mount']", "WALL")
    page.get_by_label("없음", exact=True).check()
    return page


def paste(page: Page, text: str) -> None:
    page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true,
                cancelable: true});
            document.activeElement.dispatchEvent(paste);
        }""",
        text,
    )


def test_the_sample_is_a_click_away(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(API_KEY)
    expect(page.get_by_role("heading", name="반을 입력하면")).to_be_visible()
    tab.check()
    shoot(tab, "estimate-empty")
    page.get_by_role("button", name="예시 반 불러오기").first.click()
    expect(page.locator(SIZE)).to_have_text(re.compile("600 × 600 × 150"))
    expect(page.get_by_text("HB606015").first).to_be_visible()
    tab.check()
    shoot(tab, "estimate")


def test_english(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(API_KEY)
    page.get_by_role("link", name="English").click()
    page.get_by_role("button", name="Load a sample board").first.click()
    expect(page.locator(SIZE)).to_have_text(re.compile("600 × 600 × 150"))
    tab.check()
    shoot(tab, "estimate-english")
    cell(page, 1, "poles").fill("3")
    page.keyboard.press("Enter")
    expect(page.locator("#breakers .finding")).to_contain_text("SES-54 is 4P, but 3P was asked")
    tab.check()


def test_a_board_is_typed_with_keys_alone(tab: Watched) -> None:
    page = begin(tab)
    cell(page, 0, "model").focus()
    for text in ("SBS-54", "SES-54 x2"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    page.keyboard.type("SIE-32")
    page.keyboard.press("Tab")
    page.keyboard.type("8")
    page.keyboard.press("Enter")
    expect(page.locator(SIZE)).to_have_text(re.compile("600 × 600 × 150"))
    assert lines_of(page) == [["SBS-54"], ["SES-54", "2"], ["SIE-32", "8"]]
    expect(cell(page, 3, "model")).to_be_focused()
    expect(cell(page, 2, "poles")).to_have_attribute("placeholder", "2P")
    tab.check()


def test_models_are_completed(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(API_KEY)
    main = cell(page, 0, "model")
    main.focus()
    page.keyboard.type("sbs5")
    expect(page.locator("#models li")).to_have_count(3)
    expect(main).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#models [aria-selected=true]")).to_contain_text("SBS-52")
    tab.check()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#models [aria-selected=true]")).to_contain_text("SBS-54")
    shoot(tab, "estimate-models")
    page.keyboard.press("Enter")
    expect(main).to_have_value("SBS-54")
    expect(page.locator("select[data-field=brand]")).to_have_value("SANGDO")  # the model says it
    page.keyboard.type("32")
    expect(page.locator("#models li").first).to_be_visible()
    expect(page.locator("#models [aria-selected=true]")).to_have_count(0)  # it may be a frame
    page.keyboard.press("Escape")
    expect(page.locator("#models li")).to_have_count(0)
    page.keyboard.press("Enter")
    assert lines_of(page) == [["SBS-54"], ["32"]]
    expect(cell(page, 1, "af")).to_have_value("32")


def test_who_types_faster_than_the_list_comes_gets_the_model_all_the_same(tab: Watched) -> None:
    page = begin(tab)
    cell(page, 0, "model").focus()
    for key in [*"sbs-54", "Enter", *"sie", "Tab", "8", "Enter", *"ses54", "Tab", "2", "Enter"]:
        page.keyboard.press(key)
    expect(page.locator(SIZE)).to_have_text(re.compile("600 × 600 × 150"))
    assert lines_of(page) == [["SBS-54"], ["SIE-32", "8"], ["SES-54", "2"]]


def test_rows_are_copied_moved_removed_and_brought_back(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    page.get_by_role("button", name="예시 반 불러오기").first.click()
    first, second = ["SES-54", "2", "4P"], ["SIE-32", "8", "2P"]
    main = ["SBS-54", "4P", "50"]
    cell(page, 1, "quantity").focus()
    page.keyboard.press("Control+d")
    assert lines_of(page) == [main, first, first, second]
    expect(cell(page, 2, "quantity")).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    assert lines_of(page) == [main, first, second, first]
    page.keyboard.press("Control+Delete")
    assert lines_of(page) == [main, first, second]
    for expected in ([main, first, second, first], [main, first, first, second]):
        page.keyboard.press("Control+z")
        assert lines_of(page) == expected
    page.keyboard.press("Control+y")
    assert lines_of(page) == [main, first, second, first]


def test_cells_of_a_spreadsheet_are_pasted(tab: Watched) -> None:
    page = begin(tab)
    cell(page, 0, "model").focus()
    page.keyboard.type("SBS-54")
    page.keyboard.press("Enter")
    paste(page, "\t\n극수\t형식\t수량\t용도\r\n4P\tSES-54\t2\t동력\r\n\r\n2P\tSIE-32\t8\t전등\n")
    expect(page.locator(SIZE)).to_have_text(re.compile("600 × 600 × 150"))
    assert lines_of(page) == [
        ["SBS-54"], ["SES-54", "2", "4P", "동력"], ["SIE-32", "8", "2P", "전등"],
    ]  # fmt: skip
    page.keyboard.press("Control+z")
    assert lines_of(page) == [["SBS-54"]]


def test_columns_of_bare_numbers_are_asked_about(tab: Watched, shoot: Shoot) -> None:
    page = begin(tab)
    cell(page, 1, "model").focus()
    paste(page, "SES-54\t4\t2\nSIE-32\t2\t8\n")
    dialog = page.get_by_role("dialog", name="어느 열이 무엇입니까?")
    expect(dialog).to_be_visible()
    tab.check()
    shoot(tab, "estimate-columns")
    expect(dialog.get_by_label("2번째 열")).to_have_value("poles")
    expect(dialog.get_by_label("3번째 열")).to_have_value("quantity")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="붙여 넣기").click()
    expect(cell(page, 2, "model")).to_have_value("SIE-32")  # pasted a turn after the click
    assert lines_of(page) == [[], ["SES-54", "2", "4"], ["SIE-32", "8", "2"]]


def test_rows_and_devices_light_up_together(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    page.get_by_role("button", name="예시 반 불러오기").first.click()
    lit = page.locator("[data-sheet] .linked")
    cell(page, 2, "quantity").focus()
    expect(lit).to_have_count(8)
    cell(page, 1, "quantity").hover()
    expect(lit).to_have_count(2)
    page.locator("[data-row='branches[1]']").first.hover()
    expect(page.locator("#breakers tbody >> nth=2")).to_have_class(re.compile("linked"))
    page.locator("[data-row='branches[0]']").first.click()
    expect(cell(page, 1, "model")).to_be_focused()


def test_the_drawing_is_zoomed(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    page.get_by_role("button", name="예시 반 불러오기").first.click()
    drawing = page.locator("[data-sheet] svg")
    fits = drawing.bounding_box()
    page.get_by_role("button", name="크게").click()
    page.locator("[data-sheet]").focus()
    page.keyboard.press("+")
    zoomed = drawing.bounding_box()
    assert fits
    assert zoomed
    assert zoomed["width"] > fits["width"]
    tab.check()
    page.keyboard.press("0")
    assert drawing.bounding_box() == fits


def test_accessories_are_drawn_as_none_until_they_are_stated(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    page.get_by_role("button", name="예시 반 불러오기").first.click()
    expect(page.locator(SIZE)).to_be_visible()
    page.get_by_label("있음", exact=True).check()
    code = page.locator("#accessories [data-cell=code]").first
    expect(code).to_be_visible()
    code.fill("MC-32..40")
    page.keyboard.press("Enter")
    expect(page.locator("[data-sheet] [data-row='accessories.items[0]']").first).to_be_visible()
    tab.check()


def test_a_fault_is_shown_at_its_field_and_mended_by_a_button(tab: Watched, shoot: Shoot) -> None:
    page = begin(tab)
    cell(page, 0, "model").focus()
    page.keyboard.type("SBS-54 x1")
    page.keyboard.press("Enter")
    for text in ("SIE-32", "SIE-32"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("3")
        page.keyboard.press("Enter")
    poles = cell(page, 2, "poles")
    expect(poles).to_have_attribute("aria-invalid", "true")
    expect(poles).to_have_accessible_description(re.compile("SIE-32는 2P인데 3P를"))
    tab.check()
    shoot(tab, "estimate-fault")
    for line in (1, 2):
        page.locator(f"#breakers tbody >> nth={line}").get_by_role("button", name="2P 선택").click()
        expect(cell(page, line, "poles")).to_have_value("2P")
    expect(page.locator(SIZE)).to_be_visible()
    expect(page.locator("[aria-invalid]")).to_have_count(0)


def test_what_is_not_stated_is_asked_for(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    cell(page, 0, "model").focus()
    page.keyboard.type("SBS-54")
    page.keyboard.press("Control+Enter")
    for name in ("SANGDO 선택", "옥내", "벽부", "분기 없음"):
        page.locator("#board .finding").get_by_role("button", name=name, exact=True).click()
    expect(page.locator(SIZE)).to_be_visible()
    expect(page.locator("#result")).to_contain_text("부속자재를 아직 정하지 않아")
    page.keyboard.press("Control+Enter")
    page.locator("#board .finding").get_by_role("button", name="부속자재 없음").click()
    expect(page.locator("#result")).not_to_contain_text("부속자재를 아직 정하지 않아")
    expect(page.get_by_label("분기 없음")).to_be_checked()
    tab.check()


def test_an_unknown_breaker_is_a_question_to_the_owner(tab: Watched, shoot: Shoot) -> None:
    page = begin(tab)
    cell(page, 0, "model").focus()
    page.keyboard.type("SBS-999")
    page.keyboard.press("Enter")
    page.keyboard.type("SIE-32 x8")
    page.keyboard.press("Enter")
    ask = page.locator("#breakers").get_by_role("button", name="소유자에게 묻기")
    ask.click()
    expect(page.locator("#breakers")).to_contain_text("열린 질문")
    expect(ask).to_have_count(0)
    tab.check()
    shoot(tab, "estimate-question")


def test_an_estimate_is_saved(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    page.get_by_role("button", name="예시 반 불러오기").first.click()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/console/estimates/[0-9a-f-]{36}$"))
    estimate_id = page.url.rpartition("/")[2]
    tab.go("/console/estimate")
    assert lines_of(page) == []  # it is stored: no draft is left
    expect(page.locator("select[data-field=brand]")).to_have_value("SANGDO")
    tab.go(f"/console/estimate?from={estimate_id}")
    expect(page.locator(SIZE)).to_have_text(re.compile("600 × 600 × 150"))
    assert lines_of(page)[0] == ["SBS-54", "4P", "50", "MCCB"]


def test_a_draft_outlives_the_tab_and_can_be_dropped(tab: Watched) -> None:
    page = begin(tab)
    cell(page, 0, "model").fill("SBS-54")
    page.reload()
    expect(page.locator("[data-restored]")).to_contain_text("입력하던 반을 불러왔습니다")
    assert lines_of(page) == [["SBS-54"]]
    tab.check()
    page.locator("[data-restored]").get_by_role("button", name="새로 시작").click()
    assert lines_of(page) == []
    page.keyboard.press("Control+z")
    assert lines_of(page) == [["SBS-54"]]


def test_a_lost_connection_loses_nothing_and_makes_no_second_estimate(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    page.get_by_role("button", name="예시 반 불러오기").first.click()
    expect(page.locator(SIZE)).to_be_visible()
    keys: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/console/estimate") and request.method == "POST":
            keys.append(request.headers["idempotency-key"])

    page.on("request", note)
    page.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#told")).to_contain_text("연결이 끊겼습니다")
    assert lines_of(page)[1] == ["SES-54", "2", "4P"]
    page.context.set_offline(False)
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/console/estimates/"))
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_an_ended_session_is_opened_again_and_nothing_is_lost(tab: Watched) -> None:
    page = begin(tab)
    page.context.clear_cookies()
    cell(page, 0, "model").fill("SBS-54")
    page.locator("#key-again").fill(API_KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in-again")).to_be_hidden()
    cell(page, 1, "model").fill("SIE-32")
    page.keyboard.press("Tab")
    expect(page.locator(SIZE)).to_be_visible()
    assert lines_of(page) == [["SBS-54"], ["SIE-32"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 3840])
def test_it_fits(open_tab: Open, shoot: Shoot, scheme: Any, width: int) -> None:
    tab = open_tab(
        viewport={"width": width, "height": 800 * max(1, width // 1800)}, color_scheme=scheme
    )
    page = tab.sign_in(API_KEY)
    page.get_by_role("button", name="예시 반 불러오기").first.click()
    expect(page.locator(SIZE)).to_be_visible()
    tab.check()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shoot(tab, f"estimate-{width}-{scheme}")
