"""Sample boards: the changed rows of every part, breakers by turns as main and as branch."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from kis.knowledge.diff import Changed
from kis.knowledge.model import Accessory, Breaker
from kis.knowledge.sampling import SampleRequest, plain_boards, sample_requests
from kis.knowledge.snapshot import Tables

from .rows import breaker, seed_tables, tables_of

SMALL = breaker("A-53", 3)
MEDIUM = breaker("B-103", 3, frame_size_a=100)
LARGE = breaker("C-203", 3, frame_size_a=200)


def tried(rows: list[Breaker], changed: list[Breaker], size: int) -> list[tuple[str, str, str]]:
    samples = sample_requests(tables_of(*rows), changes(*changed), size)
    return [(sample.row[1], sample.role, sample.request["main"]["model"]) for sample in samples]  # type: ignore[index,misc]


def changes(*rows: Breaker, **others: Any) -> Changed:
    """Return what changed: these breakers, and other parts by name."""
    nothing = Changed([row.key for row in rows], [], [], rules=False)
    return msgspec.structs.replace(nothing, **others)


def test_requests_are_those_of_the_runbook() -> None:
    main, branch = sample_requests(tables_of(SMALL, MEDIUM, LARGE), changes(SMALL, MEDIUM), 2)
    assert (main.part, main.row, main.role) == ("breakers", SMALL.key, "main")
    assert main.request == {
        "brand": "LS",
        "form": "ECONOMIC",
        "installation": {"location": "INDOOR", "mount": "WALL"},
        "device": {"type": "MCCB"},
        "main": {"model": "A-53", "af": 50, "poles": "3P"},
        "branches": [],
        "accessories": {"enabled": False, "items": []},
    }
    assert (branch.row, branch.role) == (MEDIUM.key, "branch")
    assert branch.request == main.request | {
        "main": {"model": "C-203", "af": 200, "poles": "3P"},
        "branches": [{"model": "B-103", "poles": "3P", "quantity": 4}],
    }


@pytest.mark.parametrize(
    ("others", "main"),
    [
        ([LARGE, MEDIUM], "B-103"),
        ([LARGE, breaker("B-54", 4)], "B-54"),
        # As many poles as the branch, at least.
        ([LARGE, breaker("B-52", 2)], "C-203"),
        # Of the same frame and poles: the first model.
        ([breaker("Z-53", 3), breaker("Y-53", 3), MEDIUM], "Y-53"),
        # Another brand is no main.
        ([breaker("B-53", 3, brand="SANGDO"), MEDIUM], "B-103"),
    ],
)
def test_the_main_of_a_branch_is_the_smallest_that_fits(others: list[Breaker], main: str) -> None:
    first = breaker("0-first", 1)
    rows = [first, SMALL, *others]
    assert tried(rows, [first, SMALL], 2)[1] == ("A-53", "branch", main)


def test_a_row_without_a_main_above_is_tried_as_main() -> None:
    assert tried([SMALL, LARGE], [SMALL, LARGE], 2) == [
        ("A-53", "main", "A-53"),
        ("C-203", "main", "C-203"),
    ]


def test_rows_are_spread_evenly_and_the_same_every_time() -> None:
    rows = [breaker(f"M{number:02}") for number in range(20)]
    found = tried(rows, rows[::-1], 5)
    assert [row for row, _, _ in found] == ["M00", "M04", "M08", "M12", "M16"]
    assert [role for _, role, _ in found] == ["main", "branch", "main", "branch", "main"]
    assert found == tried(rows[::-1], rows, 5)


@pytest.mark.parametrize("size", [0, 1, 10, 108, 500])
def test_as_many_boards_as_wanted(size: int) -> None:
    assert len(sample_requests(seed_tables(), changes(), size)) == size


def test_one_row_is_tried_in_other_boards_each_time() -> None:
    samples = sample_requests(tables_of(SMALL, LARGE), changes(SMALL), 8)
    assert {sample.row for sample in samples} == {SMALL.key}
    assert [sample.role for sample in samples] == ["main", "branch"] * 4
    assert [sample.request["form"] for sample in samples[:4]] == [
        "ECONOMIC", "ECONOMIC", "STANDARD", "STANDARD",
    ]  # fmt: skip
    boards = [repr(sample.request) for sample in samples]
    assert len(set(boards)) == len(boards)


def test_unknown_keys_are_passed_over() -> None:
    rows = [SMALL, MEDIUM]
    assert tried(rows, [MEDIUM, LARGE], 1) == [("B-103", "main", "B-103")]
    assert {row for row, _, _ in tried(rows, [LARGE], 9)} == {"A-53", "B-103"}
    assert tried([], [], 9) == []


# --- accessories and enclosures ----------------------------------------------------------

CODES = ["MC-9..22", "METER-3PH", "SPD-VAL-MS-2P"]
MODELS = [row.model for row in seed_tables().enclosures[:40:4]]


def parts(samples: list[SampleRequest]) -> Counter[str]:
    return Counter(sample.part for sample in samples)


def test_changed_accessory_is_in_the_list_of_its_board() -> None:
    samples = sample_requests(seed_tables(), changes(accessories=["METER-3PH"]), 5)
    assert {(s.part, s.row, s.role) for s in samples} == {
        ("accessories", ("METER-3PH",), "accessory")
    }
    assert samples[0].request["accessories"] == {
        "enabled": True,
        "items": [{"code": "METER-3PH", "quantity": 1}],
    }
    assert samples[0].request["main"] == {"model": "ABN-54", "af": 50, "poles": "4P"}
    assert [sample.request["form"] for sample in samples[:2]] == ["ECONOMIC", "STANDARD"]
    assert len({repr(sample.request) for sample in samples}) == len(samples)


@pytest.mark.parametrize(
    ("row", "is_tried"),
    [
        (Accessory("NEW", "timer", 650, 1000), True),
        (Accessory("NEW", "timer", 650), False),
        # A lamp is in the door, a duct between rows: boards can have it without outline.
        (Accessory("NEW", "lamp"), True),
        (Accessory("NEW", "wiring_duct"), True),
    ],
)
def test_accessory_that_no_board_can_place_yet_is_no_sample(
    row: Accessory, *, is_tried: bool
) -> None:
    tables = msgspec.structs.replace(seed_tables(), accessories=(row,))
    samples = sample_requests(tables, changes(accessories=["NEW"]), 4)
    assert (parts(samples)["accessories"] > 0) is is_tried
    assert len(samples) == 4


def test_board_of_a_changed_enclosure_is_at_its_place() -> None:
    outdoor = next(row for row in seed_tables().enclosures if row.location == "OUTDOOR")
    (sample,) = sample_requests(seed_tables(), changes(enclosures=[outdoor.model]), 1)
    assert (sample.part, sample.row, sample.role) == ("enclosures", (outdoor.model,), "enclosure")
    assert sample.request["installation"] == {
        "location": "OUTDOOR", "mount": outdoor.mount, "material": outdoor.material,
    }  # fmt: skip


def test_mount_of_an_enclosure_is_asked_for_in_a_word_of_the_rules() -> None:
    seed = seed_tables()
    rules = msgspec.structs.replace(seed.rules, stock_mount={"WALL": "SURFACE", "FLUSH": "FLUSH"})

    def asked_for(mount: Any) -> object:
        row = msgspec.structs.replace(seed.enclosures[0], mount=mount)
        tables = msgspec.structs.replace(seed, rules=rules, enclosures=(row,))
        (sample,) = sample_requests(tables, changes(enclosures=[row.model]), 1)
        return sample.request["installation"]["mount"]  # type: ignore[index]

    assert [asked_for(mount) for mount in ("SURFACE", "FLUSH", "STAND")] == [
        "WALL", "FLUSH", "STAND",
    ]  # fmt: skip


def test_enclosure_into_which_nothing_fits_is_tried_with_a_small_board() -> None:
    seed = seed_tables()
    tiny = msgspec.structs.replace(seed.enclosures[0], model="TINY", width_dmm=1000)
    tables = msgspec.structs.replace(seed, enclosures=(tiny,))
    (sample,) = sample_requests(tables, changes(enclosures=["TINY"]), 1)
    assert sample.request["main"]["model"] == "ABN-54"  # type: ignore[index]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, (1, 0, 0)),
        (2, (1, 1, 0)),
        (3, (1, 1, 1)),
        (10, (6, 2, 2)),
        (100, (89, 6, 5)),
    ],
)
def test_every_changed_part_has_a_share_and_breakers_the_most(
    size: int, expected: tuple[int, int, int]
) -> None:
    wanted = changes(*seed_tables().breakers[:20], accessories=CODES, enclosures=MODELS[:5])
    found = parts(sample_requests(seed_tables(), wanted, size))
    assert tuple(found[part] for part in ("breakers", "accessories", "enclosures")) == expected


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"accessories": CODES, "enclosures": MODELS}, {"accessories": 5, "enclosures": 4}),
        ({"accessories": CODES}, {"accessories": 9}),
        ({"enclosures": MODELS}, {"enclosures": 9}),
        # Other rules concern every board.
        ({"accessories": CODES, "rules": True}, {"breakers": 7, "accessories": 2}),
        ({"rules": True}, {"breakers": 9}),
    ],
)
def test_shares_without_changed_breakers(others: Any, expected: dict[str, int]) -> None:
    found = parts(sample_requests(seed_tables(), changes(**others), 9))
    assert found == expected


def test_without_a_breaker_there_is_no_board() -> None:
    empty: Tables = msgspec.structs.replace(seed_tables(), breakers=())
    assert sample_requests(empty, changes(accessories=CODES, enclosures=MODELS), 9) == []


def test_plain_boards_are_of_one_breaker_each() -> None:
    boards: list[Any] = plain_boards(tables_of(SMALL, MEDIUM, LARGE), 2)
    assert [board["main"]["model"] for board in boards] == ["A-53", "B-103"]
    assert all(board["branches"][0]["model"] == board["main"]["model"] for board in boards)
    assert plain_boards(tables_of(), 2) == []
