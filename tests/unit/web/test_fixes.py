import pytest

from kis.errors import ErrorCode, Finding, Text
from kis.web.fixes import MAX_FIXES, Fix, field_of, fixes_of

BRANDS = ("LS", "SANGDO")
WORDS = Text("", "")


def fixes(code: ErrorCode, path: str, **data: object) -> list[tuple[str, str]]:
    return [
        (fix.path, fix.value) for fix in fixes_of(Finding(code, path, WORDS, WORDS, data), BRANDS)
    ]


def test_a_field_is_a_path_without_its_root() -> None:
    assert field_of("$.branches[2].poles") == "branches[2].poles"
    assert field_of("$") == ""


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$.brand", BRANDS),
        ("$.installation.location", ("INDOOR", "OUTDOOR")),
        ("$.branches[1].poles", ("1P", "2P", "3P", "4P")),
        ("$.branches[1].type", ("MCCB", "ELCB")),
        ("$.branches", ("none",)),
        ("$.accessories", ("none",)),
        ("$.main", ()),
    ],
)
def test_what_is_missing_is_offered_where_it_can_be_listed(
    path: str, values: tuple[str, ...]
) -> None:
    found = fixes(ErrorCode.REQ_MORE_INFO, path)
    assert found == [(field_of(path), value) for value in values]


def test_what_was_expected_is_offered() -> None:
    path = "$.branches[0].poles"
    assert fixes(ErrorCode.POLES_MISMATCH, path, expected="2P, 4P", models=["SIE-33"]) == [
        ("branches[0].poles", "2P"),
        ("branches[0].poles", "4P"),
        ("branches[0].model", "SIE-33"),
    ]
    kind = fixes(ErrorCode.DEVICE_TYPE_MISMATCH, "$.device.type", expected="ELCB", models=["A"])
    assert kind == [("device.type", "ELCB"), ("main.model", "A")]
    frame = fixes(ErrorCode.FRAME_SIZE_MISMATCH, "$.main.af", expected=50)
    assert frame == [("main.af", "50"), ("main.af", "")]


def test_no_more_buttons_than_are_read() -> None:
    found = fixes_of(
        Finding(
            ErrorCode.RATED_CURRENT_MISMATCH, "$.main.at", WORDS, WORDS,
            {"allowed": list(range(100))},
        ),
        BRANDS,
    )  # fmt: skip
    assert len(found) == MAX_FIXES
    assert found[0] == Fix("main.at", "0")


def test_brands_are_offered_where_they_conflict() -> None:
    code = ErrorCode.BRAND_CONFLICT
    assert fixes(code, "$.brand") == [("brand", "LS"), ("brand", "SANGDO")]
    assert fixes(code, "$.main.model", expected="LS") == [("brand", "LS")]
    assert fixes(code, "$.main.brand") == [("main.brand", "")]
    assert fixes(code, "$.main.model", expected="LS, SANGDO") == []
    assert fixes(ErrorCode.NEED_KNOWLEDGE_UPDATE, "$.brand")[0] == ("brand", "LS")


def test_what_only_people_can_mend_has_no_button() -> None:
    assert fixes(ErrorCode.BOARD_TOO_LARGE, "$.branches") == []
    assert fixes(ErrorCode.NEED_KNOWLEDGE_UPDATE, "$.main.model") == []
