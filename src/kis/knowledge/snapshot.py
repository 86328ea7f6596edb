"""An immutable view of one knowledge version, indexed for the engine."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from kis.knowledge.model import Accessory, Breaker, BreakerType, StockEnclosure
from kis.knowledge.pace import GiveWay, go_on, paced
from kis.knowledge.rules import RuleSet


class Tables(msgspec.Struct, frozen=True):
    """The content of a version: rows in key order, and the rules."""

    breakers: tuple[Breaker, ...]
    enclosures: tuple[StockEnclosure, ...]
    accessories: tuple[Accessory, ...]
    rules: RuleSet


class Snapshot:
    """A version in memory. Never changed after construction; swap it whole.

    `digest` is the content digest of the version (hex SHA-256), `version_id`
    its row id; both are empty where a snapshot is built from evidence. `memory`
    is for `kis.knowledge.memory` alone.
    """

    __slots__ = (
        "_accessories", "_by_frame", "_by_model", "_stock", "brand_tables",
        "digest", "label", "memory", "rules", "tables", "tallest_stock_dmm", "version_id",
    )  # fmt: skip

    def __init__(
        self,
        tables: Tables,
        *,
        label: str,
        digest: str = "",
        version_id: int = 0,
        give_way: GiveWay = go_on,
    ) -> None:
        """Index `tables`; O(rows), `give_way` is called now and then."""
        self.tables = tables
        self.label = label
        self.digest = digest
        self.version_id = version_id
        self.rules = tables.rules
        self.memory: dict[Callable[..., object], Any] = {}
        # Nearly every model has one row, which stands for itself: a tuple each is 80 bytes.
        self._by_model: dict[str, Breaker | tuple[Breaker, ...]] = {}
        self._by_frame: dict[tuple[str, int, int], list[Breaker]] = {}
        self.brand_tables: Counter[str] = Counter()
        for row in paced(tables.breakers, give_way):
            self.brand_tables[row.brand] += 1
            others = self.breakers_by_model(row.model)
            self._by_model[row.model] = (*others, row) if others else row
            self._by_frame.setdefault((row.brand, row.frame_size_a, row.poles), []).append(row)
        self.tallest_stock_dmm = max((row.height_dmm for row in tables.enclosures), default=0)
        self._accessories = {row.code: row for row in tables.accessories}
        self._stock: dict[tuple[str, str, str], tuple[StockEnclosure, ...]] = _by_place(
            tables.enclosures
        )

    def breakers_by_model(self, model: str) -> tuple[Breaker, ...]:
        """Every row of that model: all brands, all poles."""
        found = self._by_model.get(model, ())
        return found if isinstance(found, tuple) else (found,)

    def breakers_by_frame(
        self, brand: str, frame_size_a: int, poles: int, kind: BreakerType
    ) -> list[Breaker]:
        """Rows of that brand, frame, poles and kind, in key order."""
        rows = self._by_frame.get((brand, frame_size_a, poles), [])
        return [row for row in rows if row.type == kind]

    def accessory(self, code: str) -> Accessory | None:
        """The accessory of that code; None when nobody knows it."""
        return self._accessories.get(code)

    def stock(self, location: str, mount: str, material: str) -> tuple[StockEnclosure, ...]:
        """Stock enclosures of that place, by front area, depth, then model."""
        return self._stock.get((location, mount, material), ())


def _by_place(
    enclosures: Iterable[StockEnclosure],
) -> dict[tuple[str, str, str], tuple[StockEnclosure, ...]]:
    places: dict[tuple[str, str, str], list[StockEnclosure]] = {}
    for row in enclosures:
        places.setdefault((row.location, row.mount, row.material), []).append(row)
    return {
        place: tuple(sorted(rows, key=lambda r: (r.width_dmm * r.height_dmm, r.depth_dmm, r.model)))
        for place, rows in places.items()
    }
