"""CSV: what a spreadsheet writes comes in, and everything else is told apart."""

import csv
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.knowledge.breaker_rows import COLUMNS
from kis.knowledge.formats import parse_upload
from kis.knowledge.model import Breaker

from .rows import (
    BRANDS,
    HEADER,
    META,
    Spelling,
    breaker,
    paths,
    refused,
    seed_csv,
    tables_rows,
    write_csv,
)

RUNBOOK_FILE = r"""brand,series,model,af,poles,width_mm,height_mm,depth_mm,meta
LS,METASOL,METASOL-600,600,4P,350,275,103,"{\"series\":\"METASOL\",\"type\":\"MCCB\"}"
SANGDO,SD,SD-300,300,3P,250,270,100,"{\"series\":\"SD\",\"type\":\"MCCB\"}"
"""
RUNBOOK_CONTENT = (
    "brand,series,model,af,poles,width_mm,height_mm,depth_mm,meta\n"
    'LS,METASOL,METASOL-600,600,4P,350,275,103,{"series":"METASOL","type":"MCCB"}'
)
METASOL_600 = Breaker("LS", "METASOL-600", 4, 600, "MCCB", 3500, 2750, 1030, series="METASOL")
SD_300 = Breaker("SANGDO", "SD-300", 3, 300, "MCCB", 2500, 2700, 1000, series="SD")
META_FIRST = f"meta,{HEADER.removesuffix(',meta')}\n"
GOOD = "LS,METASOL,ABN-53,50,3P,75,130,60," + META
ROW = breaker("ABN-53")


def parsed(content: str | bytes) -> tuple[Breaker, ...]:
    rows = parse_upload("csv", content, brands=BRANDS).breakers
    assert rows is not None
    return rows


def test_the_runbook_file_and_the_runbook_import_body() -> None:
    assert parsed(RUNBOOK_FILE) == (METASOL_600, SD_300)
    assert parsed(RUNBOOK_CONTENT) == (METASOL_600,)


def test_the_shipped_rows() -> None:
    rows = parsed(seed_csv())
    assert len(rows) == 108
    assert list(rows) == sorted(rows, key=lambda row: row.key)
    by_model = {row.model: row for row in rows}
    assert by_model["BKN-1P"].width_dmm == 178
    assert by_model["SBS-52"].breaking_capacity_ka == 14
    assert isinstance(by_model["SBS-52"].breaking_capacity_ka, int)
    assert by_model["ABN-202"].rated_currents_a == (150, 175, 200, 225, 250)
    assert by_model["SIE-32 고감도"].extra == {"variant": "high-sensitivity"}
    assert by_model["SBS-53"].confidence == "low"
    assert by_model["SBS-53"].warning


@settings(max_examples=60)
@given(rows=tables_rows, spelling=st.sampled_from(["doubled", "escaped", "bare"]))
def test_any_rows_come_back(rows: list[Breaker], spelling: Spelling) -> None:
    expected = tuple(sorted(rows, key=lambda row: row.key))
    assert parsed(write_csv(rows, spelling)) == expected


@settings(max_examples=40)
@given(rows=tables_rows, seed=st.integers(0, 99), spelling=st.sampled_from(["doubled", "bare"]))
def test_any_column_order(rows: list[Breaker], seed: int, spelling: Spelling) -> None:
    columns = random.Random(seed).sample(COLUMNS, len(COLUMNS))  # noqa: S311 - a shuffle
    expected = tuple(sorted(rows, key=lambda row: row.key))
    assert parsed(write_csv(rows, spelling, columns)) == expected


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEADER}\n{GOOD}\n",
        f"\ufeff{HEADER}\n{GOOD}\n".encode(),
        f"{HEADER}\r\n{GOOD}\r\n\r\n  \r\n",
        f"{HEADER}\r{GOOD}\r",
        f"\n{HEADER}\n\n{GOOD}\n\n\n  ",
        f" Brand ,SERIES, Model,AF,Poles,Width_mm,height_MM,depth_mm,META\n{GOOD}",
        f"{HEADER}\nLS , METASOL, ABN-53 ,50,3P, 75 ,130.0,60.00, {META} ",
        f'{HEADER}\n"LS","METASOL","ABN-53","50","3P","75","130","60",{META}',
        f'{HEADER}\nLS,METASOL,ABN-53,50,3P,75,130,60,"{{\n  ""type"": ""MCCB""\n}}"\n',
        f'{HEADER}\nLS,METASOL,ABN-53,50,3P,75,130,60,{{"type":"MCCB","grade":null}}',
        f'{HEADER}\nLS,METASOL,ABN-53,50,3P,75,130,60,  {{"type":"MCCB"}}  ',
        f'{HEADER}\nLS,METASOL,ABN-53,50,3P,75,130,60,"{{\\"type\\":\\"MCCB\\"}}"',
        META_FIRST + '{"type":"MCCB","series":"METASOL"},LS,METASOL,ABN-53,50,3P,75,130,60',
    ],
)
def test_spellings_of_one_row(content: str | bytes) -> None:
    assert parsed(content) == (ROW,)


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ('{"type":"MCCB","warning":"폭 3\\" 확인"}', '폭 3" 확인'),
        ('{"type":"MCCB","warning":"a\\\\b"}', "a\\b"),
        ('{"type":"MCCB","warning":"a, {b}"}', "a, {b}"),
    ],
)
@pytest.mark.parametrize("spelling", ["doubled", "escaped", "bare"])
def test_quotes_and_braces_inside_the_meta(meta: str, expected: str, spelling: Spelling) -> None:
    row = breaker("ABN-53", warning=expected)
    assert parsed(write_csv([row], spelling)) == (row,)
    out = io.StringIO()
    csv.writer(out).writerow(["LS", "METASOL", "ABN-53", 50, "3P", 75, 130, 60, meta])
    assert parsed(f"{HEADER}\n{out.getvalue()}") == (row,)


