"""The rows and rules that an estimate is made from. Immutable, no IO.

Lengths are in tenths of a millimetre (`dmm`), currents in ampere (`_a`).
The structs are garbage-collector-free: they hold no cycles, and a snapshot of
100,000 of them must not cost a pause.
"""

from typing import Literal

import msgspec

BreakerType = Literal["MCCB", "ELCB", "MCB", "RCBO"]
Grade = Literal["economy", "standard", "compact", "din", "premium"]
Confidence = Literal["high", "medium", "low"]
Location = Literal["INDOOR", "OUTDOOR"]
StockMount = Literal["SURFACE", "FLUSH", "STAND"]
Material = Literal["STEEL", "SUS"]

BreakerKey = tuple[str, str, int]
Part = Literal["breakers", "accessories", "enclosures"]
RowKey = tuple[str | int, ...]
"""What names a row in its part: brand, model and poles of a breaker, the code of an
accessory, the model of an enclosure. Empty: the part as a whole."""


class Breaker(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """One breaker body. Identified by brand, model and poles."""

    brand: str
    model: str
    poles: int
    frame_size_a: int
    type: BreakerType
    width_dmm: int
    height_dmm: int
    depth_dmm: int
    series: str = ""
    grade: Grade | None = None
    rated_currents_a: tuple[int, ...] = ()
    breaking_capacity_ka: int | float | None = None
    breaking_capacity_basis: str = ""
    confidence: Confidence | None = None
    warning: str = ""
    extra: dict[str, object] | None = None
    """Meta that KIS keeps but does not read."""

    @property
    def key(self) -> BreakerKey:
        """What a later row with the same key replaces."""
        return (self.brand, self.model, self.poles)


class StockEnclosure(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """A size that a maker sells. Outside dimensions. Identified by its model."""

    model: str
    series: str
    material: Material
    location: Location
    mount: StockMount
    width_dmm: int
    height_dmm: int
    depth_dmm: int
    grade: str = ""
    thickness_dmm: int | None = None


class Accessory(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """Outline of an accessory. A dimension that nobody knows is None."""

    code: str
    kind: str
    width_dmm: int | None = None
    height_dmm: int | None = None
    depth_dmm: int | None = None
