"""Rows of a version, in pages, as the console's tables ask for them."""

from tests.integration.console_calls import SignedIn, sign_in
from tests.integration.lifecycle import FIRST, good, import_table, row, stage, table
from tests.services import API_KEY, Client

HOME = "/console/knowledge"


def rows(owner: SignedIn, label: str, **asked: str) -> tuple[int, list[list[object]]]:
    found = good(owner.open(f"{HOME}/{label}/rows", params=asked))
    return found["total"], found["rows"]


def test_every_part_is_read_in_pages(client: Client) -> None:
    owner = sign_in(client)
    total, first = rows(owner, FIRST)
    assert (total, len(first)) == (108, 108)
    assert rows(owner, FIRST, page="1") == (108, [])
    assert rows(owner, FIRST, page="x")[1] == first
    total, found = rows(owner, FIRST, text="sangdo sbs-54")
    assert (total, found[0][2]) == (1, "SBS-54")
    assert rows(owner, FIRST, part="enclosures")[0] == 163
    assert rows(owner, FIRST, part="accessories")[0] == 18
    assert rows(owner, FIRST, part="nothing")[0] == 108


def test_a_version_that_is_not_active_is_read_too(client: Client) -> None:
    owner = sign_in(client)
    stage(client, "v-a", row("T-1", width=95))
    assert rows(owner, "v-a", text="T-1")[1][0][6] == 95
    page = owner.open(f"{HOME}/v-a/tables", params={"text": "<b>"})
    assert "109" in page.text
    assert "&lt;b&gt;" in page.text


def test_what_has_no_rows_yet_says_so(client: Client) -> None:
    owner = sign_in(client)
    import_table(client, "v-a", table(row("T-1")))
    assert owner.open(f"{HOME}/v-a/tables").status_code == 409
    assert owner.open(f"{HOME}/v-none/rows").status_code == 404
    assert sign_in(client, API_KEY).open(f"{HOME}/{FIRST}/rows").status_code == 403
