"""Drawings of golden boards, byte for byte: look at the files after a change.

`pytest tests/golden --update-golden` rewrites them.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kis.errors import Language
from kis.estimate.drawing.block import Reference
from kis.estimate.drawing.sheet import Drawn, draw
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit
from kis.knowledge.snapshot import Snapshot

FOLDER = Path(__file__).parent
STORED = Reference("0199c0de-1234-7abc-8def-0123456789ab", "2026-03-05T02:11:40.123Z")
DRAWINGS: list[tuple[str, Language]] = [
    ("maker-sangdo-2p-10-branches", "ko"),
    ("sangdo-41-branches", "ko"),
    ("sangdo-flush-sus-standard", "ko"),
    ("sangdo-standard-accessories-outdoor", "en"),
    ("ls-stand-800af-standard", "ko"),
    ("ls-two-busbars", "en"),
    ("main-only-250af-standard", "ko"),
]


def golden(name: str, snapshot: Snapshot) -> Drawn:
    """Return the golden answer to draw, as it is in its file."""
    case: Any = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    board, _ = admit(parse_board(case["request"]), snapshot.rules, allow_mixed=True)
    return msgspec.convert({**case["result"], "request": msgspec.to_builtins(board)}, Drawn)


@pytest.mark.parametrize(("name", "language"), DRAWINGS)
def test_drawing(
    name: str, language: Language, seed_snapshot: Snapshot, update_golden: bool
) -> None:
    path = FOLDER / f"{name}.svg"
    now = draw(golden(name, seed_snapshot), language, reference=STORED)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if update_golden and now != before:
        path.write_text(now, encoding="utf-8")
        pytest.skip(f"{path.name} is rewritten")
    assert now == before


def test_every_drawing_is_tested() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.svg")) == sorted(dict(DRAWINGS))
