"""Nothing typed is lost, on every page that takes input.

A server that is away and a session that has ended are met in earnest.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests import sql
from tests.browser import Watched
from tests.console.conftest import Open
from tests.console.test_knowledge import drop
from tests.integration.lifecycle import estimate, good, main_only, publish, row, stage, table
from tests.services import ADMIN_API_KEY, Server, board, running_server

HOME = "/console/knowledge"
FIRST = "v2026-01-15-01"
LOST = "서버와 연결이 끊겼습니다"
OF_THE_NETWORK = ("ERR_CONNECTION", "ERR_EMPTY", "htmx:afterRequest", "htmx:sendError")

Act = Callable[[], object]
Through = Callable[..., None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with something on each page."""
    home = tmp_path_factory.mktemp("typed") / "home"
    with running_server(home, RATE_LIMIT_PER_MINUTE="0") as running:
        publish(running, FIRST, row("ABN-103X"))
        estimate(running, main_only("METASOL-600"))
        yield running


class Fault(NamedTuple):
    """What happens between typing and sending: the server goes away, or the session ends."""

    name: str
    tab: Watched
    server: Server

    def overcome(self, act: Act, again: Act | None = None) -> None:
        """Do `act` while it lasts, end it, and go on: by `again`, where a person has to."""
        page = self.tab.page
        if self.name == "session":
            sql.run(self.server.home, "DELETE FROM console_session")
            act()
            expect(page.locator("#sign-in-again")).to_be_visible()
            self.tab.check()
            page.fill("#key-again", ADMIN_API_KEY)
            page.keyboard.press("Enter")
            expect(page.locator("#sign-in-again")).to_be_hidden()
            return
        self.server.stop()
        act()
        expect(page.locator("#told")).to_contain_text(LOST)
        self.server.start()
        told = [fault for fault in self.tab.faults if any(n in fault for n in OF_THE_NETWORK)]
        for fault in told:  # the browser notes the request that failed
            self.tab.faults.remove(fault)
        self.tab.check()
        (again or act)()


@pytest.fixture(params=["server", "session"])
def fault(request: pytest.FixtureRequest, tab: Watched, server: Server) -> Iterator[Fault]:
    yield Fault(request.param, tab, server)
    if server.process.poll() is not None:
        server.start()


def retry(page: Page) -> Act:
    """Return the press of the button that comes with the message: what it repeats has no own."""
    return lambda: page.locator("#told").get_by_role("button", name="다시 시도").click()


def test_evidence_that_was_dropped(fault: Fault, tmp_path: Path) -> None:
    made = good(estimate(fault.server, board(label="EV")), 201)
    file = tmp_path / "evidence.json"
    package = fault.server.request("GET", f"/v1/evidence/{made['id']}").json()
    file.write_text(json.dumps(package), encoding="utf-8")
    page = fault.tab.sign_in(ADMIN_API_KEY, "/console/evidence")
    fault.overcome(lambda: page.set_input_files("#package", file), retry(page))
    expect(page.get_by_role("heading", name="유효한 증거입니다")).to_be_visible()
    fault.tab.check()


def test_evidence_that_is_looked_up(fault: Fault) -> None:
    made = good(estimate(fault.server, board(label="EV")), 201)
    page = fault.tab.sign_in(ADMIN_API_KEY, "/console/evidence")
    page.fill("#id", made["id"])
    fault.overcome(lambda: page.get_by_role("button", name="찾아서 검증").click())
    expect(page.get_by_role("heading", name="유효한 증거입니다")).to_be_visible()
    expect(page.locator("#id")).to_have_value(made["id"])


def test_what_is_searched_for_and_compared(fault: Fault) -> None:
    for _ in range(2):
        good(estimate(fault.server, board(label=f"FIND-{fault.name}")), 201)
    page = fault.tab.sign_in(ADMIN_API_KEY, "/console/estimates")
    page.get_by_role("searchbox").fill(f"find-{fault.name}")
    page.get_by_label("외함 W×H×D").fill("500x600")
    fault.overcome(lambda: page.get_by_role("searchbox").press("Enter"))
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_label("외함 W×H×D")).to_have_value("500x600")
    for box in page.get_by_role("checkbox").all():
        box.check()
    fault.overcome(lambda: page.get_by_role("button", name="두 견적 비교").click())
    expect(page.locator(".pair .drawn svg")).to_have_count(2)


def test_a_note(fault: Fault) -> None:
    made = good(estimate(fault.server, board(label="NOTE")), 201)
    page = fault.tab.sign_in(ADMIN_API_KEY, f"/console/estimates/{made['id']}")
    page.get_by_role("textbox", name="메모").fill("철판 두께는 현장에서")
    fault.overcome(lambda: page.get_by_role("button", name="메모 저장").click())
    expect(page.get_by_text("저장했습니다.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox", name="메모")).to_have_value("철판 두께는 현장에서")


