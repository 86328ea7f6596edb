"""An evidence file is dropped, or looked up, and each step is shown."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import Watched
from tests.console.conftest import Open, Shoot
from tests.services import API_KEY, Server, board


@pytest.fixture(scope="module")
def estimate_id(server: Server) -> str:
    created: str = server.request("POST", "/v1/estimate/create", json=board()).json()["id"]
    return created


def package_of(server: Server, estimate_id: str, path: Path, **changes: object) -> Path:
    package = server.request("GET", f"/v1/evidence/{estimate_id}").json()
    path.write_text(json.dumps(package | changes), encoding="utf-8")
    return path


def test_look_up_by_number(tab: Watched, estimate_id: str, shoot: Shoot) -> None:
    page = tab.sign_in(API_KEY, "/console/evidence")
    tab.check()
    page.get_by_label("견적 번호", exact=True).fill(estimate_id)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="유효한 증거입니다")).to_be_visible()
    expect(page.locator(".steps li.passed")).to_have_count(9)
    tab.check()
    shoot(tab, "evidence")
    with page.expect_download() as download:
        page.get_by_role("link", name="증거 파일 받기").click()
    assert download.value.suggested_filename == f"evidence-{estimate_id}.json"


def test_unknown_number(tab: Watched) -> None:
    page = tab.sign_in(API_KEY, "/console/evidence?id=none")
    expect(page.get_by_role("heading", level=1)).to_contain_text("없")
    tab.check()


def test_verify_a_file(tab: Watched, server: Server, estimate_id: str, tmp_path: Path) -> None:
    page = tab.sign_in(API_KEY, "/console/evidence")
    page.set_input_files("#package", package_of(server, estimate_id, tmp_path / "a.json"))
    expect(page.get_by_role("heading", name="유효한 증거입니다")).to_be_focused()
    forged = package_of(server, estimate_id, tmp_path / "b.json", evidenceId="EV-1")
    page.set_input_files("#package", forged)
    expect(page.get_by_role("heading", name="유효하지 않습니다")).to_be_visible()
    expect(page.locator(".steps li.failed")).not_to_have_count(0)
    tab.check()


def test_a_file_that_is_no_json(tab: Watched, tmp_path: Path) -> None:
    page = tab.sign_in(API_KEY, "/console/evidence")
    picture = tmp_path / "picture.json"
    picture.write_bytes(b"\x89PNG")
    page.set_input_files("#package", picture)
    expect(page.locator(".finding")).to_contain_text("JSON")
    tab.check()


def test_drop(tab: Watched, server: Server, estimate_id: str, tmp_path: Path) -> None:
    page = tab.sign_in(API_KEY, "/console/evidence")
    text = package_of(server, estimate_id, tmp_path / "a.json").read_text()
    page.evaluate(
        """text => {
            const carried = new DataTransfer();
            carried.items.add(new File([text], "evidence.json"));
            const drop = new DragEvent("drop", {dataTransfer: carried, cancelable: true});
            document.querySelector("[data-drop]").dispatchEvent(drop);
        }""",
        text,
    )
    expect(page.get_by_role("heading", name="유효한 증거입니다")).to_be_visible()


def test_in_english_on_a_phone(open_tab: Open, estimate_id: str) -> None:
    tab = open_tab(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = tab.sign_in(API_KEY, f"/console/evidence?id={estimate_id}")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="This evidence is valid")).to_be_visible()
    tab.check()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