def test_korean_in_cp949() -> None:
    row = breaker("ABN-53 고감도", warning="폭 확인 필요")
    assert parsed(write_csv([row]).encode("cp949")) == (row,)


def test_the_series_in_the_meta_stays_only_where_it_says_more() -> None:
    same = parsed(f'{HEADER}\nLS,S1,A,50,3P,75,130,60,{{"type":"MCCB","series":"S1"}}')
    other = parsed(f'{HEADER}\nLS,S1,A,50,3P,75,130,60,{{"type":"MCCB","series":"S2"}}')
    assert same[0].extra is None
    assert other[0].extra == {"series": "S2"}


def test_rows_share_what_they_repeat() -> None:
    rows = parsed(seed_csv())
    metasol = [row for row in rows if row.series == "METASOL"]
    assert len({id(row.brand) for row in metasol}) == 1
    assert len({id(row.series) for row in metasol}) == 1
    assert len({id(row.breaking_capacity_basis) for row in metasol}) == 2


def with_cell(column: str, cell: str) -> str:
    cells = dict(zip(COLUMNS, GOOD.split(",", 8), strict=True))
    return f"{HEADER}\n" + ",".join((cells | {column: cell}).values())


@pytest.mark.parametrize(
    ("column", "cell", "inside"),
    [
        ("brand", "LSIS", ""),
        ("brand", "ls", ""),
        ("brand", "", ""),
        ("series", "", ""),
        ("series", "s" * 101, ""),
        ("model", "  ", ""),
        ("model", "m" * 101, ""),
        ("model", "ABN\t53", ""),
        ("model", "ABN\u200b53", ""),
        ("model", '"ABN\n53"', ""),
        ("model", "ABN\x0053", ""),
        ("af", "", ""),
        ("af", "0", ""),
        ("af", "10001", ""),
        ("af", "50.0", ""),
        ("af", "-50", ""),
        ("af", "5e1", ""),
        ("af", '"1,000"', ""),
        ("af", "٥٠", ""),
        ("poles", "5P", ""),
        ("poles", "3", ""),
        ("poles", "0P", ""),
        ("poles", "", ""),
        ("width_mm", "", ""),
        ("width_mm", "0", ""),
        ("width_mm", "0.9", ""),
        ("width_mm", "1000.1", ""),
        ("height_mm", "-1", ""),
        ("height_mm", "17.85", ""),
        ("height_mm", '"1,000"', ""),
        ("height_mm", "1e2", ""),
        ("height_mm", "NaN", ""),
        ("depth_mm", "Infinity", ""),
        ("depth_mm", "60mm", ""),
        ("depth_mm", "9" * 400, ""),
        ("meta", "", ""),
        ("meta", "MCCB", ""),
        ("meta", "[]", ""),
        ("meta", "{type:MCCB,grade:din}", ""),
        ("meta", '{"type":"MCCB"},', ""),
        ("meta", '{"type":"MCCB"', ""),
        ("meta", "{}", ".type"),
        ("meta", '{"type":null}', ".type"),
        ("meta", '{"type":"mccb"}', ".type"),
        ("meta", '{"type":"MCCB","type":"ELCB"}', ".type"),
        ("meta", '{"type":"MCCB","x":{"a":1,"a":2}}', ".x.a"),
        ("meta", '{"type":"MCCB","grade":"cheap"}', ".grade"),
        ("meta", '{"type":"MCCB","confidence":1}', ".confidence"),
        ("meta", '{"type":"MCCB","at":50}', ".at"),
        ("meta", '{"type":"MCCB","at":[20,0]}', ".at[1]"),
        ("meta", '{"type":"MCCB","at":[20,true]}', ".at[1]"),
        ("meta", '{"type":"MCCB","at":[20,30.5]}', ".at[1]"),
        ("meta", '{"type":"MCCB","icu_ka":0}', ".icu_ka"),
        ("meta", '{"type":"MCCB","icu_ka":"14"}', ".icu_ka"),
        ("meta", '{"type":"MCCB","icu_ka":NaN}', ".icu_ka"),
        ("meta", '{"type":"MCCB","icu_ka":1e999}', ".icu_ka"),
        ("meta", '{"type":"MCCB","icu_ka":1001}', ".icu_ka"),
        ("meta", '{"type":"MCCB","icu_basis":460}', ".icu_basis"),
        ("meta", '{"type":"MCCB","warning":"' + "w" * 1001 + '"}', ".warning"),
        ("meta", '{"type":"MCCB","note":Infinity}', ".note"),
        ("meta", '{"type":"MCCB","note":9007199254740992}', ".note"),
        ("meta", '{"type":"MCCB","note":"\\u0007"}', ".note"),
        ("meta", '{"type":"MCCB","note":"\\ud800"}', ".note"),
        ("meta", '{"type":"MCCB","😀":1}', "['\\U0001f600']"),
        ("meta", '{"type":"MCCB","note":' + "[" * 11 + "]" * 11 + "}", ".note" + "[0]" * 10),
        ("meta", '{"type":"MCCB","note":' + "[" * 100_000, ""),
        ("meta", '{"type":"MCCB","note":' + "1" * 5_000 + "}", ""),
    ],
)
def test_a_cell_that_is_refused(column: str, cell: str, inside: str) -> None:
    findings = refused("csv", with_cell(column, cell))
    assert paths(findings) == [f"line 2, column {column}{inside}"]
    (finding,) = findings
    assert finding.data["line"] == 2
    assert finding.data["column"] == f"{column}{inside}"
    assert finding.data["allowed"]
    assert finding.message.ko
    assert finding.message.en
    assert (finding.data["total"], finding.data["shown"]) == (1, 1)


