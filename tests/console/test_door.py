"""Signing in and out, and what nobody gets to see without."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import Watched
from tests.console.conftest import Open, Shoot
from tests.services import ADMIN_API_KEY, API_KEY, Server


def test_sign_in_and_out(tab: Watched, shoot: Shoot) -> None:
    page = tab.go("/")
    expect(page).to_have_title(re.compile("로그인"))
    tab.check()
    shoot(tab, "sign-in")
    page.fill("#key", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#key-problem")).to_contain_text("키가 올바르지 않습니다")
    tab.check()
    tab.sign_in(API_KEY)
    expect(page.get_by_role("navigation")).to_be_visible()
    tab.check()
    page.get_by_role("button", name="로그아웃").click()
    expect(page).to_have_title(re.compile("로그인"))
    tab.go("/console/estimates")
    expect(page).to_have_title(re.compile("로그인"))


def test_deep_link_is_followed_after_signing_in(tab: Watched) -> None:
    page = tab.go("/console/estimates?q=LP-1")
    page.fill("#key", API_KEY)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/console/estimates\?q=LP-1$"))


def test_english_is_a_click_away(tab: Watched) -> None:
    page = tab.go("/console/sign-in")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert page.locator("html").get_attribute("lang") == "en"
    tab.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 3840])
def test_the_door_fits(open_tab: Open, scheme: str, width: int) -> None:
    tab = open_tab(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = tab.sign_in(API_KEY)
    tab.check()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_theme_is_kept(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    page.get_by_role("button", name="밝게 또는 어둡게").click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    tab.check()


def test_cookie_is_for_the_server_alone(tab: Watched) -> None:
    page = tab.sign_in(ADMIN_API_KEY)
    (cookie,) = [c for c in page.context.cookies() if c.get("name") == "kis_session"]
    assert cookie.get("httpOnly")
    assert cookie.get("sameSite") == "Strict"


def test_no_change_from_another_site(tab: Watched, server: Server) -> None:
    page = tab.sign_in(API_KEY)
    (cookie,) = [c for c in page.context.cookies() if c.get("name") == "kis_session"]
    held = {"Cookie": f"kis_session={cookie.get('value')}"}
    url = f"{server.url}/console/sign-out"
    forged: list[dict[str, str]] = [
        {}, {"X-CSRF-Token": "0" * 64}, {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://elsewhere.example"},
    ]  # fmt: skip
    for headers in forged:
        answer = httpx.post(url, headers={**held, **headers}, trust_env=False)
        assert answer.status_code == 403
    page.reload()
    expect(page.get_by_role("navigation")).to_be_visible()
