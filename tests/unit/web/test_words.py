import re
from string import Formatter

import pytest

from kis.errors import LANGUAGES, Text
from kis.web.visit import TEMPLATES
from kis.web.words import language_of, words_of

USED = re.compile(r"""\bt\(\s*["']([a-z0-9_.]+)["']""")
COMPOSED = re.compile(r"""\bt\(\s*["']([a-z0-9_.]+\.)["']\s*~""")
PAGES = TEMPLATES.parent / "pages"


def values_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def sources() -> str:
    """All that may name words."""
    paths = [*TEMPLATES.rglob("*.html"), *PAGES.rglob("*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def test_both_languages_have_the_same_words_with_the_same_values() -> None:
    korean, english = (words_of(language).by_name for language in LANGUAGES)
    assert korean.keys() == english.keys()
    for name, text in korean.items():
        assert values_of(text) == values_of(english[name]), name


def test_every_word_that_is_used_exists_and_every_one_that_exists_is_used() -> None:
    known = set(words_of("ko").by_name)
    composed = tuple(COMPOSED.findall(sources()))
    used = {name for name in USED.findall(sources()) if not name.endswith(".")}
    assert used <= known, used - known
    assert all(any(name.startswith(prefix) for name in known) for prefix in composed), composed
    unused = {name for name in known - used if not name.startswith(composed or ("\0",))}
    assert not unused, unused


def test_values_are_put_in() -> None:
    words = words_of("en")
    assert words.of(Text("가", "a")) == "a"
    with pytest.raises(KeyError):
        words("no.such")


@pytest.mark.parametrize(("asked", "language"), [(None, "ko"), ("en", "en"), ("fr", "ko")])
def test_korean_unless_english_was_asked_for(asked: str | None, language: str) -> None:
    assert language_of(asked) == language