@pytest.mark.parametrize(
    ("header", "path"),
    [
        (HEADER.replace(",af", ""), "line 1, column af"),
        (f"{HEADER},colour", "line 1, column colour"),
        (f"{HEADER},af", "line 1, column af"),
        (f"{HEADER},", "line 1, column "),
        (HEADER.replace("series", 'ser"ies'), "line 1"),
    ],
)
def test_a_header_that_is_refused(header: str, path: str) -> None:
    assert paths(refused("csv", f"{header}\n{GOOD}")) == [path]


def test_nothing_at_all_misses_every_column() -> None:
    expected = [f"line 1, column {column}" for column in COLUMNS]
    assert paths(refused("csv", "")) == expected
    assert paths(refused("csv", b"\n\n ")) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"{HEADER}\n", ["line 1"]),
        (f"{HEADER}\n{GOOD},", ["line 2"]),
        (f"{HEADER}\nLS,METASOL,ABN-53,50,3P,75,130,60", ["line 2"]),
        (f"{HEADER}\nLS,METASOL,ABN-53,50,3P,75,130,{META}", ["line 2"]),
        (f"{HEADER}\n{GOOD} x", ["line 2, column meta"]),
        (f'{HEADER}\nLS,METASOL,5" wide,50,3P,75,130,60,{META}', ["line 2, column model"]),
        (f'{HEADER}\nLS,METASOL,"ABN-53,50,3P,75,130,60,{META}', ["line 2, column model"]),
        (f'{HEADER}\n{GOOD}\n\n"', ["line 4, column brand"]),
        (f"{HEADER}\n{GOOD}\n{GOOD}", ["line 3, column model"]),
        (f"{HEADER}\n{GOOD},1,{GOOD}", ["line 2"]),
        (META_FIRST + '{"a":1},' * 200_000, ["line 2"]),
        (
            META_FIRST + '{"type":"MCCB",LS,METASOL,ABN-53,50,3P,75,130,60',
            ["line 2, column meta"],
        ),
        (
            META_FIRST + '{"type":"MCCB"}x,LS,METASOL,ABN-53,50,3P,75,130,60',
            ["line 2, column meta"],
        ),
    ],
)
def test_lines_that_are_refused(content: str, expected: list[str]) -> None:
    assert paths(refused("csv", content)) == expected


def test_a_repeated_row_names_both_lines_even_where_one_is_faulty() -> None:
    bad = GOOD.replace(",130,", ",x,")
    findings = refused("csv", f"{HEADER}\n{GOOD}\n{bad.replace(META, chr(34) * 2)}")
    assert paths(findings) == [
        "line 3, column height_mm",
        "line 3, column meta",
        "line 3, column model",
    ]
    assert "line 2 and line 3" in findings[-1].message.en
    assert "2행, 3행" in findings[-1].message.ko


def test_line_numbers_count_the_lines_inside_quotes() -> None:
    long = GOOD.replace(META, '"{\n""type"":\n""MCCB""}"')
    bad = GOOD.replace("ABN-53", "ABN-52").replace("3P", "9P")
    assert paths(refused("csv", f"{HEADER}\n{long}\n\n{bad}")) == ["line 6, column poles"]


def test_all_problems_are_counted_and_a_hundred_are_shown() -> None:
    bad = "\n".join(f"XX,METASOL,M{number},0,3P,75,130,60,{META}" for number in range(80))
    findings = refused("csv", f"{HEADER}\n{bad}")
    assert len(findings) == 100
    assert findings[0].data["total"] == 160
    assert findings[0].data["shown"] == 100
    assert paths(findings[:3]) == [
        "line 2, column brand",
        "line 2, column af",
        "line 3, column brand",
    ]
