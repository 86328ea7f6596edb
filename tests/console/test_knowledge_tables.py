"""A table of 100,000 rows in the browser: it scrolls, anywhere, and is searched."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser import Watched
from tests.console.conftest import Open, Shoot
from tests.integration.lifecycle import good, import_raw, validate
from tests.integration.test_large_table import ROWS, large_table
from tests.services import ADMIN_API_KEY, Server, running_server

TABLES = "/console/knowledge/v-large/tables"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a version of 100,000 rows, which is not the active one."""
    home = tmp_path_factory.mktemp("tables") / "home"
    with running_server(home, RATE_LIMIT_PER_MINUTE="0") as running:
        good(import_raw(running, "v-large", large_table()), 201)
        assert validate(running, "v-large")["valid"]
        yield running


def test_100_000_rows_scroll(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(ADMIN_API_KEY, TABLES)
    all_rows = f"{ROWS + 108:,}"
    expect(page.locator("[data-count]")).to_have_text(f"{all_rows}행 가운데 {all_rows}행")
    expect(page.locator(".tabulator-row").first).to_contain_text("32GRHS")
    tab.check()
    holder = page.locator(".tabulator-tableholder")
    holder.evaluate("each => { each.scrollTop = each.scrollHeight / 2; }")
    expect(page.get_by_text("L-54", exact=False).first).to_be_visible()
    shoot(tab, "knowledge-table")
    holder.evaluate("each => { each.scrollTop = each.scrollHeight; }")
    expect(page.locator(".tabulator-row").last).to_contain_text("SANGDO")
    rendered = page.locator(".tabulator-row").count()
    assert rendered < 200
    holder.focus()
    page.keyboard.press("Home")
    expect(page.locator(".tabulator-row").first).to_contain_text("32GRHS")


def test_rows_are_found_and_the_address_keeps_the_words(tab: Watched) -> None:
    page = tab.sign_in(ADMIN_API_KEY, TABLES)
    page.get_by_label("찾기").fill("l-99999")
    expect(page.locator("[data-count]")).to_contain_text("가운데 1행")
    expect(page.locator(".tabulator-row")).to_have_count(1)
    expect(page.locator(".tabulator-row")).to_contain_text("L-99999")
    page.reload()
    expect(page.locator("[data-count]")).to_contain_text("가운데 1행")
    page.get_by_label("찾기").fill("no such row")
    expect(page.get_by_text("찾는 행이 없습니다")).to_be_visible()
    tab.check()
    page.get_by_role("link", name="외함(기성함)").click()
    expect(page.locator("[data-count]")).to_contain_text("163행")
    tab.check()


def test_it_fits_a_telephone_in_the_dark_and_in_english(open_tab: Open) -> None:
    tab = open_tab(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = tab.sign_in(ADMIN_API_KEY, TABLES)
    page.get_by_role("link", name="English").click()
    expect(page.locator("[data-count]")).to_contain_text("of 100,108 rows")
    expect(page.locator(".tabulator-row").first).to_contain_text("32GRHS")
    tab.check()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_long_work_tells_how_far_it_is(tab: Watched, shoot: Shoot) -> None:
    """What is told passes by quickly: the page itself writes down what it showed."""
    page = tab.sign_in(ADMIN_API_KEY, "/console/knowledge")
    page.evaluate(
        """() => {
            const area = document.querySelector("[data-upload] [data-working]");
            const [bar, ...said] = ["progress", "[data-doing]", "[data-counted]"]
                .map((each) => area.querySelector(each));
            window.seen = [];
            new MutationObserver(() => {
                if (bar.hasAttribute("value")) {
                    window.seen.push([bar.value, bar.max, ...said.map((each) => each.textContent)]);
                }
            }).observe(area, {attributes: true, childList: true, subtree: true});
        }"""
    )
    upload: FilePayload = {"name": "large.csv", "mimeType": "text/csv", "buffer": large_table()}
    page.set_input_files("#upload-file", files=[upload])
    expect(page.locator("[data-upload] [data-working]")).to_be_visible()
    tab.check()
    shoot(tab, "knowledge-progress")
    expect(page.locator("[data-preview]")).to_contain_text(f"추가 {ROWS:,}행", timeout=60_000)
    seen = page.evaluate("window.seen")
    done = [each[0] for each in seen]
    assert {each[1] for each in seen} == {ROWS}
    assert {each[2] for each in seen} == {"표를 읽고 칸마다 확인합니다."}
    assert all(each[3].startswith(f"{each[0]:,} / {ROWS:,} · ") for each in seen)
    assert done == sorted(done)
    # What comes at once is shown at once.
    assert len(set(done)) > 5


def test_differences_are_read_to_the_last_row(tab: Watched) -> None:
    page = tab.sign_in(ADMIN_API_KEY, "/console/knowledge/v-large")
    part = page.locator("[data-part]")
    expect(part).to_contain_text(f"{ROWS:,}행 가운데 1–500", timeout=60_000)
    tab.check()
    part.get_by_role("link", name="다음 500행").click()
    expect(part).to_contain_text(f"{ROWS:,}행 가운데 501–1,000", timeout=60_000)
    expect(part.locator(".difference")).to_be_focused()
    part.get_by_role("link", name="이전 500행").click()
    expect(part).to_contain_text(f"{ROWS:,}행 가운데 1–500", timeout=60_000)
