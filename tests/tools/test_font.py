"""The font of the console has what the console says, and its style sheet names what it has."""

import hashlib
import re
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from tools.font import ASCII, FAMILY, FONTS, SYMBOLS, codes_of, ranges_of, syllables_of, texts_of

ROOT = Path(__file__).parents[2]
WORDS = ("src/kis/web/locale/**/*.toml", "src/kis/web/templates/**/*.html")
MOST_BYTES = 150_000
STYLE = (FONTS / "kis-sans.css").read_text(encoding="utf-8")
FACES = re.findall(r'url\("([^"?]+)\?v=(\w+)"\).*?unicode-range: ([^;]+);', STYLE, re.DOTALL)


def font(name: str) -> TTFont:
    return TTFont(BytesIO((FONTS / name).read_bytes()))


def test_every_syllable_that_the_console_says_is_there() -> None:
    there = {chr(code) for _, _, ranges in FACES for code in codes_of(ranges.encode())}
    missing = syllables_of(*texts_of(ROOT, WORDS)) - there
    assert not missing, f"not in the font: {''.join(sorted(missing))}: run python -m tools.font"


@pytest.mark.parametrize(("name", "digest", "ranges"), FACES)
def test_range_and_address_are_those_of_the_file(name: str, digest: str, ranges: str) -> None:
    assert hashlib.sha256((FONTS / name).read_bytes()).hexdigest().startswith(digest)
    assert set(codes_of(ranges.encode())) == set(font(name).getBestCmap())
    assert ranges_of(codes_of(ranges.encode())) == ranges


def test_files_are_small_and_have_nothing_in_common() -> None:
    first, second = (font(name).getBestCmap().keys() for name, _, _ in FACES)
    assert set(map(ord, ASCII + SYMBOLS)) <= first
    assert not first & second
    assert sum((FONTS / name).stat().st_size for name, _, _ in FACES) <= MOST_BYTES


@pytest.mark.parametrize("name", [name for name, _, _ in FACES])
def test_reserved_name_is_given_up_and_the_licence_kept(name: str) -> None:
    names = font(name)["name"]
    assert names.getDebugName(1) == FAMILY
    told = {record.nameID: record.toUnicode() for record in names.names}
    assert not [text for number, text in told.items() if number != 0 and "Pretendard" in text]
    assert "Kil Hyung-jin" in told[0]
    assert "SIL Open Font License" in told[13]
    licence = (FONTS / "LICENSE").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence


def test_nothing_else_is_there() -> None:
    expected = {"kis-sans.css", "LICENSE", "VERSION", *(name for name, _, _ in FACES)}
    assert {path.name for path in FONTS.iterdir()} == expected
    assert [name for name, _, _ in FACES] == ["kis-sans.woff2", "kis-sans-more.woff2"]


def test_ranges_are_read_as_they_are_written() -> None:
    codes = [0x41, 0x42, 0x43, 0xAC00]
    assert ranges_of(codes) == "U+41-43, U+ac00"
    assert list(codes_of(b"U+41-43, U+AC00")) == codes
