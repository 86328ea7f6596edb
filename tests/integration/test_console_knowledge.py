"""치수 지식 in the console: versions, what can be done to them, and who may."""

import pytest

from kis.knowledge.breaker_rows import COLUMNS
from kis.web.pages.knowledge import SHOWN_ROWS
from tests.integration.console_calls import SignedIn, sign_in, words_of
from tests.integration.lifecycle import (
    FIRST,
    VERSIONS,
    activate,
    active_label,
    ask,
    audit_of,
    good,
    import_raw,
    import_table,
    publish,
    refused,
    row,
    table,
    validate,
)
from tests.services import API_KEY, Client
from tests.unit.knowledge.test_xlsx_format import workbook

HOME = "/console/knowledge"


@pytest.fixture
def owner(client: Client) -> SignedIn:
    return sign_in(client)


def test_only_the_owner_gets_in(client: Client) -> None:
    estimator = sign_in(client, API_KEY)
    assert HOME not in estimator.open("/console/estimates").text
    for path in (HOME, f"{HOME}/{FIRST}", f"{HOME}/questions", f"{HOME}/golden"):
        assert estimator.open(path).status_code in (403, 404)
    assert estimator.send(f"{HOME}/{FIRST}/validate").status_code == 403


def test_line_of_time_tells_who_activated_what_and_why(client: Client, owner: SignedIn) -> None:
    publish(client, "v-a", row("T-1"))
    import_table(client, "v-b", table(row("T-2")))
    done = owner.send(f"{HOME}/{FIRST}/rollback", data={"confirm": FIRST, "reason": "T-1이 틀림"})
    assert done.headers["location"] == f"{HOME}/{FIRST}?done=rolled_back"
    said = words_of(owner.open(HOME))
    assert said.index("v-b 검증 전") < said.index(f"{FIRST} 사용 중") < said.index("v-a 활성화")
    assert "되돌림 · " in said
    assert "“T-1이 틀림”" in said


def test_life_of_a_version(client: Client, owner: SignedIn) -> None:
    import_table(client, "v-a", table(row("T-1", width=95)))
    page = f"{HOME}/v-a"
    assert "아직 검증하지 않았습니다" in words_of(owner.open(page))
    assert owner.send(f"{page}/validate").headers["location"] == f"{page}?done=validated"
    said = words_of(owner.open(f"{page}?done=validated"))
    assert "v-a 버전이 검증을 통과했습니다" in said
    assert "실패 0" not in said
    assert "0건 실패" in said
    difference = words_of(owner.open(f"{page}/difference"))
    assert "추가 1행, 변경 0행, 삭제 0행" in difference
    assert "폭 W 95" in difference
    order = {"confirm": "v-a", "reason": "새 차단기"}
    assert owner.send(f"{page}/activate", data=order).status_code == 303
    assert active_label(client) == "v-a"
    assert "새 차단기" in words_of(owner.open(page))


def test_difference_is_read_in_pages(client: Client, owner: SignedIn) -> None:
    count = SHOWN_ROWS + 20
    import_table(client, "v-a", table(*(row(f"T-{n:04}") for n in range(count))))
    said = words_of(owner.open(f"{HOME}/v-a/difference"))
    assert f"{count}행 가운데 1–{SHOWN_ROWS}" in said
    assert f"T-{SHOWN_ROWS:04}" not in said
    assert f"다음 {SHOWN_ROWS}행" in said
    asked = {"against": FIRST, "part": "breakers", "from": f"{SHOWN_ROWS}"}
    page = owner.open(f"{HOME}/v-a/difference", params=asked)
    said = words_of(page)
    assert f"{count}행 가운데 {SHOWN_ROWS + 1}–{count}" in said
    assert f"T-{SHOWN_ROWS:04}" in said
    assert f"다음 {SHOWN_ROWS}행" not in said
    assert f"against={FIRST}&amp;part=breakers&amp;from=0" in page.text


