"""What an import brings: the parts that were given, checked row by row."""

import msgspec

from kis.knowledge.model import Accessory, Breaker, StockEnclosure
from kis.knowledge.rules import RuleSet


class Upload(msgspec.Struct, frozen=True):
    """The parts of an import, rows in key order. None: not part of the import."""

    breakers: tuple[Breaker, ...] | None = None
    enclosures: tuple[StockEnclosure, ...] | None = None
    accessories: tuple[Accessory, ...] | None = None
    rules: RuleSet | None = None
