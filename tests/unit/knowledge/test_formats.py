"""The entry: formats, encodings, and the limits that come before any parsing."""

import pytest

from kis.knowledge import formats
from kis.knowledge.formats import parse_upload

from .rows import BRANDS, HEADER, META, breaker, paths, refused, seed_catalogue, write_csv

ACCESSORIES = [{"code": "A", "kind": "timer"}, {"code": "B", "kind": "timer"}]
GOOD = "LS,METASOL,ABN-53,50,3P,75,130,60," + META


@pytest.mark.parametrize("name", ["csv", "CSV", " Csv "])
def test_format_in_any_letter_case(name: str) -> None:
    assert parse_upload(name, write_csv([breaker()]), brands=BRANDS).breakers == (breaker(),)


def test_csv_brings_breakers_only() -> None:
    upload = parse_upload("csv", write_csv([breaker()]), brands=BRANDS)
    assert (upload.enclosures, upload.accessories, upload.rules) == (None, None, None)


@pytest.mark.parametrize(
    ("format_", "content", "path"),
    [
        ("xls", "", "$.format"),
        ("", "", "$.format"),
        ("csv", {"breakers": []}, "$.content"),
        ("csv", None, "$.content"),
        ("json", None, "$.content"),
        ("json", 7, "$.content"),
        ("json", [], "$.content"),
        ("csv", f"{HEADER}\nLS\ud800", "line 2"),
        ("csv", f"{HEADER}\n\n".encode() + b"\xff", "line 3"),
        ("csv", b"\xef\xbb\xbf" + "고감도".encode("cp949"), "line 1"),
        ("json", b'{\n"a\xff":1}', "line 2"),
        ("json", '{\n"a\ud800":1}', "line 2"),
    ],
)
def test_what_is_refused_before_parsing(format_: str, content: object, path: str) -> None:
    (finding,) = refused(format_, content)
    assert finding.path == path
    assert finding.data["total"] == 1


def test_no_brand_is_known_without_rules_or_brands() -> None:
    assert paths(refused("csv", f"{HEADER}\n{GOOD}", brands=())) == ["line 2, column brand"]


@pytest.mark.parametrize("content", ["é" * 6, "x" * 11, b"x" * 11])
@pytest.mark.parametrize("format_", ["csv", "json"])
def test_too_many_bytes(
    monkeypatch: pytest.MonkeyPatch, format_: str, content: str | bytes
) -> None:
    monkeypatch.setattr(formats, "MAX_BYTES", 10)
    (finding,) = refused(format_, content)
    assert finding.path == "$.content"
    assert finding.data["value"] in (11, 12)


def test_as_many_bytes_as_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    content = write_csv([breaker("고감도")])
    monkeypatch.setattr(formats, "MAX_BYTES", len(content.encode()))
    assert parse_upload("csv", content, brands=BRANDS).breakers
    assert parse_upload("csv", content.encode(), brands=BRANDS).breakers


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_ROWS", 2)
    rows = [breaker(f"M{number}") for number in range(3)]
    assert parse_upload("csv", write_csv(rows[:2]) + "\n\n\n", brands=BRANDS).breakers
    assert parse_upload("json", {"accessories": ACCESSORIES}).accessories
    (finding,) = refused("csv", write_csv(rows))
    assert (finding.path, finding.data["value"]) == ("$.content", 3)
    (finding,) = refused("json", {"breakers": [{}], "enclosures": [{}, {}]})
    assert (finding.path, finding.data["value"]) == ("$.content", 3)


def test_line_ends_inside_quotes_are_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_ROWS", 1)
    content = f"{HEADER}\n{GOOD.replace(META, chr(34) + '{' + chr(10) * 5 + '}' + chr(34))}"
    assert paths(refused("csv", content)) == ["line 2, column meta.type"]


def test_the_catalogue_in_every_shape() -> None:
    catalogue = seed_catalogue()
    as_object = parse_upload("JSON", catalogue)
    text = "\ufeff" + str(catalogue).replace("'", '"')
    assert parse_upload("json", text.encode()) == as_object
    assert parse_upload("json", text) == as_object