@pytest.mark.parametrize("step", ["activate", "rollback", "delete"])
def test_steps_ask_for_the_name(client: Client, owner: SignedIn, step: str) -> None:
    publish(client, "v-a", row("T-1"))
    for form in ({}, {"confirm": FIRST.upper(), "reason": "x"}):
        refused = owner.send(f"{HOME}/{FIRST}/{step}", data=form)
        assert "버전 이름이 다릅니다" in words_of(refused, 422)
    if step != "delete":
        refused = owner.send(f"{HOME}/{FIRST}/{step}", data={"confirm": FIRST, "reason": " "})
        assert "사유가 없습니다" in words_of(refused, 422)
    assert active_label(client) == "v-a"


def test_version_is_deleted(client: Client, owner: SignedIn) -> None:
    import_table(client, "v-a", table(row("T-1")))
    gone = owner.send(f"{HOME}/v-a/delete", data={"confirm": "v-a"})
    assert gone.headers["location"] == f"{HOME}?deleted=v-a"
    assert "v-a" not in words_of(owner.open(HOME))
    assert owner.open(f"{HOME}/v-a").status_code == 404


def test_forms_do_without_scripts(client: Client, owner: SignedIn) -> None:
    import_table(client, "v-a", table(row("T-1")))
    done = owner.send(f"{HOME}/v-a/validate", as_script=False)
    assert done.status_code == 303
    refused = owner.send(f"{HOME}/v-a/activate", as_script=False, data={"confirm": ""})
    assert "<html" in refused.text


def test_file_is_looked_at_then_imported(client: Client, owner: SignedIn) -> None:
    body = table(row("T-1", width=95)).encode("cp949")
    sent = {"name": "새 표.csv", "mode": "add"}
    said = words_of(owner.send(f"{HOME}/import", params=sent, content=body))
    assert "추가 1행, 변경 0행, 삭제 0행" in said
    assert "T-1" in said
    assert [version["label"] for version in ask(client, VERSIONS)] == [FIRST]
    named = {**sent, "label": "v-a", "reason": " LS 2026 "}
    done = owner.send(f"{HOME}/import", params=named, content=body)
    assert done.headers["location"] == f"{HOME}/v-a?done=imported"
    told = "LS 2026 (새 표.csv)"
    assert audit_of(client.settings.home, "v-a")[0][1:3] == ("knowledge.import", told)
    assert words_of(owner.open(f"{HOME}/v-a")).count(told) == 2
    assert validate(client, "v-a")["valid"]
    good(activate(client, "v-a"))
    publish(client, "v-b", row("T-2"))
    assert words_of(owner.open(HOME)).count(f"들여옴 · “{told}”") == 1
    named = {**sent, "label": "v-c"}
    owner.send(f"{HOME}/import", params=named, content=body)
    assert "“새 표.csv”" in words_of(owner.open(HOME))


def test_errors_are_told_at_their_cells_and_nothing_is_stored(
    client: Client, owner: SignedIn
) -> None:
    body = table(row("T-1").replace(",90,", ",9o,"), row("T-2").replace("3P", "7P")).encode()
    page = owner.send(f"{HOME}/import", params={"name": "x.csv"}, content=body)
    assert page.text.count('<td class="wrong">') == 2
    said = words_of(page)
    assert "고칠 곳이 2군데 있습니다" in said
    assert "'9o'는 쓸 수 없는 값입니다" in said
    assert [version["label"] for version in ask(client, VERSIONS)] == [FIRST]


@pytest.mark.parametrize(
    ("query", "status"),
    [({"name": "x.pdf"}, 422), ({"name": "x.csv", "mode": "mend"}, 400),
     ({"name": "x.csv", "label": "a b"}, 400), ({"name": "x.csv", "label": "golden"}, 400)],
)  # fmt: skip
def test_what_cannot_be_imported(owner: SignedIn, query: dict[str, str], status: int) -> None:
    content = table(row("T-1")).encode()
    assert owner.send(f"{HOME}/import", params=query, content=content).status_code == status


def test_workbook_is_imported_as_it_is(client: Client) -> None:
    content = workbook(COLUMNS, ["LS", "T", "T-1", 100, "3P", 90.5, 155, 60, '{"type":"MCCB"}'])
    good(import_raw(client, "v-a", content, format="xlsx"), 201)
    assert validate(client, "v-a")["counts"]["added"] == 1
    problem = refused(import_raw(client, "v-b", b"no", format="xlsx"), 422, "KNOWLEDGE_INVALID")
    assert "xlsx" in problem["hintEn"]
