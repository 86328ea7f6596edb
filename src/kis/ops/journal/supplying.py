"""Hands a database of a moment to whoever restores."""

from datetime import UTC, datetime
from pathlib import Path

from kis.ops.backup.packing import Tell
from kis.ops.backup.restoring import Supplied, Supply
from kis.ops.backup.source import Place
from kis.ops.journal.rebuilding import rebuild


def of_moment(folder: Path, moment: datetime) -> Supply:
    """Return what supplies the database of `moment` (aware) from the journal in `folder`."""

    def supply(place: Place, tell: Tell) -> Supplied:
        rebuilt = rebuild(folder, moment, place.file, tell)
        last = rebuilt.committed_at or rebuilt.base_at
        return Supplied(f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} (journal)", last, None)

    return supply
