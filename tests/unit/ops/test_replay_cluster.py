"""Sizing on a real Dask cluster of this machine gives what sizing here gives."""

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor

import msgspec
import pytest
from distributed import LocalCluster

from kis.estimate.verdict import judge_all
from kis.knowledge.content import ContentError, Document, encode_tables
from kis.ops import replay_cluster
from kis.ops.replay_cluster import LOCAL, ClusterUnusable, local_cluster, sizing_on
from kis.ops.replay_pool import Versions
from tests.unit.estimate.stored import bare
from tests.unit.ops.stored import SHIPPED, lights, wider

REQUESTS = [bare(SHIPPED, **lights(count)) for count in (1, 6, 30)] + [b"{"]
DOCUMENTS = encode_tables(SHIPPED.tables)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with local_cluster(2) as running:
        yield running


@pytest.mark.parametrize("has_before", [True, False])
def test_same_wherever_it_is_sized(cluster: LocalCluster, has_before: bool) -> None:
    versions = Versions(encode_tables(wider(SHIPPED.tables)), DOCUMENTS if has_before else None)
    with sizing_on(cluster.scheduler_address, versions, 0) as sizer:
        judged = [sizer(REQUESTS), sizer([]), *(sizer(REQUESTS[:1]) for _ in range(20))]
        found = [each() for each in judged]
    assert [len(each) for each in found] == [4, 0, *[1] * 20]
    snapshot = type(SHIPPED)(wider(SHIPPED.tables), label="after")
    assert found[0] == judge_all(REQUESTS, snapshot, SHIPPED if has_before else None)


def test_a_cluster_of_its_own() -> None:
    with sizing_on(LOCAL, Versions(DOCUMENTS, None), 1) as sizer:
        assert sizer(REQUESTS)() == judge_all(REQUESTS, SHIPPED)


def test_damaged_version(cluster: LocalCluster) -> None:
    document = Document(b"x", DOCUMENTS.breakers.digest)
    damaged = msgspec.structs.replace(DOCUMENTS, breakers=document)
    with sizing_on(cluster.scheduler_address, Versions(damaged, None), 0) as sizer:
        waiting = sizer(REQUESTS)
        with pytest.raises(ContentError):
            waiting()


def test_workers_of_another_engine(cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_cluster, "ENGINE_VERSION", "another")
    with sizing_on(cluster.scheduler_address, Versions(DOCUMENTS, None), 0) as sizer:
        waiting = sizer(REQUESTS)
        with pytest.raises(ClusterUnusable, match="the replay engine another"):
            waiting()


def test_a_cluster_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_cluster, "PATIENCE_S", 1)
    with (
        local_cluster(1) as cluster,
        sizing_on(cluster.scheduler_address, Versions(DOCUMENTS, None), 0) as sizer,
    ):
        sizer(REQUESTS)()
        cluster.close()
        waiting = sizer(REQUESTS)
        with pytest.raises(BrokenExecutor):
            waiting()


@pytest.mark.parametrize("address", ["nowhere", "tcp://127.0.0.1:1", "what://ever"])
def test_no_cluster(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(replay_cluster, "PATIENCE_S", 0.2)
    with (
        pytest.raises(ClusterUnusable, match=address),
        sizing_on(address, Versions(DOCUMENTS, None), 0),
    ):
        pass


def test_a_cluster_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    with local_cluster(0) as empty:
        monkeypatch.setattr(replay_cluster, "PATIENCE_S", 1)
        with (
            pytest.raises(ClusterUnusable),
            sizing_on(empty.scheduler_address, Versions(DOCUMENTS, None), 0),
        ):
            pass
