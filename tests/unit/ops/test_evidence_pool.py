"""Stored evidence is verified here or by worker processes, and looked up in the source too."""

from pathlib import Path

import pytest

from kis.ops import evidence_pool
from kis.ops.evidence_pool import Fault, estimate_ids, find_faults, sample_ids
from tests.unit.ops.installed import FORGED, change, install, opened, places


@pytest.mark.parametrize("workers", [1, 2])
def test_faults_are_found_by_any_number_of_workers(
    database_url: str, tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_pool, "PAGE", 2)
    monkeypatch.setattr(evidence_pool, "FEW", 0)
    ids = install(tmp_path / "home", database_url, estimates=5)
    change(database_url, FORGED, id=ids[3])
    change(database_url, "DELETE FROM evidence WHERE estimate_id = :id", id=ids[4])
    told: list[int] = []
    with opened(database_url) as database:
        pages = estimate_ids(database)
        found = list(find_faults(places(database_url), pages, 5, workers, told.append))
    assert told == [2, 2, 1]
    assert [fault.estimate_id for fault in found] == ids[3:]
    assert found[0].reason.startswith("signature $.envelope.signature: ")
    assert found[1].reason.startswith("evidence: ")
    assert not any(fault.was_so for fault in found)


def test_what_the_source_says_of_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/kis.db"
    ids = install(tmp_path / "home", url, estimates=2)
    change(url, FORGED, id=ids[0])
    source = tmp_path / "source.db"
    source.write_bytes((tmp_path / "kis.db").read_bytes())
    change(url, FORGED.replace("'-'", "'_'"), id=ids[1])
    wanted = places(url, f"sqlite:///{source}")
    found = list(find_faults(wanted, [ids], 2, 1, lambda _: None))
    assert [(fault.estimate_id, fault.was_so) for fault in found] == [
        (ids[0], True), (ids[1], False),
    ]  # fmt: skip
    assert isinstance(found[0], Fault)


def test_ids_in_pages_and_by_chance(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_pool, "PAGE", 2)
    ids = install(tmp_path / "home", database_url, estimates=4)
    with opened(database_url) as database:
        assert list(estimate_ids(database)) == [ids[:2], ids[2:]]
        (first, second) = sample_ids(database, 3)
        assert len({*first, *second}) == 3
        assert {*first, *second} < set(ids)
        assert list(sample_ids(database, 0)) == []
