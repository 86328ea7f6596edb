"""Breaker rows from their nine cells, whatever format the cells came in."""

import sys
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from kis.errors import Text
from kis.knowledge.breaker_meta import Meta, read_meta, read_meta_text, without_series
from kis.knowledge.cells import (
    Memo,
    SizeRange,
    choice,
    read_frame,
    read_frame_text,
    read_name,
    read_poles,
    read_repeated_name,
    size_reader,
    size_text_reader,
)
from kis.knowledge.model import Breaker, BreakerKey
from kis.knowledge.problems import CellError, Place, Problems, Reason

COLUMNS = (
    "brand", "series", "model", "af", "poles", "width_mm", "height_mm", "depth_mm", "meta",
)  # fmt: skip
BODY_SIZE = SizeRange(1, 1_000)

_ONE_ROW = Text("brand, model, poles가 같은 행은 하나만", "one row for each brand, model and poles")

PlaceOf = Callable[[int, str | None], Place]
"""Row number and column to a place; column None means the whole row."""


class Readers(NamedTuple):
    """One converter for each column; each raises `CellError`."""

    brand: Callable[..., str]
    series: Callable[..., str]
    model: Callable[..., str]
    af: Callable[..., int]
    poles: Callable[..., int]
    width_mm: Callable[..., int]
    height_mm: Callable[..., int]
    depth_mm: Callable[..., int]
    meta: Callable[..., Meta]


def text_readers(brands: Collection[str] | None) -> Readers:
    """Return the converters of CSV cells. `brands` None means any brand."""
    size = Memo(size_text_reader(BODY_SIZE)).__getitem__
    return Readers(
        brand=Memo(_brand_reader(brands)).__getitem__,
        series=Memo(read_repeated_name).__getitem__,
        model=read_name,
        af=Memo(read_frame_text).__getitem__,
        poles=Memo(read_poles).__getitem__,
        width_mm=size,
        height_mm=size,
        depth_mm=size,
        meta=Memo(read_meta_text).__getitem__,
    )


def value_readers(brands: Collection[str] | None) -> Readers:
    """Return the converters of JSON values. `brands` None means any brand."""
    size = size_reader(BODY_SIZE)
    return Readers(
        brand=_brand_reader(brands),
        series=read_repeated_name,
        model=read_name,
        af=read_frame,
        poles=read_poles,
        width_mm=size,
        height_mm=size,
        depth_mm=size,
        meta=read_meta,
    )


class BreakerRows:
    """Collects the rows of one upload; what is wrong goes to its `Problems`."""

    def __init__(self, readers: Readers, place_of: PlaceOf, problems: Problems) -> None:
        """Convert by `readers`; name places by `place_of`."""
        self._readers = readers
        self._place_of = place_of
        self._problems = problems
        self._rows: list[Breaker] = []
        self._first_number: dict[BreakerKey, int] = {}
        self._currents: dict[tuple[int, ...], tuple[int, ...]] = {}

    def add(self, number: int, cells: Sequence[object]) -> None:
        """Convert the cells, in `COLUMNS` order, of the row with that number."""
        try:
            row = self._convert(cells)
        except CellError:
            self._report(number, cells)
            return
        self._rows.append(row)
        self._check_once(number, row.key)

    def rows(self) -> tuple[Breaker, ...]:
        """Return what could be converted, in key order."""
        return tuple(sorted(self._rows, key=_key))

    def _convert(self, cells: Sequence[object]) -> Breaker:
        brand, series, model, af, poles, width, height, depth, meta_cell = cells
        readers = self._readers
        meta = readers.meta(meta_cell)
        series_name = readers.series(series)
        currents = meta.rated_currents_a
        return Breaker(
            brand=readers.brand(brand),
            model=readers.model(model),
            poles=readers.poles(poles),
            frame_size_a=readers.af(af),
            type=meta.type,
            width_dmm=readers.width_mm(width),
            height_dmm=readers.height_mm(height),
            depth_dmm=readers.depth_mm(depth),
            series=series_name,
            grade=meta.grade,
            rated_currents_a=self._currents.setdefault(currents, currents),
            breaking_capacity_ka=meta.breaking_capacity_ka,
            breaking_capacity_basis=meta.breaking_capacity_basis,
            confidence=meta.confidence,
            warning=meta.warning,
            extra=meta.extra and without_series(meta.extra, series_name),
        )

    def _report(self, number: int, cells: Sequence[object]) -> None:
        """Convert column by column, so that every problem of the row is told."""
        read: dict[str, object] = {}
        for column, convert, cell in zip(COLUMNS, self._readers, cells, strict=True):
            try:
                read[column] = convert(cell)
            except CellError as error:
                self._problems.add(self._place_of(number, column), *error.reasons)
        match read:
            case {"brand": str(brand), "model": str(model), "poles": int(poles)}:
                self._check_once(number, (brand, model, poles))

    def _check_once(self, number: int, key: BreakerKey) -> None:
        first = self._first_number.setdefault(key, number)
        if first == number:
            return
        brand, model, poles = key
        name = f"{brand} {model} {poles}P"
        places = [self._place_of(each, None) for each in (first, number)]
        ko = ", ".join(f"{place.line}행" if place.line else place.path for place in places)
        en = " and ".join(place.path for place in places)
        message = Text(
            f"'{name}' 행이 두 번 있습니다: {ko}.",
            f"'{name}' is given twice: {en}.",
        )
        place = self._place_of(number, "model")
        self._problems.add(place, Reason(name, message, _ONE_ROW))


def _brand_reader(brands: Collection[str] | None) -> Callable[[object], str]:
    if brands is None:
        return read_repeated_name
    known = {sys.intern(brand): sys.intern(brand) for brand in brands}

    def read(value: object) -> str:
        return choice(value, known)

    return read


def _key(row: Breaker) -> BreakerKey:
    return row.key
