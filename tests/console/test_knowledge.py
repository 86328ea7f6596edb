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


def drop(page: Page, name: str, content: str) -> None:
    """Drop a file on the zone, as from the desktop."""
    handle = page.evaluate_handle(
        """([name, content]) => {
            const held = new DataTransfer();
            held.items.add(new File([content], name));
            return held;
        }""",
        [name, content],
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": handle})


def test_dropped_table_is_mended_then_imported(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(ADMIN_API_KEY, HOME)
    good = [row(f"NEW-{n}", width=90 + n) for n in range(40)]
    bad = [*good[:30], row("NEW-30").replace(",90,", ",9o,"), row("NEW-31").replace("3P", "7P")]
    drop(page, "새 차단기.csv", table(*bad))
    expect(page.locator("td.wrong")).to_have_count(2)
    expect(page.locator("[data-preview]")).to_contain_text("고칠 곳이 2군데 있습니다")
    tab.check()
    shoot(tab, "knowledge-upload-errors")
    drop(page, "새 차단기.csv", table(*good, row("ABN-103X", width=99)))
    expect(page.locator("[data-preview]")).to_contain_text("추가 40행, 변경 1행")
    expect(page.locator("td.wrong")).to_have_count(0)
    tab.check()
    shoot(tab, "knowledge-upload")
    page.get_by_label("새 버전 이름").fill("v2026-01-15-01")
    page.get_by_role("button", name="이 내용으로 들여오기").click()
    expect(page.locator("[data-preview] [data-problem]")).to_contain_text("이미 있습니다")
    page.get_by_label("새 버전 이름").fill("v2026-03-01-01")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/v2026-03-01-01\?done=imported$"))
    expect(page.locator(".difference").first).to_contain_text("NEW-1")
    page.go_back()
    expect(page.locator(".time .coming").first).to_contain_text("v2026-03-01-01")


def test_theme_switches_where_a_page_has_modules_of_its_own(tab: Watched) -> None:
    page = tab.sign_in(ADMIN_API_KEY, HOME)
    page.get_by_role("button", name="밝게 또는 어둡게").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
