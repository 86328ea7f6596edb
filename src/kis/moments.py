"""Moments as text. Pure."""

from datetime import UTC, datetime


def moment_text(moment: datetime) -> str:
    """Return `moment`, in UTC, as statements and answers have it: milliseconds, `Z`.

    Two such texts compare as their moments do.
    """
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def second_text(moment: datetime) -> str:
    """Return `moment`, in whatever zone, as the log and its readers have it: seconds, `Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
