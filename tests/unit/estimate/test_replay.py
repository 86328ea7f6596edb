"""Counting what a replay finds: the same whatever the pages, and wherever it was interrupted."""

import msgspec
import pytest

from kis.estimate.causes import Cause
from kis.estimate.replay import MAX_CASES, Counter, StoredSize, Tally, is_same
from kis.estimate.verdict import Judgement, Verdict

CAUSE = Cause("breakers", "changed", ("LS", "X", 3))
STOCK = Verdict((500, 600, 150), "HB506015")
LARGER = Verdict((600, 600, 150), "HB606015")
MADE = Verdict((500.5, 600, 200))
REFUSED = Verdict(None, None, "NEED_KNOWLEDGE_UPDATE", "$.main.model", "모름", "unknown")


def row(number: int) -> StoredSize:
    return StoredSize(f"e{number:06}", 500.0, 600.0, 150.0, "HB506015", "v1", b"{}")


def explain(_: StoredSize, __: Verdict, after: Verdict) -> tuple[Cause, ...]:
    return (CAUSE,) if after != MADE else ()


def count(afters: list[Verdict], *, page: int = 10_000, before: Verdict | None = None) -> Tally:
    """Count estimates page by page; between pages the tally is stored and gone on with."""
    tally = Tally()
    for at in range(0, len(afters), page):
        tally = msgspec.json.decode(msgspec.json.encode(tally), type=Tally)
        counter = Counter(tally, explain)
        some = afters[at : at + page]
        rows = [row(at + number) for number in range(len(some))]
        counter.add(rows, [Judgement(after, before) for after in some])
        counter.settle()
    return tally


def test_as_answered() -> None:
    tally = count([STOCK, Verdict((500, 600, 150), "another of this size")])
    assert (tally.total, tally.passed, tally.changed, tally.failed) == (2, 2, 0, 0)
    assert (tally.causes, tally.changed_cases) == ([], [])


def test_changes_are_measured() -> None:
    tally = count([LARGER, MADE, STOCK])
    assert (tally.passed, tally.changed) == (1, 2)
    width, depth = tally.figures["width"], tally.figures["depth"]
    assert (width.grown, width.shrunk, width.change) == (2, 0, 1005)
    assert (width.most_grown, width.most_shrunk) == (1000, 0)
    assert (depth.grown, depth.change) == (1, 500)
    assert tally.figures["height"].grown == 0
    assert (tally.front_before, tally.front_after) == (60_000_000, 36_000_000 + 30_030_000)
    assert (tally.to_made, tally.to_stock) == (1, 0)


def test_made_to_order_instead_of_stock_of_the_same_size_is_a_change() -> None:
    tally = count([Verdict((500, 600, 150))])
    assert (tally.changed, tally.to_made) == (1, 1)
    assert not is_same(STOCK, Verdict((500, 600, 150)))


def test_failures_by_code() -> None:
    tally = count([REFUSED, STOCK, REFUSED])
    assert (tally.failed, tally.changed) == (2, 0)
    refusals = tally.refusals["NEED_KNOWLEDGE_UPDATE"]
    assert (refusals.count, refusals.first) == (2, "e000000")
    assert [case.id for case in tally.failed_cases] == ["e000000", "e000002"]


def test_causes_are_counted() -> None:
    tally = count([LARGER, REFUSED, MADE, LARGER])
    (cause,) = tally.causes
    assert (cause.cause, cause.changed, cause.failed) == (CAUSE, 2, 1)


def test_compared_with_another_version_instead_of_the_answer() -> None:
    tally = count([LARGER, STOCK, REFUSED], before=LARGER)
    assert (tally.passed, tally.changed, tally.failed) == (1, 1, 1)
    assert tally.figures["width"].shrunk == 1


def test_what_that_version_refuses() -> None:
    tally = count([LARGER, REFUSED], before=REFUSED)
    assert (tally.changed, tally.failed) == (1, 1)
    assert tally.figures["width"].grown == 0


def test_worst_cases_are_kept_and_of_equal_ones_the_first() -> None:
    afters = [LARGER] * (MAX_CASES + 50) + [Verdict((900, 900, 150))] + [LARGER] * 50
    tally = count(afters)
    assert tally.changed == len(afters)
    assert len(tally.changed_cases) == MAX_CASES
    assert tally.changed_cases[0].id == f"e{MAX_CASES + 50:06}"
    assert [case.id for case in tally.changed_cases[1:4]] == ["e000000", "e000001", "e000002"]


def test_first_failed_cases_are_kept() -> None:
    tally = count([REFUSED] * (MAX_CASES + 5))
    assert tally.failed == MAX_CASES + 5
    assert [case.id for case in tally.failed_cases] == [row(n).id for n in range(MAX_CASES)]


@pytest.mark.parametrize("page", [1, 7, 100])
@pytest.mark.parametrize("most", [1, 20_000])
def test_interrupted_anywhere_gives_the_same(
    monkeypatch: pytest.MonkeyPatch, page: int, most: int
) -> None:
    monkeypatch.setattr("kis.estimate.replay.MAX_EFFECTS", most)
    kinds = (STOCK, LARGER, MADE, REFUSED, Verdict((400, 600, 150)))
    afters = [kinds[number * number % 5] for number in range(60)]
    afters += [Verdict((500 + n, 600, 150)) for n in range(MAX_CASES + 10)]
    assert count(afters, page=page) == count(afters)
