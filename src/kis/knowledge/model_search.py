"""Breakers as people type them: the first letters of a model, a piece of it, or its frame.

An index is made once for a version. From then on no question looks at more of the table
than what it is answered with and the steps of some bisections: beside the models, sorted,
it has every ending of every model, sorted, each as one number.
"""

import re
import unicodedata
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from heapq import merge
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import NamedTuple

from kis.knowledge.model import Breaker, BreakerType
from kis.knowledge.pace import GiveWay, go_on, paced
from kis.knowledge.rules import MIXED_BRANDS

Model = tuple[Breaker, ...]
"""Rows of one brand, type, model and frame, by their poles."""

_FRAME = re.compile("([1-9][0-9]{0,4})(?:af?)?")
_HEAD = 2
"""By so many letters endings are put apart before they are sorted: no sort holds others up."""


class ModelQuery(NamedTuple):
    """What is looked for: a text as typed, of which brand and type (None: any), how many."""

    text: str
    brand: str | None
    type: BreakerType | None
    limit: int


class FoundModels(NamedTuple):
    """The first models, and whether there are more."""

    models: tuple[Model, ...]
    has_more: bool


class Kind(NamedTuple):
    """What a brand has of one type: with how many poles."""

    brand: str
    type: BreakerType
    poles: tuple[int, ...]


def folded(text: str) -> str:
    """Return letters and digits alone, in lower case: `ABN-53`, `abn 53`, `ＡＢＮ53` are one."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


class ModelIndex:
    """The models of a version. Never changed after construction."""

    def __init__(self, breakers: Iterable[Breaker], give_way: GiveWay = go_on) -> None:
        """Index `breakers`, which are in key order; `give_way` is called now and then."""
        rows: dict[tuple[str, BreakerType], list[Breaker]] = {}
        for row in breakers:
            rows.setdefault((row.brand, row.type), []).append(row)
        self._parts = {key: _Part(rows.pop(key), give_way) for key in sorted(rows)}
        self.kinds = tuple(Kind(*key, part.poles) for key, part in self._parts.items())

    def find(self, query: ModelQuery) -> FoundModels:
        """Return models that begin with the text, then those of its frame, then those with it."""
        parts = [
            part
            for (brand, kind), part in self._parts.items()
            if query.brand in (None, MIXED_BRANDS, brand) and query.type in (None, kind)
        ]
        text = folded(query.text)
        ways = [[part.beginning_with(text) for part in parts]]
        if frame := _FRAME.fullmatch(text):
            ways.append([part.of_frame(int(frame[1])) for part in parts])
        if text:
            ways.append([part.holding(text) for part in parts])
        rows = chain.from_iterable(merge(*way, key=itemgetter(0)) for way in ways)
        models = (tuple(rows) for _, rows in groupby(_once(rows), key=_model_of))
        first = tuple(islice(models, query.limit + 1))
        return FoundModels(first[: query.limit], len(first) > query.limit)


Way = Iterator[tuple[str, Breaker]]
"""Rows in the order of the texts before them."""


class _Part:
    """The rows of one brand and type, in the order of their models as they are looked for."""

    def __init__(self, rows: list[Breaker], give_way: GiveWay) -> None:
        texts = [folded(row.model) for row in paced(rows, give_way)]
        order = sorted(range(len(rows)), key=texts.__getitem__)
        self._rows = [rows[number] for number in order]
        self._texts = [texts[number] for number in order]
        self._of_frame: defaultdict[int, array[int]] = defaultdict(partial(array, "I"))
        for number, row in enumerate(self._rows):
            self._of_frame[row.frame_size_a].append(number)
        self._longest = 1 + max(map(len, texts))
        self._endings = self._sort_endings(give_way)
        self.poles = tuple(sorted({row.poles for row in rows}))

    def _sort_endings(self, give_way: GiveWay) -> Sequence[int]:
        """Return all endings but whole texts, each as `number of the text * longest + place`."""
        by_head: defaultdict[str, array[int]] = defaultdict(partial(array, "Q"))
        for number, text in enumerate(paced(self._texts, give_way)):
            for place in range(1, len(text)):
                head = text[place : place + _HEAD]
                by_head[head].append(number * self._longest + place)
        endings = array("Q")
        for head in paced(sorted(by_head), give_way):
            endings.extend(sorted(by_head.pop(head), key=self._ending))
        return endings

    def _ending(self, code: int) -> str:
        number, place = divmod(code, self._longest)
        return self._texts[number][place:]

    def beginning_with(self, text: str) -> Way:
        for number in range(bisect_left(self._texts, text), len(self._texts)):
            if not self._texts[number].startswith(text):
                return
            yield self._texts[number], self._rows[number]

    def of_frame(self, frame_size_a: int) -> Way:
        for number in self._of_frame.get(frame_size_a, ()):
            yield self._texts[number], self._rows[number]

    def holding(self, text: str) -> Way:
        """Yield rows with `text` behind their first letter, in the order of what follows it."""
        for at in range(bisect_left(self._endings, text, key=self._ending), len(self._endings)):
            ending = self._ending(self._endings[at])
            if not ending.startswith(text):
                return
            yield ending, self._rows[self._endings[at] // self._longest]


def _once(found: Iterable[tuple[str, Breaker]]) -> Iterator[Breaker]:
    """Yield each row where it comes first."""
    seen = set()
    for _, row in found:
        if row.key not in seen:
            seen.add(row.key)
            yield row


def _model_of(row: Breaker) -> tuple[str, str, str, int]:
    return row.brand, row.type, row.model, row.frame_size_a
