"""A version laid on its base and tried out with sample boards. Pure."""

from typing import NamedTuple

import msgspec

from kis.errors import DomainError
from kis.knowledge.content import Documents, encode_tables
from kis.knowledge.diff import Counts, compare, find_changed
from kis.knowledge.model import Part, RowKey
from kis.knowledge.progress import Progress, Tell, each_told, untold
from kis.knowledge.regression import Resize
from kis.knowledge.sampling import Role, SampleRequest, sample_requests
from kis.knowledge.snapshot import Snapshot, Tables
from kis.knowledge.stock_validation import check_stock
from kis.knowledge.validation import Remark, check_neighbours
from kis.units import Size


class Sample(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One sample estimate: the row of `part` that it was built around, and how it went.

    `row` names a breaker by brand, model and poles, an accessory by its code, an
    enclosure by its model.
    """

    part: Part
    row: RowKey
    role: Role
    succeeded: bool
    enclosure: Size | None = None
    code: str = ""
    path: str = ""
    message_ko: str = ""
    message_en: str = ""


class Trial(NamedTuple):
    """What came of it. `counts` compare with the base."""

    tables: Tables
    documents: Documents
    counts: Counts
    samples: tuple[Sample, ...]
    remarks: tuple[Remark, ...]


def try_out(
    base: Tables, tables: Tables, sample_size: int, resize: Resize, label: str, tell: Tell = untold
) -> Trial:
    """Return how `sample_size` boards with what `tables` has otherwise than `base` do."""
    tell(Progress("load"))
    changed = find_changed(base, tables)
    # One after the other, so that the parts' workings are not in memory together.
    snapshot = Snapshot(tables, label=label)
    requests = sample_requests(tables, changed, sample_size)
    samples = tuple(
        _try_one(request, snapshot, resize)
        for request in each_told(requests, "samples", len(requests), tell)
    )
    del snapshot
    tell(Progress("compare"))
    remarks = (
        *check_neighbours(tables, changed.breakers),
        *check_stock(base, tables, changed),
    )
    counts = compare(base, tables, limit=0).total
    return Trial(tables, encode_tables(tables), counts, samples, remarks)


def _try_one(sample: SampleRequest, snapshot: Snapshot, resize: Resize) -> Sample:
    try:
        size = resize(sample.request, snapshot)
    except DomainError as refusal:
        main = refusal.main
        return Sample(
            sample.part, sample.row, sample.role, succeeded=False, code=main.code,
            path=main.path, message_ko=main.message.ko, message_en=main.message.en,
        )  # fmt: skip
    return Sample(sample.part, sample.row, sample.role, succeeded=True, enclosure=size)
