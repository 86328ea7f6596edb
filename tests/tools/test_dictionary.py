"""The dictionary is made of answers such as the service gives."""

import random
import sys
from itertools import islice
from pathlib import Path

import msgspec
import pytest
import zstandard

from kis.db.packing import DICTIONARY, pack
from kis.estimate.answer import Answer
from tools import dictionary


def test_samples_are_answers_and_their_rows() -> None:
    chance = random.Random(2)  # noqa: S311 - so that a failure can be repeated
    samples = list(islice(dictionary.samples(chance), 100))
    assert {len(msgspec.json.decode(raw, type=Answer).id) for raw in samples[::2]} == {36}
    assert all(msgspec.json.decode(raw)["breakers"] for raw in samples[1::2])
    assert len(set(samples[::2])) == 50
    # Boards that the shipped dictionary was not made of: a tenth is left of them.
    assert sum(len(pack(raw)) for raw in samples) < sum(map(len, samples)) / 7


def test_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionary, "BOARDS", 300)
    monkeypatch.setattr(sys, "argv", ["dictionary", str(tmp_path / "made")])
    dictionary.main()
    made = (tmp_path / "made").read_bytes()
    assert len(made) <= dictionary.BYTES == len(DICTIONARY.read_bytes())
    assert zstandard.ZstdCompressionDict(made).dict_id()
