"""치수 지식, as the owner uses it: from a file to the active version, and back."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Watched
from tests.console.conftest import Open, Shoot
from tests.integration.lifecycle import FIRST, import_table, publish, row, table
from tests.services import ADMIN_API_KEY, Server, running_server

HOME = "/console/knowledge"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose knowledge has a history."""
    home = tmp_path_factory.mktemp("knowledge") / "home"
    with running_server(home, RATE_LIMIT_PER_MINUTE="0") as running:
        publish(running, "v2026-01-15-01", row("ABN-103X"), row("ABN-104X", poles=4, width=120))
        import_table(running, "v2026-02-02-01", table(row("ABN-103X", width=91), row("ABN-53X")))
        yield running


def scrolls_sideways(page: Page) -> bool:
    found: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return found


def test_line_of_time(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(ADMIN_API_KEY, HOME)
    expect(page.get_by_role("heading", level=1)).to_have_text("치수 지식")
    expect(page.locator(".time .active")).to_contain_text("v2026-01-15-01")
    tab.check()
    shoot(tab, "knowledge-line")
    page.get_by_role("link", name="English").click()
    expect(page.locator(".time .active")).to_contain_text("in use")
    tab.check()


def test_version_is_validated_compared_and_activated(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(ADMIN_API_KEY, f"{HOME}/v2026-02-02-01")
    expect(page.locator(".difference").first).to_contain_text("91")
    tab.check()
    page.get_by_role("button", name="검증").click()
    expect(page.get_by_role("status").first).to_contain_text("검증을 통과했습니다")
    expect(page.locator(".difference").first).to_contain_text("91")
    tab.check()
    shoot(tab, "knowledge-version")
    page.get_by_role("button", name="활성화…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("사유")).to_be_focused()
    tab.check()
    dialog.get_by_label("사유").fill("새 카탈로그")
    dialog.get_by_label(re.compile("확인을 위해")).fill("v2026")
    dialog.get_by_role("button", name="활성화").click()
    expect(dialog.get_by_role("alert")).to_contain_text("버전 이름이 다릅니다")
    expect(dialog.get_by_label("사유")).to_have_value("새 카탈로그")
    shoot(tab, "knowledge-activate")
    dialog.get_by_label(re.compile("확인을 위해")).fill("v2026-02-02-01")
    page.keyboard.press("Enter")
    expect(page.get_by_text("활성화했습니다")).to_be_visible()
    tab.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone(open_tab: Open, scheme: str) -> None:
    tab = open_tab(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = tab.sign_in(ADMIN_API_KEY, HOME)
    for path in (HOME, f"{HOME}/{FIRST}"):
        tab.go(path)
        tab.check()
        assert not scrolls_sideways(page)