def test_a_table_that_is_imported(fault: Fault) -> None:
    page = fault.tab.sign_in(ADMIN_API_KEY, HOME)
    rows = table(row(f"NEW-{fault.name}"))
    fault.overcome(lambda: drop(page, "새 표.csv", rows), retry(page))
    expect(page.locator("[data-preview]")).to_contain_text("추가 1행")
    page.get_by_label("새 버전 이름").fill(f"v-in-{fault.name}")
    fault.overcome(lambda: page.get_by_role("button", name="이 내용으로 들여오기").click())
    expect(page).to_have_url(re.compile(f"/v-in-{fault.name}"))


def test_answers_to_questions(fault: Fault) -> None:
    page = fault.tab.sign_in(ADMIN_API_KEY, f"{HOME}/questions")
    question = page.get_by_role("group", name=re.compile("METASOL-600"))
    typed = {"폭 W mm": "210", "높이 H mm": "275", "깊이 D mm": "103", "출처": "카탈로그 12쪽"}
    for label, value in typed.items():
        question.get_by_label(label).fill(value)
    question.get_by_label("프레임").fill("600")
    question.get_by_label("종류").select_option("MCCB")
    page.get_by_label("새 버전 이름").fill(f"v-asked-{fault.name}")
    fault.overcome(lambda: page.get_by_role("button", name="적은 것으로 새 버전").click())
    expect(page.locator(".difference").first).to_contain_text("METASOL-600")
    tab_back = fault.tab.go(f"{HOME}/questions")
    expect(tab_back.get_by_label("출처").first).to_have_value("")  # it was sent


def test_a_golden_case(fault: Fault) -> None:
    made = good(estimate(fault.server, board(label="GOLD")), 201)
    name = f"기준 {fault.name}"
    page = fault.tab.sign_in(ADMIN_API_KEY, f"{HOME}/golden")
    page.get_by_label("견적 번호").fill(made["id"])
    page.locator("#name").fill(name)
    page.locator("#note").fill("현장 확인")
    fault.overcome(page.get_by_role("button", name="고정").last.click)
    expect(page.get_by_role("row", name=re.compile(name))).to_contain_text("현장 확인")
    fault.overcome(lambda: page.get_by_role("button", name=f"빼기: {name}").click())
    expect(page.get_by_role("row", name=re.compile(name))).to_have_count(0)


def test_a_version_put_in_place_taken_back_and_deleted(fault: Fault) -> None:
    label = f"v-step-{fault.name}"
    stage(fault.server, label, row("ABN-103X", width=91))
    page = fault.tab.sign_in(ADMIN_API_KEY, f"{HOME}/{label}")
    confirm(fault, "활성화", label, "새 카탈로그")
    expect(page.get_by_text("활성화했습니다")).to_be_visible()
    fault.tab.go(f"{HOME}/{FIRST}")
    confirm(fault, "이 버전으로", FIRST, f"잘못 옮김 {fault.name}")
    expect(page.get_by_role("cell", name=f"잘못 옮김 {fault.name}")).to_be_visible()
    fault.tab.go(f"{HOME}/{label}")
    confirm(fault, "지우기", label)
    expect(page).to_have_url(re.compile(r"\?deleted="))


def confirm(fault: Fault, step: str, label: str, reason: str = "") -> None:
    page = fault.tab.page
    page.get_by_role("button", name=re.compile(f"^{step}.*…$")).click()
    dialog = page.locator("dialog[open]").first
    if reason:
        dialog.get_by_label("사유").fill(reason)
    dialog.get_by_label(re.compile("확인을 위해")).fill(label)
    fault.overcome(lambda: dialog.locator("button[type=submit]").click())


def test_keys(fault: Fault) -> None:
    page = fault.tab.sign_in(ADMIN_API_KEY, "/console/keys")
    name = f"김{fault.name}"
    page.get_by_label("누구의 키").fill(name)
    fault.overcome(lambda: page.get_by_role("button", name="키 만들기").click())
    row_of = page.get_by_role("row", name=re.compile(name))
    row_of.locator("summary", has_text="교체").click()
    row_of.get_by_label("두 키가 함께").fill("3")
    fault.overcome(lambda: row_of.get_by_role("button", name="새 키로 교체").click())
    ending = page.get_by_role("row", name=re.compile(f"{name}.*끝날 예정"))
    ending.locator("summary", has_text="폐기").click()
    ending.get_by_label("사유").fill("분실")
    fault.overcome(lambda: ending.get_by_role("button", name="폐기하기").click())
    expect(page.get_by_role("row", name=re.compile(f"{name}.*폐기됨"))).to_be_visible()


