"""Stock where it does and is not too large, else made to order; never less for more."""

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.estimate.enclosure import Choice, Need, Siblings, choose, explain_rejections
from kis.knowledge.model import StockEnclosure
from kis.knowledge.rules import Stock
from kis.knowledge.snapshot import Snapshot

from .boards import enclosure


def down_to(bare: Need) -> Callable[[], Siblings]:
    return lambda: Siblings(bare)


NOTHING = down_to(Need(0, 0, 0))


def by_front(*rows: StockEnclosure) -> tuple[StockEnclosure, ...]:
    return tuple(sorted(rows, key=lambda r: (r.width_dmm * r.height_dmm, r.depth_dmm, r.model)))


def need(width: int, height: int, depth: int, front_m2: float = 0) -> Need:
    """Return a need in millimetres."""
    return Need(width * 10, height * 10, depth * 10, round(front_m2 * 1e8))


def size(choice: Choice) -> tuple[int, int, int]:
    return choice.width_dmm // 10, choice.height_dmm // 10, choice.depth_dmm // 10


@pytest.fixture
def rules(seed_snapshot: Snapshot) -> Stock:
    return seed_snapshot.rules.stock


class TestStock:
    def test_smallest_front_then_depth_then_name(self, rules: Stock) -> None:
        stock = by_front(
            enclosure(600, 600, 200), enclosure(600, 600, 150, "B"), enclosure(600, 600, 150, "A"),
            enclosure(600, 700, 150), enclosure(500, 900, 150), enclosure(400, 600, 150),
        )  # fmt: skip
        chosen = choose(need(500, 600, 150), NOTHING, stock, rules)
        assert chosen.stock is not None
        assert chosen.stock.model == "A"
        assert size(chosen) == (600, 600, 150)

    @pytest.mark.parametrize(
        "wants", [(601, 600, 150), (600, 601, 150), (600, 600, 151)], ids=["W", "H", "D"]
    )
    def test_every_side_must_do(self, wants: tuple[int, int, int], rules: Stock) -> None:
        assert choose(need(*wants), NOTHING, (enclosure(600, 600, 150),), rules).stock is None

    @pytest.mark.parametrize(("height", "is_stock"), [(650, True), (651, False)])
    def test_up_to_thirty_percent_more_front(
        self, height: int, is_stock: bool, rules: Stock
    ) -> None:
        chosen = choose(need(500, 500, 150), NOTHING, (enclosure(500, height, 150),), rules)
        assert (chosen.stock is not None) is is_stock

    def test_least_front_counts_as_a_side(self, rules: Stock) -> None:
        stock = by_front(enclosure(500, 500, 150), enclosure(500, 600, 150))
        assert size(choose(need(500, 500, 150, 0.28), NOTHING, stock, rules)) == (500, 600, 150)


class TestMadeToOrder:
    def test_is_the_need_itself(self, rules: Stock) -> None:
        assert size(choose(need(500, 400, 200), NOTHING, (), rules)) == (500, 400, 200)

    @pytest.mark.parametrize(("wants", "gets"), [(150, 150), (151, 200), (284, 300)])
    def test_depth_in_fifties(self, wants: int, gets: int, rules: Stock) -> None:
        assert size(choose(need(500, 500, wants), NOTHING, (), rules)) == (500, 500, gets)

    def test_not_less_than_the_stock_of_a_smaller_board(self, rules: Stock) -> None:
        """700x1200 is given 800x1200; 700x1300 must not be smaller than that."""
        stock = (enclosure(800, 1200, 250),)
        assert size(choose(need(700, 1200, 250), NOTHING, stock, rules)) == (800, 1200, 250)
        assert size(choose(need(700, 1300, 250), NOTHING, stock, rules)) == (700, 1400, 250)

    def test_unless_no_smaller_board_could_be_given_it(self, rules: Stock) -> None:
        bare = down_to(need(700, 1300, 250))
        stock = (enclosure(800, 1200, 250),)
        assert size(choose(need(700, 1300, 250), bare, stock, rules)) == (700, 1300, 250)

    def test_needs_are_in_hundreds_though_stock_is_not(self, rules: Stock) -> None:
        """550x600 is too large for 500x500, and no board needs 550."""
        stock = (enclosure(550, 600, 150),)
        assert size(choose(need(600, 500, 150), NOTHING, stock, rules)) == (600, 500, 150)

    def test_least_front_makes_it_taller_or_wider(self, rules: Stock) -> None:
        assert size(choose(need(500, 500, 150, 0.30), NOTHING, (), rules)) == (500, 600, 150)
        assert size(choose(need(900, 300, 150, 0.30), NOTHING, (), rules)) == (1000, 300, 150)


