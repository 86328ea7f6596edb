"""Boards that are being typed: a draft for each tab, whose it is, and what becomes of it."""

import re
from contextlib import suppress

from playwright.sync_api import BrowserContext, Locator, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests import sql
from tests.browser import Watched
from tests.console.conftest import Open, Shoot
from tests.console.test_estimating import cell, lines_of
from tests.services import ADMIN_API_KEY, API_KEY, Server

DESK = "/console/estimate"
CUSTOMER = "한빛전기"
STORED = """() => JSON.stringify([localStorage, sessionStorage].map((store) => ({...store})))"""


def type_board(page: Page, model: str, label: str = "") -> None:
    page.locator("[data-field=label]").fill(label)
    page.locator("[data-field=customer]").fill(CUSTOMER)
    cell(page, 0, "model").fill(model)
    page.keyboard.press("Tab")


def another(tab: Watched, path: str = DESK) -> Watched:
    """Open another tab of the same browser."""
    opened = Watched(tab.page.context, tab.url)
    opened.go(path)
    return opened


def drafts_in(page: Page) -> str:
    """Return what the browser keeps."""
    text: str = page.evaluate(STORED)
    return text


def test_two_tabs_have_a_board_each(tab: Watched) -> None:
    first = tab.sign_in(API_KEY)
    type_board(first, "SBS-54")
    second = another(tab).page
    type_board(second, "SBS-104")
    for page in (first, second):
        page.reload()
    assert lines_of(first) == [["SBS-54"]]
    assert lines_of(second) == [["SBS-104"]]
    expect(second.locator(".left")).to_be_hidden()  # the other one is open


def test_a_tab_that_was_duplicated_has_its_own(tab: Watched) -> None:
    first = tab.sign_in(API_KEY)
    type_board(first, "SBS-54")
    with first.expect_popup() as opened:
        first.evaluate("window.open(location.href)")
    second = opened.value
    expect(second.locator("[data-restored]")).to_be_visible()
    cell(second, 0, "model").fill("SBS-104")
    second.keyboard.press("Tab")
    first.reload()
    assert lines_of(first) == [["SBS-54"]]
    context = first.context
    first.close()
    second.close()
    left = left_in(context, tab.url)
    expect(left).to_contain_text(CUSTOMER)
    left.get_by_role("button", name="지우기").click()
    expect(left).to_contain_text(CUSTOMER)  # both are there


def left_in(context: BrowserContext, url: str) -> Locator:
    opened = Watched(context, url)
    opened.go(DESK)
    left = opened.page.locator(".left")
    expect(left).to_be_visible()
    opened.check()
    return left


def test_what_a_closed_tab_left_is_offered_once(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(API_KEY)
    type_board(page, "SBS-54", "LP-7")
    page.reload()  # which changes nothing
    expect(page.locator("[data-restored]")).to_be_visible()
    context = page.context
    page.close()
    opened = Watched(context, tab.url)
    page = opened.go(DESK)
    expect(page.locator(".left")).to_contain_text(f"LP-7 · {CUSTOMER}")
    assert lines_of(page) == []
    opened.check()
    shoot(opened, "estimate-left")
    page.get_by_role("button", name="이어서 하기").click()
    expect(page.locator(".left")).to_be_hidden()
    assert lines_of(page) == [["SBS-54"]]
    page.reload()
    assert lines_of(page) == [["SBS-54"]]
    assert CUSTOMER in drafts_in(page)
    page.get_by_role("button", name="새로 시작").first.click()
    assert CUSTOMER not in drafts_in(page)


def test_a_tab_that_crashed_is_one_that_was_closed(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    type_board(page, "SBS-54")
    with page.expect_event("crash"), suppress(PlaywrightError):
        page.goto("chrome://crash")
    expect(left_in(page.context, tab.url)).to_contain_text(CUSTOMER)


def test_signing_out_asks_and_leaves_nothing(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(API_KEY)
    type_board(page, "SBS-54")
    other = another(tab).page
    type_board(other, "SBS-104")
    elsewhere = another(tab, "/console/estimates").page
    page.get_by_role("button", name="로그아웃").click()
    expect(page.get_by_role("dialog")).to_contain_text("저장하지 않은 것이 있습니다")
    tab.check()
    shoot(tab, "sign-out")
    page.get_by_role("button", name="돌아가기").click()
    assert lines_of(page) == [["SBS-54"]]
    page.get_by_role("button", name="로그아웃").click()
    page.get_by_role("button", name="지우고 로그아웃").click()
    for each in (page, other, elsewhere):
        expect(each).to_have_title(re.compile("로그인"))
        assert CUSTOMER not in drafts_in(each)
    page.go_back()
    expect(page).to_have_title(re.compile("로그인"))
    tab.sign_in(ADMIN_API_KEY)
    assert lines_of(page) == []
    expect(page.locator(".left")).to_be_hidden()


def test_nothing_typed_nothing_asked(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    page.select_option("[data-field=brand]", "SANGDO")
    page.get_by_role("button", name="로그아웃").click()
    expect(page).to_have_title(re.compile("로그인"))


def test_another_key_sees_nothing_and_takes_nothing_away(open_tab: Open, server: Server) -> None:
    """Somebody walked away, the session ended, a colleague signs in: each has their own."""
    tab = open_tab()
    page = tab.sign_in(API_KEY)
    type_board(page, "SBS-54")
    sql.run(server.home, "DELETE FROM console_session")
    tab.sign_in(ADMIN_API_KEY)
    assert lines_of(page) == []
    expect(page.locator(".left")).to_be_hidden()
    type_board(page, "SBS-104")
    sql.run(server.home, "DELETE FROM console_session")
    tab.sign_in(API_KEY)
    assert lines_of(page) == [["SBS-54"]]


def test_who_signs_in_again_with_another_key_goes_on(tab: Watched, server: Server) -> None:
    page = tab.sign_in(API_KEY)
    # Answered before the session ends: else the key is asked for while the next line is typed.
    with page.expect_response(lambda answer: "SBS-54" in (answer.request.post_data or "")):
        type_board(page, "SBS-54")
    sql.run(server.home, "DELETE FROM console_session")
    cell(page, 1, "model").fill("SIE-32")
    page.keyboard.press("Tab")
    page.fill("#key-again", ADMIN_API_KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in-again")).to_be_hidden()
    page.reload()
    assert lines_of(page) == [["SBS-54"], ["SIE-32"]]
