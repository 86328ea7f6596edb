"""How far a replay has come, on disk: an interrupted one goes on from there."""

import os
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from kis.estimate.model import ENGINE_VERSION
from kis.estimate.replay import Tally
from kis.estimate.store import IdRange
from kis.evidence.encoding import canonical, sha256_hex

NAME_DIGITS = 16
KEPT_FOR = timedelta(days=7)


class Checkpoint(msgspec.Struct):
    """Everything up to the id `done` is in `tally`; `ids` is what was to be replayed."""

    key: str
    ids: IdRange
    done: str
    tally: Tally


def key_of(after: str, before: str | None, filtered_by: str) -> str:
    """Return what a checkpoint must match: digests of versions, filter, and engine.

    The upper bound of ids is not in it, but in the checkpoint: estimates that came
    in meanwhile do not make it another replay.
    """
    return sha256_hex(canonical([after, before, filtered_by, ENGINE_VERSION]))


def path_of(folder: Path, key: str) -> Path:
    """Return where the checkpoint of that key is kept."""
    return folder / f"replay-{key[:NAME_DIGITS]}.json"


def load(path: Path, key: str) -> Checkpoint | None:
    """Return the checkpoint; None where there is none that can be gone on with."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Checkpoint)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return found if found.key == key else None


def forget_old(folder: Path, now: datetime) -> None:
    """Delete the checkpoints in `folder` that nobody went on with for a week."""
    oldest = (now - KEPT_FOR).timestamp()
    # Uploads lie in the same folder, and a version may be called `replay`.
    for pattern in (f"replay-{'[0-9a-f]' * NAME_DIGITS}.json", ".replay-*"):
        for path in folder.glob(pattern):
            # Another replay may tidy up too, or have ended.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Put `checkpoint` at `path`: whoever reads it finds this one or the one before."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".replay-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(checkpoint))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
