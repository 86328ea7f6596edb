"""The rows of a table that hold some words: what people type to find a breaker. Pure."""

from array import array
from collections.abc import Iterable, Sequence

from kis.knowledge.model import Accessory, Breaker, StockEnclosure
from kis.knowledge.pace import GiveWay, go_on, paced
from kis.units import to_mm

Row = Breaker | StockEnclosure | Accessory


def find_rows(rows: Iterable[Row], text: str, give_way: GiveWay = go_on) -> Sequence[int]:
    """Return the places of the rows that hold every word of `text`, in any letter case."""
    words = text.casefold().split()
    found = array("L")
    for place, row in enumerate(paced(rows, give_way)):
        line = line_of(row).casefold()
        if all(word in line for word in words):
            found.append(place)
    return found


def line_of(row: Row) -> str:
    """Return a row as it is searched in: `LS METASOL ABN-53 50AF 3P MCCB 75×130×60`."""
    match row:
        case Breaker():
            return (
                f"{row.brand} {row.series} {row.model} {row.frame_size_a}AF {row.poles}P"
                f" {row.type} {row.grade or ''} {_sides(row)}"
            )
        case StockEnclosure():
            return (
                f"{row.model} {row.series} {row.material} {row.location} {row.mount}"
                f" {row.grade} {_sides(row)}"
            )
        case Accessory():
            return f"{row.code} {row.kind} {_sides(row)}"


def _sides(row: Row) -> str:
    sides = (row.width_dmm, row.height_dmm, row.depth_dmm)
    return "×".join("" if side is None else str(to_mm(side)) for side in sides)