def test_back_up_now(fault: Fault) -> None:
    page = fault.tab.sign_in(ADMIN_API_KEY, "/console/operation")
    expect(page.locator(".figures")).to_be_visible()
    fault.overcome(lambda: page.get_by_role("button", name="지금 백업").click())
    expect(page.get_by_text(re.compile("백업하고 점검했습니다"))).to_be_visible(timeout=60_000)


def test_words_that_a_table_is_searched_for(fault: Fault) -> None:
    page = fault.tab.sign_in(ADMIN_API_KEY, f"{HOME}/{FIRST}/tables")
    expect(page.locator(".tabulator-row").first).to_be_visible()
    fault.overcome(lambda: page.get_by_label("찾기").fill("abn-103x"), retry(page))
    expect(page.locator("[data-count]")).to_contain_text("가운데 1행")
    expect(page.get_by_label("찾기")).to_have_value("abn-103x")


def test_the_key_at_the_door(tab: Watched, server: Server) -> None:
    page = tab.go("/console/sign-in?next=/console/estimates?q=LP")
    page.fill("#key", ADMIN_API_KEY)
    Fault("server", tab, server).overcome(lambda: page.locator("#key").press("Enter"))
    expect(page).to_have_url(re.compile(r"/console/estimates\?q=LP$"))


def test_who_signed_in_again_can_sign_out(tab: Watched, server: Server) -> None:
    page = tab.sign_in(ADMIN_API_KEY, f"{HOME}/golden")
    page.locator("#name").fill("어느 반")
    page.get_by_label("견적 번호").fill("none")
    pin = page.get_by_role("button", name="고정").last
    Fault("session", tab, server).overcome(pin.click)
    expect(page.locator(".finding").last).to_be_visible()
    page.get_by_role("button", name="로그아웃").click()
    page.get_by_role("button", name="지우고 로그아웃").click()
    expect(page).to_have_title(re.compile("로그인"))


def test_a_key_that_was_revoked_is_changed_for_another(tab: Watched, server: Server) -> None:
    def make(label: str) -> dict[str, str]:
        body = {"scope": "admin", "label": label}
        made = good(server.request("POST", "/v1/keys", key=ADMIN_API_KEY, json=body), 201)
        return {"token": made["token"], "id": made["key"]["keyId"]}

    old, new = make("old"), make("new")
    page = tab.sign_in(old["token"], "/console/keys")
    page.get_by_label("누구의 키").fill("박대리")
    body = {"reason": "lost"}
    good(server.request("POST", f"/v1/keys/{old['id']}/revoke", key=ADMIN_API_KEY, json=body))
    page.get_by_role("button", name="키 만들기").click()
    page.fill("#key-again", new["token"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("박대리"))).to_be_visible()
    tab.check()


def test_signing_in_again_in_one_tab_leaves_the_others_their_work(
    open_tab: Open, server: Server
) -> None:
    tab = open_tab()
    page = tab.sign_in(ADMIN_API_KEY, f"{HOME}/golden")
    other = Watched(page.context, server.url)
    other.go("/console/keys")
    other.page.get_by_label("누구의 키").fill("이과장")
    page.locator("#name").fill("어느 반")
    page.get_by_label("견적 번호").fill("none")
    Fault("session", tab, server).overcome(page.get_by_role("button", name="고정").last.click)
    other.page.get_by_role("button", name="키 만들기").click()
    expect(other.page.get_by_role("row", name=re.compile("이과장"))).to_be_visible()
    other.check()


def test_what_is_typed_outlives_the_page(tab: Watched) -> None:
    """A reload, a crash, a link followed too early: forms have what was typed, till it is sent."""
    page = tab.sign_in(ADMIN_API_KEY, f"{HOME}/golden")
    page.locator("#name").fill("분전반 LP-9")
    page.locator("#note").fill("현장 확인")
    page.reload()
    expect(page.locator("#name")).to_have_value("분전반 LP-9")
    tab.go("/console/keys").get_by_label("누구의 키").fill("최기사")
    tab.go(f"{HOME}/golden")
    expect(page.locator("#note")).to_have_value("현장 확인")
    tab.go("/console/keys")
    expect(page.get_by_label("누구의 키")).to_have_value("최기사")
    page.get_by_role("button", name="키 만들기").click()
    expect(page.get_by_role("row", name=re.compile("최기사"))).to_be_visible()
    page.reload()
    expect(page.get_by_label("누구의 키")).to_have_value("")
