"""Boards that fill a stock enclosure: the engine itself says whether they do."""

from typing import Any

import msgspec
import pytest

from kis.estimate.rerun import rerun
from kis.knowledge.diff import Changed
from kis.knowledge.filling import best_fillings
from kis.knowledge.model import StockEnclosure
from kis.knowledge.sampling import sample_requests
from kis.knowledge.snapshot import Snapshot

from .rows import breaker, seed_tables

SEED = seed_tables()
MAIN = breaker("M-53", 3)


def enclosure(**changes: Any) -> StockEnclosure:
    """Return one into which a 3P 50AF main goes with four branches, and not one more."""
    row = StockEnclosure("E", "HB", "STEEL", "INDOOR", "SURFACE", 6000, 5000, 1500)
    return msgspec.structs.replace(row, **changes)


@pytest.mark.parametrize(
    ("changes", "branches"),
    [
        ({}, [4]),
        ({"height_dmm": 4000}, [0]),
        # What is left above the last step of 100 mm is no use.
        ({"height_dmm": 5990}, [4]),
        ({"width_dmm": 5000}, [0]),
        ({"width_dmm": 3000}, []),
        ({"height_dmm": 3000}, []),
        ({"depth_dmm": 1400}, []),
    ],
)
def test_as_many_branches_as_go_in(changes: dict[str, int], branches: list[int]) -> None:
    fillings = best_fillings(enclosure(**changes), [MAIN], SEED.rules)
    assert [filling.branches for filling in fillings] == branches


def test_depth_is_that_of_the_frame_or_of_the_body() -> None:
    for row in (breaker("D", 3, depth_dmm=1200), breaker("F", 3, frame_size_a=225)):
        assert best_fillings(enclosure(), [row], SEED.rules) == []
        assert best_fillings(enclosure(depth_dmm=2000), [row], SEED.rules)
    above = breaker("X", 3, frame_size_a=9000)
    assert best_fillings(enclosure(depth_dmm=9000), [above], SEED.rules) == []


def test_largest_front_comes_first_then_the_key() -> None:
    small = breaker("A-53", 3, height_dmm=1000)
    rows = [small, breaker("Z-53", 3), MAIN]
    fillings = best_fillings(enclosure(), rows, SEED.rules)
    assert [filling.main.model for filling in fillings] == ["M-53", "Z-53", "A-53"]


def test_engine_chooses_the_enclosure_that_is_tried() -> None:
    """Of every place and depth that shipped stock has, the enclosure itself comes out."""
    snapshot = Snapshot(SEED, label="seed")
    models = [row.model for row in SEED.enclosures]
    chosen = []
    for model in models:
        changed = Changed([], [model], [], rules=False)
        (sample,) = sample_requests(SEED, changed, 1)
        chosen.append(rerun(sample.request, snapshot).estimate.enclosure.model == model)
    assert sum(chosen) * 2 > len(chosen)
