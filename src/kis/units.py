"""Lengths: whole tenths of a millimetre inside, millimetres for people.

Breaker bodies are catalogued to 0.1 mm (17.8 mm for one DIN pole), so a sum of
them is exact only in integers. `dmm` in a name means tenths of a millimetre.
"""

from decimal import Decimal
from functools import lru_cache

import msgspec

DMM_PER_MM = 10


class Size(msgspec.Struct, frozen=True):
    """Outside dimensions W x H x D in mm, whole where whole."""

    W: int | float
    H: int | float
    D: int | float


# An estimate converts some 400 lengths, mostly the same ones: remembering them
# saves a tenth of its time.
@lru_cache(maxsize=8_192)
def to_mm(dmm: int) -> int | float:
    """Return `dmm` in millimetres: an int where whole, else one decimal.

    Whole numbers stay ints so that JSON encoders and RFC 8785 agree on them.
    """
    whole, tenths = divmod(dmm, DMM_PER_MM)
    return whole if tenths == 0 else dmm / DMM_PER_MM


def from_mm(mm: int | float | Decimal) -> int:
    """Return `mm` in whole tenths of a millimetre.

    Raises:
        ValueError: `mm` is finer than 0.1 mm, or not finite.

    """
    scaled = Decimal(str(mm)) * DMM_PER_MM
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        message = f"{mm} mm is not a whole number of tenths of a millimetre"
        raise ValueError(message)
    return int(scaled)


def round_up(dmm: int, step_dmm: int) -> int:
    """Return the least multiple of `step_dmm` that is not below `dmm`."""
    return -(-dmm // step_dmm) * step_dmm
