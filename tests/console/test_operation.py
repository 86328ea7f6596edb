"""The dashboard, backups, and keys, as the operator uses them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import Watched
from tests.console.conftest import Open, Shoot
from tests.services import ADMIN_API_KEY, API_KEY, Server, board, running_server


def write_week(home: Path) -> None:
    """Have a log of the days before: busy from eight to seven, and an hour that went wrong."""
    log = home / "logs" / "kis-backend.log"
    log.parent.mkdir(parents=True)
    now = datetime.now(UTC)
    with log.open("w") as file:
        for back in range(167, 0, -1):
            hour = now - timedelta(hours=back)
            at = f"{hour:%Y-%m-%dT%H:00:00Z}"
            busy = max(0, 6 - abs(hour.astimezone().hour - 13))
            for number in range(busy * (3 + back % 4) + 2):
                ms = 9 + 3 * busy + (number * 7) % (14 + back % 9)
                ms *= 9 if back == 30 else 1
                file.write(
                    f'10.0.0.{7 + number % 3} {at} "POST /v1/estimate/create" 201 {ms}ms'
                    " key=api-bcdfghjk request=fgh\n"
                )
            if back in (6, 30):
                file.write(f"{at} ERROR a request failed request=fgh\n")
            if back % 5 == 0:
                file.write(f"{at} WARNING BRAND_CONFLICT $.branches[0].model request=fgh\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with some work behind it: estimates, a refusal, an unknown breaker."""
    home = tmp_path_factory.mktemp("operation") / "home"
    write_week(home)
    with running_server(home) as running:
        for number in range(12):
            running.request("POST", "/v1/estimate/create", json=board(label=f"LP-{number}"))
        running.request("POST", "/v1/estimate/create", json=board(), key="wrong")
        unknown = {"model": "XYZ-999", "af": 50, "poles": "4P"}
        running.request("POST", "/v1/estimate/create", json=board(main=unknown))
        yield running


def test_dashboard(tab: Watched, shoot: Shoot) -> None:
    page = tab.sign_in(ADMIN_API_KEY, "/console/operation")
    expect(page.locator(".figures dd").first).to_have_text("12")
    expect(page.locator(".tile")).to_have_count(6)
    expect(page.locator(".chart canvas")).to_have_count(3)
    denied = page.get_by_role("region", name="최근 거절한 요청").get_by_role("row").nth(1)
    expect(denied).to_contain_text("127.0.0.1POST /v1/estimate/create키 없음·틀림")
    tab.check()
    shoot(tab, "operation")
    page.get_by_role("radio", name="7일").check()
    tables = page.get_by_text("표로 보기")
    for number in range(2):
        tables.nth(number).click()
    expect(page.get_by_role("region", name="시간별").get_by_role("row")).not_to_have_count(0)
    tab.check()


def test_back_up_now(tab: Watched, server: Server) -> None:
    page = tab.sign_in(ADMIN_API_KEY, "/console/operation")
    page.get_by_role("button", name="지금 백업").click()
    done = page.get_by_text(re.compile("백업하고 점검했습니다: kis-backup-"))
    expect(done).to_be_visible(timeout=60_000)
    tab.check()
    assert list((server.home / "backups").glob("kis-backup-*.db.gz"))
    page.reload()
    expect(page.get_by_role("region", name="백업").get_by_text("최신")).to_be_visible()


def test_make_rotate_and_revoke_a_key(tab: Watched, server: Server, shoot: Shoot) -> None:
    page = tab.sign_in(ADMIN_API_KEY, "/console/keys")
    tab.check()
    page.get_by_label("누구의 키").fill("김주임")
    page.get_by_role("button", name="키 만들기").click()
    expect(page.get_by_role("heading", name=re.compile("새 키 api-"))).to_be_focused()
    token = page.locator("#token").inner_text()
    assert server.request("GET", "/v1/estimate", key=token).status_code == 200
    tab.check()
    shoot(tab, "keys")
    row = page.get_by_role("row", name=re.compile("김주임"))
    row.locator("summary", has_text="교체").click()
    row.get_by_label("두 키가 함께 통하는 날수").fill("3")
    row.get_by_role("button", name="새 키로 교체").click()
    expect(page.get_by_text(re.compile("앞의 키 api-.*의 끝"))).to_be_visible()
    new_token = page.locator("#token").inner_text()
    assert new_token != token
    ending = page.get_by_role("row", name=re.compile("김주임.*끝날 예정"))
    ending.locator("summary", has_text="폐기").click()
    tab.check()
    ending.get_by_label("사유").fill("분실")
    ending.get_by_role("button", name="폐기하기").click()
    expect(page.get_by_role("row", name=re.compile("김주임.*폐기됨"))).to_be_visible()
    assert server.request("GET", "/v1/estimate", key=token).status_code == 401
    assert server.request("GET", "/v1/estimate", key=new_token).status_code == 200


def test_the_last_admin_key_stays(tab: Watched) -> None:
    page = tab.sign_in(ADMIN_API_KEY, "/console/keys")
    row = page.get_by_role("row", name=re.compile("ADMIN_API_KEY"))
    row.locator("summary", has_text="폐기").click()
    row.get_by_label("사유").fill("시험")
    row.get_by_role("button", name="폐기하기").click()
    expect(row.locator(".finding")).to_be_visible()
    tab.check()


def test_an_estimator_sees_none_of_it(tab: Watched) -> None:
    page = tab.sign_in(API_KEY)
    expect(page.get_by_role("navigation")).not_to_contain_text("운영")
    for path in ("/console/operation", "/console/keys"):
        tab.go(path)
        expect(page.get_by_role("heading", level=1)).to_have_text("이 키로는 할 수 없습니다.")
        tab.check()


@pytest.mark.parametrize("path", ["/console/operation", "/console/keys"])
def test_in_english_on_a_phone_in_the_dark(open_tab: Open, path: str) -> None:
    tab = open_tab(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = tab.sign_in(ADMIN_API_KEY, path)
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("progress:visible")).to_have_count(0)
    tab.check()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
