"""Which folders an installation writes to: their disks are not to run full."""

from pathlib import Path

from kis.settings import Settings


def folders_of(settings: Settings) -> dict[str, Path]:
    """Return them by what they are for, the home first; one may not be there yet."""
    folders = {
        "home": settings.home, "backups": settings.home / "backups",
        "logs": settings.log_file.parent,
    }  # fmt: skip
    if settings.database_file is not None:
        folders["database"] = settings.database_file.resolve().parent
        if settings.journal_days:
            folders["journal"] = Path(settings.journal_dir)
    return folders
