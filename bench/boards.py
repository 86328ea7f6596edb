"""The boards that the benchmark asks for: what a panel shop's day looks like."""

import json
from importlib.resources import files
from typing import Any

Board = dict[str, Any]

SAMPLES = (
    "sample-request.json",
    "lighting-panel.json",
    "motor-panel.json",
    "outdoor-panel.json",
    "main-only.json",
)
NUMBER = "%08d"
"""Stands in a board's label where its serial number goes: bodies differ, lengths do not."""


def mix() -> list[Board]:
    """Return the boards of the load, to be asked for in turn: 2 to 41 breakers each."""
    small = [economic("SBS-54", ("SES-54", 2), ("SIE-32", lights)) for lights in (4, 6, 8, 10)]
    medium = [
        economic("SBE-104", ("SEC-53", 2), ("SES-54", 2), ("SIE-32", lights))
        for lights in (6, 10, 14)
    ]
    large = [economic("SBS-54", ("SES-54", 8), ("SIE-32", 32))]
    return [numbered(board) for board in (*small, *medium, *large, *samples())]


def samples() -> list[Board]:
    """Return the boards that `kis-backend sample` writes, without the one that is refused."""
    folder = files("kis") / "seed" / "samples"
    return [json.loads((folder / name).read_text(encoding="utf-8")) for name in SAMPLES]


def economic(main: str, *branches: tuple[str, int]) -> Board:
    """Return an ECONOMIC board of SANGDO breakers: models and quantities."""
    return {
        "brand": "SANGDO",
        "form": "ECONOMIC",
        "installation": {"location": "INDOOR", "mount": "WALL"},
        "device": {"type": "MCCB"},
        "main": {"model": main, "poles": "4P"},
        "branches": [
            {"model": model, "poles": f"{model[-1]}P", "quantity": quantity, "name": f"회로 {n}"}
            for n, (model, quantity) in enumerate(branches, 1)
        ],
        "accessories": {"enabled": False, "items": []},
        "label": "LP",
        "customer": "한빛빌딩",
    }


def of_breakers(count: int) -> Board:
    """Return a board of `count` breakers in lines of four kinds, ten of them each."""
    models = ("SIE-32", "SEC-53", "SES-54", "SEE-103")
    lines = [(models[n % len(models)], 10) for n in range((count - 1) // 10)]
    rest = (count - 1) % 10
    board = economic("SBS-54", *lines, *([("SIE-32", rest)] if rest else []))
    return {**board, "label": f"{count} breakers"}


def numbered(board: Board) -> Board:
    """Return `board` with a label that has a place for a serial number."""
    return {**board, "label": f"{board.get('label', '')} {NUMBER}".strip()}
