"""What a version would change, questions and golden cases, as the owner sees them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Watched
from tests.console.conftest import Open, Shoot
from tests.integration.lifecycle import estimate, good, main_only, row, stage
from tests.services import ADMIN_API_KEY, Server, board, running_server

HOME = "/console/knowledge"
PAGES = ("questions", "golden", "v-wide/changes")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with estimates, questions, and a version that would change some."""
    home = tmp_path_factory.mktemp("review") / "home"
    with running_server(home, RATE_LIMIT_PER_MINUTE="0") as running:
        for _ in range(3):
            good(estimate(running, main_only("ABN-103")), 201)
        branches = [{"model": "ABN-53", "poles": "3P", "quantity": 6}]
        named = {"label": "LP-9", "customer": "가나전기"}
        good(estimate(running, {**main_only("ABN-103"), "branches": branches, **named}), 201)
        good(estimate(running, board()), 201)
        estimate(running, main_only("METASOL-600"))
        frame = {"af": 1000, "poles": "4P"}
        estimate(running, board(brand="LS", main=frame, branches=[]))
        items = {"enabled": True, "items": [{"code": "NO-SUCH", "quantity": 1}]}
        estimate(running, board(accessories=items))
        stage(running, "v-wide", row("ABN-103", width=310))
        yield running


def fits(page: Page, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


def test_changes_are_shown_and_drawn(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(ADMIN_API_KEY, f"{HOME}/v-wide")
    page.get_by_role("link", name="무엇이 달라지나").click()
    expect(page.get_by_text("개 그대로")).to_be_visible()
    tab.check()
    page.get_by_role("button", name="다시 계산").click()
    expect(page.locator("#report")).to_contain_text("크기가 달라짐 4")
    tab.check()
    page.get_by_role("link", name="그림으로 견주기: LP-9", exact=False).click()
    expect(page.locator(".pair svg")).to_have_count(2)
    expect(page.locator("#board")).to_contain_text("가나전기")
    tab.check()
    shoot(tab, "knowledge-changes")
    page.goto(
        page.get_by_role("link", name="그림으로 견주기: LP-9", exact=False).evaluate("e => e.href")
    )
    expect(page.locator(".pair svg")).to_have_count(2)
    tab.check()


def test_questions_are_answered_on_the_spot(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(ADMIN_API_KEY, HOME)
    page.get_by_role("link", name="답하기").click()
    question = page.get_by_role("group", name=re.compile("METASOL-600"))
    question.get_by_label("폭 W mm").fill("2l0")
    question.get_by_label("높이 H mm").fill("275")
    question.get_by_label("깊이 D mm").fill("103")
    question.get_by_label("출처").fill("LS 2026 카탈로그 12쪽")
    question.get_by_label("프레임").fill("600")
    question.get_by_label("종류").select_option("MCCB")
    page.reload()
    expect(question.get_by_label("출처")).to_have_value("LS 2026 카탈로그 12쪽")
    tab.check()
    page.get_by_role("button", name="적은 것으로 새 버전 만들기").click()
    expect(page.get_by_role("alert").filter(has_text="METASOL-600")).to_contain_text("2l0")
    question.get_by_label("폭 W mm").fill("210")
    shoot(tab, "knowledge-questions")
    page.keyboard.press("Enter")
    expect(page.locator(".difference").first).to_contain_text("METASOL-600")
    tab.check()


def test_golden_case_is_pinned_from_an_estimate(tab: Watched, server: Server, shoot: Shoot) -> None:
    made = good(estimate(server, board(label="LP-1")), 201)
    page = tab.sign_in(ADMIN_API_KEY, f"{HOME}/golden?estimate={made['id']}")
    page.locator("#name").fill("분전반 LP-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("분전반 LP-1"))).to_contain_text("그대로")
    tab.check()
    shoot(tab, "knowledge-golden")
    page.get_by_role("button", name="빼기: 분전반 LP-1").click()
    expect(page.get_by_role("row", name=re.compile("분전반 LP-1"))).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_they_fit_a_telephone_in_english(open_tab: Open, scheme: str) -> None:
    tab = open_tab(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = tab.sign_in(ADMIN_API_KEY, HOME)
    page.get_by_role("link", name="English").click()
    for path in PAGES:
        tab.go(f"{HOME}/{path}")
        tab.check()
        assert fits(page, 360), path
