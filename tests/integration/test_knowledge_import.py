"""POST /v1/knowledge/tables/import: what it stores, counts and refuses."""

import json
from hashlib import sha256

import pytest

from kis.knowledge.staging import RESERVED_LABELS
from tests.integration.lifecycle import (
    FIRST,
    HEADER,
    TABLES,
    VERSIONS,
    ask,
    good,
    import_raw,
    import_table,
    publish,
    refused,
    row,
    rows_of,
    staged_files,
    table,
    version,
)
from tests.services import ADMIN_API_KEY, Client
from tests.unit.knowledge.rows import seed_catalogue

COUNTS = ("added", "changed", "removed", "unchanged")
SHIPPED_ROWS = 108


def counts(imported: dict[str, int]) -> list[int]:
    return [imported[name] for name in COUNTS]


def is_untouched(client: Client) -> bool:
    home = client.settings.home
    labels = [line["label"] for line in ask(client, VERSIONS)]
    audited = rows_of(home, "SELECT count(*) FROM audit_entry WHERE action <> 'knowledge.activate'")
    return labels == [FIRST] and staged_files(home) == {} and audited == [(0,)]


# --- the same again, and other content -------------------------------------------------


def test_same_content_again_is_a_no_op(client: Client) -> None:
    content = table(row("T-100"))
    first = good(import_table(client, "v-a", content), 201)
    again = good(import_table(client, "v-a", content), 200)
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert {**first, "repeated": None} == {**again, "repeated": None}
    assert len(ask(client, VERSIONS)) == 2
    assert len(staged_files(client.settings.home)) == 1


