"""Which parts of the journal are still needed: enough for each moment of the last days."""

from collections.abc import Sequence
from typing import NamedTuple


class BaseAt(NamedTuple):
    """A copy of the database: good for moments from `good_from_ns`, with files from `file` on."""

    name: str
    good_from_ns: int
    file: int


class Kept(NamedTuple):
    """What is there of one chain. Files by number; `last_ns`: when it was written to last."""

    name: str
    is_current: bool
    last_ns: int
    bases: Sequence[BaseAt]
    files: Sequence[int]


class Expired(NamedTuple):
    """What may go of one chain: all of it, or some bases (by name) and files (by number)."""

    chain: str
    is_whole: bool
    bases: tuple[str, ...] = ()
    files: tuple[int, ...] = ()


def expired(chains: Sequence[Kept], horizon_ns: int) -> list[Expired]:
    """Return what no moment from `horizon_ns` on needs. The current chain always stays."""
    found = []
    for chain in chains:
        if not chain.is_current and (chain.last_ns < horizon_ns or not chain.bases):
            found.append(Expired(chain.name, is_whole=True))
            continue
        older = [base for base in chain.bases if base.good_from_ns <= horizon_ns]
        if older:
            first = max(older, key=lambda base: base.good_from_ns)
            bases = tuple(base.name for base in older if base is not first)
            files = tuple(number for number in chain.files if number < first.file)
            if bases or files:
                found.append(Expired(chain.name, False, bases, files))
    return found
