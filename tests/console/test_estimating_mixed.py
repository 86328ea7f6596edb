"""A board of several makers' breakers, where the installation allows it: each line says whose."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import Watched
from tests.console.conftest import Shoot
from tests.console.test_estimating import SIZE, begin, cell, lines_of
from tests.integration.lifecycle import good
from tests.services import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of somebody who builds with what is there."""
    home = tmp_path_factory.mktemp("mixed") / "home"
    with running_server(home, ALLOW_MIXED_BRAND="true", RATE_LIMIT_PER_MINUTE="0") as running:
        yield running


def test_brands_of_lines_are_completed_previewed_and_stored(
    tab: Watched, server: Server, shoot: Shoot
) -> None:
    page = begin(tab)
    expect(cell(page, 0, "brand")).to_be_hidden()
    page.select_option("[data-field=brand]", "MIXED")
    expect(cell(page, 0, "brand")).to_be_visible()
    cell(page, 0, "model").focus()
    # Chosen from the list: the brand comes with the model.
    page.keyboard.type("sbs54")
    expect(page.locator("#models [aria-selected=true]")).to_contain_text("SANGDO")
    page.keyboard.press("Enter")
    expect(cell(page, 0, "brand")).to_have_value("SANGDO")
    # Typed faster than the list comes.
    for key in [*"abn-52", "Tab", "2", "Enter"]:
        page.keyboard.press(key)
    expect(cell(page, 1, "brand")).to_have_value("LS")
    # By its frame: the brand is typed, and asked for until then.
    for column, text in (("af", "50"), ("poles", "2P"), ("type", "MCCB")):
        cell(page, 2, column).fill(text)
    cell(page, 2, "type").press("Enter")
    finding = page.locator("#breakers .finding")
    expect(finding).to_have_attribute("data-field", "branches[1].brand")
    tab.check()
    cell(page, 2, "brand").fill("LS")
    cell(page, 2, "brand").press("Enter")
    expect(finding).to_have_count(0)
    expect(page.locator(SIZE)).to_have_text(re.compile(r"\d+ × \d+ × \d+"))
    drawing = page.locator("[data-drawing] svg, svg").filter(has_text="ABN-52")
    expect(drawing.first).to_contain_text("SBS-54")
    tab.check()
    shoot(tab, "estimate-mixed")
    typed = [["SBS-54", "SANGDO"], ["ABN-52", "2", "LS"], ["2P", "50", "MCCB", "LS"]]
    assert lines_of(page) == typed
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/console/estimates/[0-9a-f-]{36}$"))
    bill = page.get_by_role("table").filter(has_text="ABN-52")
    expect(bill).to_contain_text("SBS-54")
    tab.check()
    stored = good(server.request("GET", f"/v1/estimate/{page.url.rpartition('/')[2]}"))
    assert stored["request"]["brand"] == "MIXED"
    assert [line["brand"] for line in stored["request"]["branches"]] == ["LS", "LS"]
    # As a copy each line still says whose it is.
    tab.go(f"/console/estimate?from={stored['id']}")
    expect(cell(page, 1, "brand")).to_have_value("LS")
    expect(cell(page, 0, "brand")).to_have_value("SANGDO")