def test_same_content_again_after_activation_says_that_it_is_active(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    again = good(import_table(client, "v-a", table(row("T-100"))), 200)
    assert (again["repeated"], again["state"]) == (True, "active")


def test_same_content_as_body_or_as_json_string_is_the_same(client: Client) -> None:
    content = table(row("T-100"))
    good(import_table(client, "v-a", content), 201)
    assert good(import_raw(client, "v-a", content.encode()), 200)["repeated"] is True


def test_other_content_under_a_used_label_is_refused(client: Client) -> None:
    good(import_table(client, "v-a", table(row("T-100"))), 201)
    problem = refused(
        import_table(client, "v-a", table(row("T-101"))), 409, "VERSION_ALREADY_EXISTS"
    )
    assert problem["path"] == "$.versionLabel"
    assert len(staged_files(client.settings.home)) == 1
    refused(import_table(client, FIRST, table(row("T-100"))), 409, "VERSION_ALREADY_EXISTS")


def test_same_content_in_the_other_mode_is_other_content(client: Client) -> None:
    content = table(row("T-100"))
    good(import_table(client, "v-a", content), 201)
    response = import_table(client, "v-a", content, mode="replace")
    refused(response, 409, "VERSION_ALREADY_EXISTS")


def test_two_owners_at_once_under_one_label(client: Client) -> None:
    """One gets the label, the other is told; nothing of the other's is kept."""

    def order(model: str) -> dict[str, str]:
        return {"format": "csv", "content": table(row(model)), "versionLabel": "v-a"}

    responses = client.gather(
        *(
            client.asend("POST", f"{TABLES}/import", key=ADMIN_API_KEY, json=order(f"T-{n}"))
            for n in range(6)
        )
    )
    assert sorted(r.status_code for r in responses) == [201] + [409] * 5
    won = next(r.json() for r in responses if r.status_code == 201)
    (kept,) = staged_files(client.settings.home).values()
    assert sha256(kept).hexdigest() == won["uploadDigest"]


def test_same_import_twice_at_once_is_one_import_and_one_no_op(client: Client) -> None:
    order = {"format": "csv", "content": table(row("T-1")), "versionLabel": "v-a"}
    responses = client.gather(
        *(client.asend("POST", f"{TABLES}/import", key=ADMIN_API_KEY, json=order) for _ in range(4))
    )
    assert sorted(r.status_code for r in responses) == [200, 200, 200, 201]
    assert len(staged_files(client.settings.home)) == 1


# --- add and replace ---------------------------------------------------------------------


def test_add_counts_against_the_active_version(client: Client) -> None:
    publish(client, "v-a", row("T-100"), row("T-200"))
    rows = (row("T-100"), row("T-200", width=95), row("T-300"))
    imported = good(import_table(client, "v-b", table(*rows)), 201)
    unchanged = imported["unchanged"]
    assert counts(imported) == [1, 1, 0, unchanged]
    assert counts(imported["difference"]["breakers"]["counts"]) == [1, 1, 0, SHIPPED_ROWS + 1]
    changed, added = imported["difference"]["breakers"]["rows"]
    assert changed["cells"] == [{"cell": "widthMm", "before": 90, "after": 95}]
    assert added["row"] == {"brand": "LS", "model": "T-300", "poles": "3P"}


def test_replace_is_the_whole_table(client: Client) -> None:
    imported = good(import_table(client, "v-b", table(row("T-300")), mode="replace"), 201)
    assert imported["mode"] == "replace"
    assert counts(imported["difference"]["breakers"]["counts"]) == [1, 0, SHIPPED_ROWS, 0]
    for part in ("enclosures", "accessories", "rules"):
        assert counts(imported["difference"][part]["counts"])[:3] == [0, 0, 0]


def test_unknown_mode_is_refused(client: Client) -> None:
    refused(import_table(client, "v-b", table(row("T-1")), mode="merge"), 400, "INVALID_REQUEST")
    assert is_untouched(client)


# --- what is kept ------------------------------------------------------------------------


def test_raw_upload_is_kept_with_its_digest(client: Client) -> None:
    """`sha256sum knowledge-staging/*` finds what the answer, the list and the audit name."""
    raw = b"\xef\xbb\xbf" + table(row("T-100")).replace("\n", "\r\n").encode()
    imported = good(import_raw(client, "v-a", raw), 201)
    ((name, kept),) = staged_files(client.settings.home).items()
    digest = sha256(raw).hexdigest()
    assert kept == raw
    assert imported["uploadDigest"] == digest
    assert name.startswith("v-a-")
    assert digest[:12] in name
    assert name.endswith(".csv")
    stored = rows_of(client.settings.home, "SELECT upload_digest FROM knowledge_version")
    assert (digest,) in stored


def test_json_parts_are_kept_as_json(client: Client) -> None:
    part = {"accessories": [{"code": "T-LAMP", "kind": "lamp", "widthMm": 30, "heightMm": 30}]}
    good(import_table(client, "v-a", part, format="json"), 201)
    ((name, kept),) = staged_files(client.settings.home).items()
    assert name.endswith(".json")
    assert json.loads(kept) == part


# --- formats -----------------------------------------------------------------------------


@pytest.mark.parametrize("format_name", ["csv", "CSV", "Csv", " csv "])
def test_format_in_any_letter_case(client: Client, format_name: str) -> None:
    imported = import_table(client, "v-a", table(row("T-100")), format=format_name)
    assert good(imported, 201)["added"] == 1
    (name,) = staged_files(client.settings.home)
    assert name.endswith(".csv")
    # The same content again, its format spelled otherwise, is the same import.
    assert good(import_table(client, "v-a", table(row("T-100"))), 200)["repeated"] is True


def test_json_in_any_letter_case(client: Client) -> None:
    part = {"accessories": [{"code": "T-LAMP", "kind": "lamp", "widthMm": 30, "heightMm": 30}]}
    for label, format_name in (("v-a", "JSON"), ("v-b", "Json")):
        assert good(import_table(client, label, part, format=format_name), 201)["added"] == 1
    assert good(import_table(client, "v-c", json.dumps(part), format="json"), 201)["added"] == 1


def test_unknown_format_is_refused(client: Client) -> None:
    raw = table(row("T-1")).encode()
    for response in (
        import_table(client, "v-a", "x", format="xls"),
        import_raw(client, "v-a", raw, format="xls"),
        import_raw(client, "v-a", raw, format=""),
    ):
        problem = refused(response, 400, "INVALID_REQUEST")
        assert problem["path"] == "$.format"
        assert "csv" in problem["hint"]
    assert is_untouched(client)


def test_every_finding_hints_at_what_is_allowed(client: Client) -> None:
    response = import_table(client, "v-a", table(row("T-1", width=0), "LS,x"))
    for finding in refused(response, 422, "KNOWLEDGE_INVALID")["findings"]:
        assert finding["hint"].startswith("허용: ")
        assert finding["hintEn"].startswith("Allowed: ")


def test_cp949_bytes_as_a_csv_body(client: Client) -> None:
    """What Korean Excel writes by `CSV`; UTF-8 text is read as UTF-8."""
    korean = row("T-100", warning="확인 필요")
    for label, encoding in (("v-a", "cp949"), ("v-b", "utf-8")):
        good(import_raw(client, label, table(korean).encode(encoding)), 201)
        shown = ask(client, f"{VERSIONS}/{label}/diff")["difference"]["breakers"]["rows"][0]
        assert {"cell": "warning", "before": None, "after": "확인 필요"} in shown["cells"]


def test_cp949_in_a_json_body_is_told_where_it_may_go(client: Client) -> None:
    order = {"format": "csv", "content": table(row("T-1", warning="확인")), "versionLabel": "v-a"}
    response = client.request(
        "POST", f"{TABLES}/import", key=ADMIN_API_KEY,
        content=json.dumps(order, ensure_ascii=False).encode("cp949"),
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    problem = refused(response, 400, "MALFORMED_JSON")
    for hint in (problem["hint"], problem["hintEn"]):
        assert "text/csv" in hint
        assert "kis-backend knowledge import" in hint
    broken = client.request(
        "POST", f"{TABLES}/import", key=ADMIN_API_KEY, content=b"{",
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert "text/csv" not in refused(broken, 400, "MALFORMED_JSON")["hint"]


def test_csv_body_with_charset_parameter(client: Client) -> None:
    for label, charset, encoding in (("v-a", "utf-8", "utf-8"), ("v-b", "euc-kr", "cp949")):
        response = client.request(
            "POST", f"{TABLES}/import", key=ADMIN_API_KEY,
            content=table(row("T-100", warning="확인")).encode(encoding),
            headers={"Content-Type": f"Text/CSV; charset={charset}"},
            params={"versionLabel": label},
        )  # fmt: skip
        assert good(response, 201)["added"] == 1


def test_csv_body_needs_its_label_in_the_query(client: Client) -> None:
    response = client.request(
        "POST", f"{TABLES}/import", key=ADMIN_API_KEY, content=b"x",
        headers={"Content-Type": "text/csv"},
    )  # fmt: skip
    assert refused(response, 400, "INVALID_REQUEST")["path"] == "$.versionLabel"


def test_other_media_type_is_refused(client: Client) -> None:
    response = client.request(
        "POST", f"{TABLES}/import", key=ADMIN_API_KEY, content=b"x",
        headers={"Content-Type": "application/vnd.ms-excel"}, params={"versionLabel": "v-a"},
    )  # fmt: skip
    refused(response, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert is_untouched(client)


@pytest.mark.parametrize("label", ["", " ", "a b", "../../etc/passwd", "가", "-a", "x" * 65])
def test_label_that_is_no_file_name_is_refused(client: Client, label: str) -> None:
    response = import_table(client, label, table(row("T-1")))
    assert refused(response, 400, "INVALID_REQUEST")["path"] == "$.versionLabel"
    assert is_untouched(client)


@pytest.mark.parametrize("label", ["active", "Active", "ACTIVE"])
def test_label_that_is_an_address_of_its_own_is_refused(client: Client, label: str) -> None:
    problem = refused(import_table(client, label, table(row("T-1"))), 400, "INVALID_REQUEST")
    assert problem["path"] == "$.versionLabel"
    assert label in problem["detail"]
    assert label in problem["detailEn"]
    assert is_untouched(client)
    good(import_table(client, f"{label}-1", table(row("T-1"))), 201)


def test_every_word_that_stands_where_a_label_does_is_reserved(client: Client) -> None:
    paths = ask(client, "/openapi.json")["paths"]
    steps = {path.removeprefix(f"{VERSIONS}/").partition("/")[0] for path in paths
             if path.startswith(f"{VERSIONS}/")}  # fmt: skip
    console = {"golden", "import", "questions"}
    assert (steps - {"{label}"}) | console == RESERVED_LABELS


# --- errors ------------------------------------------------------------------------------


def test_all_errors_are_told_at_once_and_nothing_is_stored(client: Client) -> None:
    lines = (
        row("T-1").replace("LS,", "HYUNDAI,", 1),
        row("T-2", width=0),
        row("T-3").replace("3P", "5P"),
        row("T-4").replace('""type"":""MCCB""', '""type"":""FUSE""'),
        row("T-5", width=90).replace(",155,", ",NaN,"),
    )
    problem = refused(import_table(client, "v-a", table(*lines)), 422, "KNOWLEDGE_INVALID")
    told = {
        (f["data"]["line"], f["data"]["column"]): f["data"]["value"] for f in problem["findings"]
    }
    assert told == {
        (2, "brand"): "HYUNDAI", (3, "width_mm"): "0", (4, "poles"): "5P",
        (5, "meta.type"): "FUSE", (6, "height_mm"): "NaN",
    }  # fmt: skip
    for finding in problem["findings"]:
        assert finding["data"]["allowed"]
        assert finding["path"].startswith(f"line {finding['data']['line']}, column ")
        assert str(finding["data"]["value"]) in finding["detail"]
        assert str(finding["data"]["value"]) in finding["detailEn"]
    assert problem["findings"][0]["data"]["total"] == 5
    assert is_untouched(client)


def test_at_most_a_hundred_errors_are_shown_and_all_are_counted(client: Client) -> None:
    lines = [row(f"T-{n}", width=-1) for n in range(250)]
    problem = refused(import_table(client, "v-a", table(*lines)), 422, "KNOWLEDGE_INVALID")
    assert len(problem["findings"]) == 100
    assert problem["findings"][0]["data"]["total"] == 250


@pytest.mark.parametrize(
    "content", ["", HEADER, "brand,model\nLS,T-1\n", table(row("T-1"), row("T-1"))],
    ids=["empty", "header alone", "columns missing", "a key twice"],
)  # fmt: skip
def test_table_that_is_none_is_refused(client: Client, content: str) -> None:
    refused(import_table(client, "v-a", content), 422, "KNOWLEDGE_INVALID")
    assert is_untouched(client)


def test_bytes_in_no_encoding_are_refused_with_their_line(client: Client) -> None:
    raw = table(row("T-1")).encode() + b"LS,\xff\xff\xff"
    problem = refused(import_raw(client, "v-a", raw), 422, "KNOWLEDGE_INVALID")
    assert problem["findings"][0]["data"]["line"] == 3
    assert is_untouched(client)


def test_rules_without_a_brand_whose_breakers_stay(client: Client) -> None:
    rules = seed_catalogue()["rules"] | {"version": "ls", "brands": ["LS"]}
    response = import_table(client, "v-a", {"rules": rules}, format="json")
    problem = refused(response, 422, "KNOWLEDGE_INVALID")
    assert problem["path"] == "$.rules.brands"
    for words in (problem["detail"], problem["detailEn"]):
        assert "'SANGDO'" in words
        assert "SBE-102 2P" in words
    assert is_untouched(client)


def test_changed_rules_need_a_version_of_their_own(client: Client) -> None:
    rules = seed_catalogue()["rules"] | {"polePitchAboveMm": 71}
    response = import_table(client, "v-a", {"rules": rules}, format="json")
    problem = refused(response, 422, "KNOWLEDGE_INVALID")
    assert problem["path"] == "$.rules.version"
    for words in (problem["detail"], problem["detailEn"]):
        assert rules["version"] in words
        assert FIRST in words
    assert is_untouched(client)
    named = {"rules": rules | {"version": "71"}}
    good(import_table(client, "v-a", named, format="json"), 201)


def test_version_without_a_breaker(client: Client) -> None:
    response = import_table(client, "v-a", {"breakers": []}, format="json", mode="replace")
    assert refused(response, 422, "KNOWLEDGE_INVALID")["path"] == "$.breakers"
    assert is_untouched(client)


def test_refused_label_can_be_used_for_the_corrected_table(client: Client) -> None:
    refused(import_table(client, "v-a", table(row("T-1", width=0))), 422, "KNOWLEDGE_INVALID")
    good(import_table(client, "v-a", table(row("T-1"))), 201)
    assert version(client, "v-a")["state"] == "staged"


# --- limits ------------------------------------------------------------------------------


def test_more_than_200_000_rows_are_refused(client: Client) -> None:
    # Short lines suffice: rows are counted before they are read.
    raw = (HEADER + "\nx" * 200_001).encode()
    problem = refused(import_raw(client, "v-a", raw), 422, "KNOWLEDGE_INVALID")
    assert "200000" in problem["hint"]
    assert is_untouched(client)


def test_more_than_50_mb_are_refused(client: Client) -> None:
    # Below the limit of the body (50 MiB), above that of a table (50 MB).
    raw = HEADER.encode() + b"\n" + b"x" * 50_000_000
    refused(import_raw(client, "v-a", raw), 422, "KNOWLEDGE_INVALID")
    problem = refused(import_raw(client, "v-a", raw + b"x" * 3_000_000), 413, "BODY_TOO_LARGE")
    assert "52428800" in problem["detail"]
    assert is_untouched(client)
