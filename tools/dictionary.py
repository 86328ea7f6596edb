"""Makes the dictionary with which answers are packed: `python -m tools.dictionary FILE`.

From boards drawn by chance from the shipped tables. What was packed with a dictionary needs
that very one to be read: one that has shipped is never changed, only joined by another
(see `kis.db.packing`).
"""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import zstandard

from kis.errors import DomainError
from kis.estimate.answer import Asked, Caller, compose_record
from kis.estimate.engine import estimate
from kis.estimate.request import parse_board
from kis.estimate.rerun import admit
from kis.evidence.envelope import Keyring
from kis.knowledge.active import Active
from kis.knowledge.first import shipped_tables
from kis.knowledge.model import Breaker
from kis.knowledge.snapshot import Snapshot

BYTES = 16 * 1024
"""Half of it saves a tenth less, twice of it nothing more."""
BOARDS = 3_000
BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
NAMES = ("전등", "전열", "동력", "에어컨", "예비", "펌프", "엘리베이터", "회로 1", "회로 2", "")
SIDES = (("INDOOR", "WALL"), ("INDOOR", "FLUSH"), ("OUTDOOR", "WALL"), ("INDOOR", "FLOOR"))


def samples(chance: random.Random) -> Iterator[bytes]:
    """Yield what is stored of boards: the answer, and the rows that it follows from."""
    tables = shipped_tables()
    snapshot = Snapshot(tables, label="v2026-01-02-01", digest=_hex(chance, 64), version_id=1)
    active = Active(snapshot, enclosures_digest=_hex(chance, 64), rules_digest=_hex(chance, 64))
    keyring = Keyring.of(chance.randbytes(32))
    for number in range(BOARDS):
        asked = Asked(
            str(UUID(bytes=chance.randbytes(16))), BEGAN + timedelta(hours=number),
            Caller("api-bcd", "api-fgh", "127.0.0.1"), None, "",
        )  # fmt: skip
        try:
            draft = parse_board(_board(tables.breakers, chance))
            board, origins = admit(draft, tables.rules, allow_mixed=False)
            outcome = estimate(board, snapshot, origins)
        except DomainError:
            continue
        record = compose_record(board, outcome, active, asked, keyring)
        yield record.estimate["answer"]
        yield record.evidence["rows"]


def _board(breakers: tuple[Breaker, ...], chance: random.Random) -> dict[str, Any]:
    main = chance.choice(breakers)
    smaller = [
        row for row in breakers if row.brand == main.brand and row.frame_size_a <= main.frame_size_a
    ]
    location, mount = chance.choice(SIDES)
    return {
        "brand": main.brand,
        "form": chance.choice(("ECONOMIC", "ECONOMIC", "STANDARD")),
        "installation": {"location": location, "mount": mount},
        "main": {"model": main.model, "poles": f"{main.poles}P"},
        "branches": [
            {
                "model": row.model, "poles": f"{row.poles}P", "quantity": chance.randint(1, 8),
                "name": chance.choice(NAMES),
            }
            for row in chance.choices(smaller, k=chance.randint(1, 5))
        ],
        "accessories": {"enabled": False, "items": []},
        "label": f"LP-{chance.randint(1, 20)}",
    }  # fmt: skip


def _hex(chance: random.Random, digits: int) -> str:
    return chance.randbytes(digits // 2).hex()


def main() -> None:
    """Write it to the file that is named."""
    chance = random.Random(1)  # noqa: S311 - the same dictionary each time
    made = zstandard.train_dictionary(BYTES, list(samples(chance)))
    Path(sys.argv[1]).write_bytes(made.as_bytes())


if __name__ == "__main__":
    main()
