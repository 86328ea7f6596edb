"""How old something has to be, as it is typed: 30d."""

import re

from kis.cli.client import fail

MOST_DAYS = 36_500
_AGE = re.compile(r"([0-9]{1,5})d")


def days_of(text: str) -> int:
    """Return the days of `--older-than`; ends the program where it is none from 1d on."""
    match = _AGE.fullmatch(text.strip().lower())
    if match is None or not 1 <= int(match[1]) <= MOST_DAYS:
        fail(
            f"--older-than {text!r}: 30d 처럼 날 수로 쓰십시오.",
            f"--older-than {text!r} is no number of days such as 30d.",
            2,
        )
    return int(match[1])
