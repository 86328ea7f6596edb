"""The console's words, in Korean and English: one TOML file for each area and language."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from kis.errors import Language, Text

FOLDER = Path(__file__).with_name("locale")


class Words(NamedTuple):
    """All words of one language, by names such as `sign_in.title`."""

    language: Language
    by_name: Mapping[str, str]

    def __call__(self, name: str, /, **values: object) -> str:
        """Return the words of that name, with `values` put in.

        Raises:
            KeyError: there are none, or a value is missing: a fault of ours.

        """
        return self.by_name[name].format(**values)

    def of(self, text: Text) -> str:
        """Return `text` in this language."""
        return text.ko if self.language == "ko" else text.en


@cache
def words_of(language: Language) -> Words:
    """Return the words of a language."""
    by_name: dict[str, str] = {}
    for path in sorted((FOLDER / language).glob("*.toml")):
        by_name |= _flat(tomllib.loads(path.read_text(encoding="utf-8")), f"{path.stem}.")
    return Words(language, by_name)


def language_of(asked: str | None) -> Language:
    """Return the language of a cookie; Korean unless it says English."""
    return "en" if asked == "en" else "ko"


def _flat(table: Mapping[str, Any], prefix: str) -> dict[str, str]:
    return dict(_entries(table, prefix))


def _entries(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _entries(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)
