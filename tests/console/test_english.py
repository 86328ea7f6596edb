"""The main flows in English: each is gone through, and no word of Korean is on the way."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Watched
from tests.console.test_knowledge import drop
from tests.integration.lifecycle import estimate, good, main_only, publish, row, table
from tests.services import ADMIN_API_KEY, Server, board, running_server

HOME = "/console/knowledge"
FIRST = "v2026-01-15-01"
BOTH = ("한국어", "기성 분전반. A board")
"""What has Korean in it by right: the way back, and notes that came in both languages."""
HANGUL = re.compile(r"[가-힣].*")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with something on each page, named in English."""
    home = tmp_path_factory.mktemp("english") / "home"
    with running_server(home, RATE_LIMIT_PER_MINUTE="0") as running:
        publish(running, FIRST, row("ABN-103X"))
        estimate(running, main_only("METASOL-600"))
        for number in range(2):
            good(estimate(running, board(label=f"LP-{number}", customer="Hanbit")), 201)
        yield running


def enter(tab: Watched, path: str) -> Page:
    page = tab.sign_in(ADMIN_API_KEY, path)
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    return page


def read(tab: Watched) -> None:
    """Check the page, and that none of its words is Korean but the way back to it."""
    expect(tab.page.locator("progress:visible")).to_have_count(0)
    tab.check()
    text = tab.page.locator("body").inner_text()
    for known in BOTH:
        text = text.replace(known, "")
    found = HANGUL.findall(text)
    assert not found, found


def test_estimates(tab: Watched) -> None:
    page = enter(tab, "/console/estimates")
    page.get_by_role("searchbox").fill("lp-")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=lp-*")
    expect(page.locator("tbody tr")).to_have_count(2)
    read(tab)
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".pair .drawn svg")).to_have_count(2)
    read(tab)
    page.get_by_role("link", name="LP-0").click()
    page.get_by_role("textbox", name="Note").fill("confirmed by telephone")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    read(tab)
    page.get_by_role("link", name="Evidence").last.click()
    expect(page.get_by_role("heading", name="This evidence is valid")).to_be_visible()
    read(tab)


def test_a_table_is_imported_validated_activated_and_rolled_back(tab: Watched) -> None:
    page = enter(tab, HOME)
    read(tab)
    drop(page, "new.csv", table(row("ABN-103X").replace(",90,", ",9o,")))
    expect(page.locator("td.wrong")).to_have_count(1)
    read(tab)
    drop(page, "new.csv", table(row("ABN-103X", width=91)))
    page.get_by_label("Name of the new version").fill("v-english")
    page.get_by_role("button", name="Import this").click()
    expect(page).to_have_url(re.compile("/v-english"))
    page.get_by_role("button", name="Validate").click()
    expect(page.get_by_text("passed validation").first).to_be_visible()
    read(tab)
    page.get_by_role("link", name="What would change").click()
    page.get_by_role("button", name="Size again").click()
    expect(page.locator("#report")).to_contain_text("2 estimates")
    read(tab)
    tab.go(f"{HOME}/v-english")
    confirm(tab, "Activate", "v-english", "LS catalogue 2026")
    expect(page.get_by_text("is active").first).to_be_visible()
    tab.go(f"{HOME}/{FIRST}")
    confirm(tab, "Return to this version", FIRST, "mistyped")
    expect(page.get_by_text("is in use again").first).to_be_visible()
    read(tab)
    tab.go(f"{HOME}/v-english/tables")
    expect(page.locator(".tabulator-row").first).to_be_visible()


def confirm(tab: Watched, step: str, label: str, reason: str) -> None:
    page = tab.page
    page.get_by_role("button", name=re.compile(f"^{step}…$")).click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_label(re.compile("To confirm")).fill("another")
    dialog.locator("button[type=submit]").click()
    expect(dialog.locator(".finding")).to_be_visible()
    read(tab)
    dialog.get_by_label(re.compile("To confirm")).fill(label)
    dialog.locator("button[type=submit]").click()


def test_questions_and_golden_cases(tab: Watched, server: Server) -> None:
    page = enter(tab, f"{HOME}/questions")
    read(tab)
    question = page.get_by_role("group", name=re.compile("METASOL-600"))
    for label, value in {"W mm": "2l0", "H mm": "275", "D mm": "103", "Source": "p. 12"}.items():
        question.get_by_label(label).fill(value)
    page.get_by_role("button", name="Make a version").click()
    expect(page.locator(".finding").first).to_be_visible()
    read(tab)
    made = good(estimate(server, board(label="LP-9")), 201)
    tab.go(f"{HOME}/golden?estimate={made['id']}")
    page.locator("#name").fill("LP-9")
    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_role("row", name=re.compile("LP-9"))).to_contain_text("as pinned")
    read(tab)


def test_operation_and_keys(tab: Watched) -> None:
    page = enter(tab, "/console/operation")
    expect(page.locator(".figures")).to_be_visible()
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_text("Backed up and checked")).to_be_visible(timeout=60_000)
    read(tab)
    tab.go("/console/keys")
    page.get_by_label("Whose key").fill("Kim")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("heading", name=re.compile("New key"))).to_be_focused()
    read(tab)
    mine = page.get_by_role("row", name=re.compile("the one you use"))
    mine.locator("summary", has_text="Revoke").click()
    mine.get_by_label("Reason").fill("a trial")
    mine.get_by_role("button", name="Revoke it").click()
    expect(mine.locator(".finding")).to_be_visible()
    read(tab)


def test_what_a_board_lacks(tab: Watched) -> None:
    page = enter(tab, "/console/estimate")
    page.locator("#breakers [data-cell=model]").first.fill("SBS-54")
    page.get_by_role("button", name="Save estimate").click()
    expect(page.locator("#result")).to_contain_text("not stated")
    read(tab)
