"""Estimates that are stored: found, read, noted on, compared, copied, printed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Watched
from tests.console.conftest import Open, Shoot
from tests.services import API_KEY, Server, board, running_server

LARGE = [
    {"model": "SEC-53", "poles": "3P", "quantity": 6},
    {"model": "SIE-32", "poles": "2P", "quantity": 14},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with sixty estimates, the last of which is the largest."""
    with running_server(tmp_path_factory.mktemp("estimates") / "home") as running:
        for number in range(60):
            customer = "한빛전기" if number % 2 else "대성산업"
            request = board(label=f"LP-{number}", customer=customer)
            running.request("POST", "/v1/estimate/create", json=request)
        request = board(label="LP-큰반", customer="한빛전기", branches=LARGE)
        running.request("POST", "/v1/estimate/create", json=request)
        yield running


def rows(page: Page) -> list[str]:
    return page.locator("tbody th[scope=row]").all_inner_texts()


def test_found_by_text_size_and_day(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(API_KEY, "/console/estimates")
    expect(page.locator("tbody tr")).to_have_count(50)
    assert rows(page)[0] == "LP-큰반"
    tab.check()
    shoot(tab, "estimates")
    page.get_by_role("link", name="더 오래된 견적").click()
    expect(page.locator("tbody tr")).to_have_count(11)
    page.get_by_role("searchbox").fill("lp-7")
    page.keyboard.press("Enter")
    expect(page.locator("tbody th[scope=row]")).to_have_text(["LP-7"])
    page.get_by_role("searchbox").fill("")
    page.get_by_label("외함 W×H×D").fill("500x800")
    page.keyboard.press("Enter")
    expect(page.locator("tbody th[scope=row]")).to_have_text(["LP-큰반"])
    page.get_by_role("link", name="모두 보기").click()
    page.get_by_label("까지").fill("2020-01-01")
    page.keyboard.press("Enter")
    expect(page.get_by_text("찾는 견적이 없습니다")).to_be_visible()
    tab.check()
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_what_is_no_size_is_told(tab: Watched) -> None:
    page = tab.sign_in(API_KEY, "/console/estimates?size=large")
    expect(page.get_by_role("heading", level=1)).to_contain_text("크기를 읽을 수 없습니다")
    tab.check()


def test_read_and_printed(tab: Watched, shoot: Shoot, tmp_path: Path) -> None:
    page = tab.sign_in(API_KEY, "/console/estimates")
    page.get_by_role("link", name="LP-큰반").click()
    expect(page.locator(".size").first).to_contain_text("500 × 800 × 150")
    expect(page.locator(".drawn svg [data-device]")).to_have_count(21)
    expect(page.get_by_role("region", name="자재 목록")).to_contain_text("SIE-32")
    tab.check()
    shoot(tab, "estimate-stored")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_be_hidden()
    page.pdf(path=tmp_path / "a.pdf", format="A4")
    assert (tmp_path / "a.pdf").read_bytes().count(b"/Type /Page\n") == 1
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.get_by_role("link", name="도면 파일").click()
    assert download.value.path().read_text(encoding="utf-8").startswith("<svg")


def test_note_of_two_people(open_tab: Open) -> None:
    mine, theirs = open_tab(), open_tab()
    for tab in (mine, theirs):
        tab.sign_in(API_KEY, "/console/estimates?q=LP-3")
        tab.page.get_by_role("link", name="LP-3", exact=True).click()
    mine.page.get_by_role("textbox", name="메모").fill("전화로 확인함")
    mine.page.get_by_role("button", name="메모 저장").click()
    expect(mine.page.get_by_text("저장했습니다.")).to_be_visible()
    mine.check()
    theirs.page.get_by_role("textbox", name="메모").fill("다시 물어볼 것")
    theirs.page.get_by_role("button", name="메모 저장").click()
    expect(theirs.page.locator(".finding")).to_contain_text("그 사이 메모가 바뀌었습니다")
    expect(theirs.page.get_by_role("textbox", name="메모")).to_have_value("다시 물어볼 것")
    theirs.check()
    mine.page.reload()
    expect(mine.page.get_by_role("textbox", name="메모")).to_have_value("전화로 확인함")


def test_note_outlives_an_ended_session(tab: Watched) -> None:
    page = tab.sign_in(API_KEY, "/console/estimates?q=LP-5")
    page.get_by_role("link", name="LP-5", exact=True).click()
    page.get_by_role("textbox", name="메모").fill("아직 저장하지 않은 글")
    page.context.clear_cookies()
    page.get_by_role("button", name="메모 저장").click()
    dialog = page.get_by_role("dialog", name="다시 로그인")
    expect(dialog).to_be_visible()
    tab.check()
    dialog.get_by_label("API 키").fill(API_KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_text("저장했습니다.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox", name="메모")).to_have_value("아직 저장하지 않은 글")


def test_note_outlives_a_lost_connection(tab: Watched) -> None:
    page = tab.sign_in(API_KEY, "/console/estimates?q=LP-6")
    page.get_by_role("link", name="LP-6", exact=True).click()
    page.get_by_role("textbox", name="메모").fill("끊긴 동안 쓴 글")
    page.context.set_offline(True)
    page.get_by_role("button", name="메모 저장").click()
    expect(page.get_by_text("서버와 연결이 끊겼습니다")).to_be_visible()
    page.context.set_offline(False)
    tab.faults.clear()  # the browser notes the request that failed
    page.reload()
    expect(page.get_by_role("textbox", name="메모")).to_have_value("끊긴 동안 쓴 글")
    tab.check()


def test_two_compared(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(API_KEY, "/console/estimates")
    button = page.get_by_role("button", name="두 견적 비교")
    expect(button).to_be_disabled()
    page.get_by_role("checkbox", name="LP-큰반 고르기").check()
    page.get_by_role("checkbox", name="LP-59 고르기").check()
    button.click()
    expect(page.locator(".pair .drawn svg")).to_have_count(2)
    expect(page.locator("tr.differs")).not_to_have_count(0)
    tab.check()
    shoot(tab, "compare")
    tab.go("/console/estimates/compare?id=1")
    expect(page.get_by_role("heading", level=1)).to_have_text("견적 1건을 골랐습니다.")
    tab.check()


def test_copied_as_a_variant(tab: Watched) -> None:
    page = tab.sign_in(API_KEY, "/console/estimates")
    page.get_by_role("link", name="LP-큰반").click()
    page.get_by_role("link", name="고쳐서 새 견적").click()
    expect(page).to_have_url(re.compile(r"/console/estimate\?from="))
    expect(page.locator("[data-size]")).to_contain_text("500 × 800 × 150")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_english_on_a_phone(open_tab: Open, scheme: str) -> None:
    tab = open_tab(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = tab.sign_in(API_KEY, "/console/estimates")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Estimates")
    tab.check()
    page.get_by_role("link", name="LP-59", exact=True).click()
    expect(page.get_by_role("heading", name="Bill of materials")).to_be_visible()
    tab.check()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
