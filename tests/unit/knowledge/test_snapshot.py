"""An immutable view of a version, indexed for the engine."""

from itertools import pairwise

import msgspec
import pytest

from kis.knowledge.model import StockEnclosure
from kis.knowledge.snapshot import Snapshot, Tables

from .rows import breaker, seed_tables, tables_of


@pytest.fixture
def seed() -> Snapshot:
    return Snapshot(seed_tables(), label="seed", digest="d1", version_id=7)


def stock(model: str, width: int, height: int, depth: int) -> StockEnclosure:
    return StockEnclosure(model, "E", "STEEL", "INDOOR", "SURFACE", width, height, depth)


def enclosed(*rows: StockEnclosure) -> Snapshot:
    return Snapshot(msgspec.structs.replace(seed_tables(), enclosures=rows), label="stock")


def test_identity(seed: Snapshot) -> None:
    assert (seed.label, seed.digest, seed.version_id) == ("seed", "d1", 7)
    assert seed.rules is seed.tables.rules


def test_brand_tables_are_counted(seed: Snapshot) -> None:
    assert dict(seed.brand_tables) == {"LS": 73, "SANGDO": 35}
    assert seed.brand_tables.total() == len(seed.tables.breakers) == 108


class TestBreakers:
    def test_model_has_the_rows_of_all_brands_and_poles(self) -> None:
        rows = (breaker("X", 3), breaker("X", 4), breaker("X", 3, brand="SANGDO"), breaker("Y", 3))
        snapshot = Snapshot(tables_of(*rows), label="new")
        assert {row.key for row in snapshot.breakers_by_model("X")} == {
            ("LS", "X", 3), ("LS", "X", 4), ("SANGDO", "X", 3),
        }  # fmt: skip

    def test_unknown_model_has_none(self, seed: Snapshot) -> None:
        assert seed.breakers_by_model("METASOL-600") == ()

    def test_model_is_matched_whole(self, seed: Snapshot) -> None:
        assert [row.model for row in seed.breakers_by_model("SIE-32")] == ["SIE-32"]

    def test_frame_is_of_brand_poles_and_kind(self, seed: Snapshot) -> None:
        rows = seed.breakers_by_frame("LS", 50, 3, "ELCB")
        assert [row.model for row in rows] == ["EBN-53", "EBS-53", "EBS53FB"]

    @pytest.mark.parametrize(
        ("brand", "frame", "poles", "kind"),
        [("LS", 225, 3, "MCCB"), ("LS", 50, 1, "MCCB"), ("LS", 50, 3, "MCB"),
         ("ABB", 50, 3, "MCCB")],
    )  # fmt: skip
    def test_next_frame_is_never_assumed(
        self, brand: str, frame: int, poles: int, kind: str, seed: Snapshot
    ) -> None:
        assert seed.breakers_by_frame(brand, frame, poles, kind) == []  # type: ignore[arg-type]


def test_accessory(seed: Snapshot) -> None:
    row = seed.accessory("SPD-VAL-MS-2P")
    assert row is not None
    assert (row.kind, row.width_dmm, row.depth_dmm) == ("spd", 356, 657)
    assert seed.accessory("spd-val-ms-2p") is None


class TestStock:
    def test_place_by_place(self, seed: Snapshot) -> None:
        places = {
            (row.location, row.mount, row.material): seed.stock(
                row.location, row.mount, row.material
            )
            for row in seed.tables.enclosures
        }
        assert sum(map(len, places.values())) == len(seed.tables.enclosures) == 163
        for (location, mount, material), rows in places.items():
            assert {(r.location, r.mount, r.material) for r in rows} == {
                (location, mount, material)
            }

    def test_smallest_front_then_depth_then_model(self) -> None:
        snapshot = enclosed(
            stock("D", 6000, 6000, 1500), stock("C", 5000, 6000, 2000),
            stock("B", 5000, 6000, 1500), stock("A", 6000, 5000, 1500),
        )  # fmt: skip
        models = [row.model for row in snapshot.stock("INDOOR", "SURFACE", "STEEL")]
        assert models == ["A", "B", "C", "D"]

    def test_shipped_stock_is_sorted(self, seed: Snapshot) -> None:
        rows = seed.stock("INDOOR", "SURFACE", "STEEL")
        fronts = [(row.width_dmm * row.height_dmm, row.depth_dmm) for row in rows]
        assert all(before <= after for before, after in pairwise(fronts))
        assert len(rows) == 63

    def test_place_without_stock(self, seed: Snapshot) -> None:
        assert seed.stock("INDOOR", "STAND", "STEEL") == ()

    def test_tallest_of_all_places(self, seed: Snapshot) -> None:
        assert seed.tallest_stock_dmm == 22_000
        assert enclosed().tallest_stock_dmm == 0


def test_order_of_rows_does_not_matter() -> None:
    tables = seed_tables()
    turned = Snapshot(
        Tables(
            tables.breakers, tables.enclosures[::-1], tables.accessories[::-1], tables.rules
        ),
        label="turned",
    )  # fmt: skip
    seed = Snapshot(tables, label="seed")
    for row in tables.enclosures:
        place = (row.location, row.mount, row.material)
        assert turned.stock(*place) == seed.stock(*place)
    assert turned.accessory("METER-3PH") == seed.accessory("METER-3PH")


def test_nothing_can_be_added_to_a_snapshot(seed: Snapshot) -> None:
    with pytest.raises(AttributeError):
        seed.note = "x"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        seed.tables.breakers = ()  # type: ignore[misc]
