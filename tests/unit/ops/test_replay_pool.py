"""Sizing here and in worker processes gives the same; what cannot be decoded is told."""

import pytest

from kis.estimate.verdict import judge_all
from kis.knowledge.content import ContentError, Document, encode_tables
from kis.ops.replay_pool import Versions, size_here, sizing
from tests.unit.estimate.stored import bare
from tests.unit.ops.stored import SHIPPED, lights, wider

REQUESTS = [bare(SHIPPED, **lights(count)) for count in (1, 6, 30)] + [b"{"]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("has_before", [True, False])
def test_same_wherever_it_is_sized(workers: int, has_before: bool) -> None:
    after, before = encode_tables(wider(SHIPPED.tables)), encode_tables(SHIPPED.tables)
    with sizing(Versions(after, before if has_before else None), workers) as sizer:
        judged = [sizer(REQUESTS), sizer([]), sizer(REQUESTS[:1])]
        found = [each() for each in judged]
    assert [len(each) for each in found] == [4, 0, 1]
    snapshot = type(SHIPPED)(wider(SHIPPED.tables), label="after")
    assert found[0] == judge_all(REQUESTS, snapshot, SHIPPED if has_before else None)


def test_here() -> None:
    assert size_here(SHIPPED)(REQUESTS)() == judge_all(REQUESTS, SHIPPED)


def test_damaged_version() -> None:
    documents = encode_tables(SHIPPED.tables)
    damaged = type(documents)(
        Document(b"x", documents.breakers.digest), documents.enclosures,
        documents.accessories, documents.rules,
    )  # fmt: skip
    with pytest.raises(ContentError), sizing(Versions(damaged, None), 1):
        pass
