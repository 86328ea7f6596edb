"""The weekly backup of the logs, as the runbook's script makes it on Sundays."""

import gzip
import tarfile
from datetime import datetime
from pathlib import Path

from kis.ops import durable
from kis.ops.backup.folder import stored_logs
from kis.ops.backup.naming import logs_name, zone_of

SUNDAY = 7
LEVEL = 6


def is_due(folder: Path, local: datetime) -> bool:
    """Whether it is Sunday, and none was made that day yet."""
    made = {each.at.date() for each in stored_logs(folder, zone_of(local))}
    return local.isoweekday() == SUNDAY and local.date() not in made


def pack(logs: Path, folder: Path, scratch: Path, local: datetime) -> str:
    """Pack the files of `logs` into `folder`, and return the name; they may go on growing.

    Raises:
        OSError: they cannot be read, or it cannot be written.

    """
    name = logs_name(local)
    made = scratch / name
    with gzip.open(made, "wb", LEVEL) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for path in sorted(logs.iterdir()):
            if path.is_file() and not path.is_symlink():
                _add(archive, path)
    durable.hand_over(made, folder)
    durable.sync_file(made)
    durable.rename(made, folder / name)
    return name


def _add(archive: tarfile.TarFile, path: Path) -> None:
    """Add as much of a file as there is now: what is logged meanwhile is for the next."""
    with path.open("rb") as file:
        archive.addfile(archive.gettarinfo(fileobj=file, arcname=f"logs/{path.name}"), file)