sides = st.integers(3, 14).map(lambda n: n * 1000)
stocks = st.lists(
    st.builds(
        enclosure,
        st.integers(6, 28).map(lambda n: n * 50),
        st.integers(6, 28).map(lambda n: n * 50),
        st.sampled_from([150, 200, 250]),
    ),
    max_size=25,
).map(lambda rows: by_front(*rows))
depths = st.sampled_from([1500, 1700, 2000, 2500])
needs = st.builds(Need, sides, sides, depths, st.one_of(st.just(0), st.integers(0, 10**8)))


@settings(max_examples=250, deadline=None)
@given(stock=stocks, small=needs, more=needs)
def test_larger_need_never_gets_less_front(
    seed_snapshot: Snapshot, stock: tuple[StockEnclosure, ...], small: Need, more: Need
) -> None:
    rules = seed_snapshot.rules.stock
    sides = Need.__struct_fields__
    large = Need(*(max(getattr(small, side), getattr(more, side)) for side in sides))
    bare = down_to(Need(3000, 3000, 1500))
    before, after = choose(small, bare, stock, rules), choose(large, bare, stock, rules)
    assert after.front >= before.front


@settings(max_examples=250, deadline=None)
@given(stock=stocks, wanted=needs)
def test_choice_covers_the_need(
    seed_snapshot: Snapshot, stock: tuple[StockEnclosure, ...], wanted: Need
) -> None:
    rules = seed_snapshot.rules.stock
    chosen = choose(wanted, NOTHING, stock, rules)
    assert chosen.width_dmm >= wanted.width_dmm
    assert chosen.height_dmm >= wanted.height_dmm
    assert chosen.depth_dmm >= wanted.depth_dmm
    assert chosen.front >= wanted.front
    if chosen.stock is not None:
        assert chosen.stock in stock
        assert chosen.front * 100 <= wanted.needed_front * 130
    else:
        assert chosen.depth_dmm % rules.made_to_order_depth_step_dmm == 0


def reasons(
    wanted: Need, chosen: Choice, stock: Sequence[StockEnclosure], rules: Stock
) -> dict[str, str]:
    return {r.model: r.reason for r in explain_rejections(wanted, chosen, stock, rules)}


class TestRejections:
    def test_smaller_stock_is_short_of_something(self, rules: Stock) -> None:
        stock = by_front(
            enclosure(400, 500, 150), enclosure(500, 500, 150), enclosure(600, 500, 150),
            enclosure(500, 700, 150), enclosure(500, 700, 200), enclosure(900, 900, 400),
        )  # fmt: skip
        wanted = need(500, 700, 180)
        chosen = choose(wanted, NOTHING, stock, rules)
        assert reasons(wanted, chosen, stock, rules) == {
            "E400x500x150": "W 400 < 500, H 500 < 700, D 150 < 180",
            "E500x500x150": "H 500 < 700, D 150 < 180",
            "E600x500x150": "H 500 < 700, D 150 < 180",
            "E500x700x150": "D 150 < 180",
        }

    def test_made_to_order_says_what_was_too_large(self, rules: Stock) -> None:
        stock = by_front(
            enclosure(400, 400, 200), enclosure(500, 600, 200), enclosure(900, 900, 200)
        )
        wanted = need(500, 400, 200)
        chosen = choose(wanted, NOTHING, stock, rules)
        assert reasons(wanted, chosen, stock, rules) == {
            "E400x400x200": "W 400 < 500",
            "E500x600x200": "앞면 front 0.30 > 1.3 × 0.20 m²",
        }

    def test_too_little_front(self, rules: Stock) -> None:
        stock = by_front(enclosure(500, 500, 150), enclosure(500, 600, 150))
        wanted = need(500, 500, 150, 0.28)
        chosen = choose(wanted, NOTHING, stock, rules)
        assert reasons(wanted, chosen, stock, rules) == {
            "E500x500x150": "앞면 front 0.25 < 0.28 m²"
        }

    def test_nothing_is_smaller_than_the_smallest(self, rules: Stock) -> None:
        stock = by_front(enclosure(500, 500, 150), enclosure(500, 600, 150))
        chosen = choose(need(500, 500, 150), NOTHING, stock, rules)
        assert explain_rejections(need(500, 500, 150), chosen, stock, rules) == ()

    @settings(max_examples=100, deadline=None)
    @given(stock=stocks, wanted=needs)
    def test_every_smaller_one_is_listed_with_a_reason(
        self, seed_snapshot: Snapshot, stock: tuple[StockEnclosure, ...], wanted: Need
    ) -> None:
        rules = seed_snapshot.rules.stock
        named = tuple(
            msgspec.structs.replace(row, model=f"S{index}") for index, row in enumerate(stock)
        )
        chosen = choose(wanted, NOTHING, named, rules)
        found = reasons(wanted, chosen, named, rules)
        smaller = {
            row.model
            for row in named
            if (row.width_dmm * row.height_dmm, row.depth_dmm) < (chosen.front, chosen.depth_dmm)
        }
        assert smaller <= set(found)
        assert len(set(found) - smaller) <= (chosen.stock is None)
        assert "" not in found.values()
