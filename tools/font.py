"""Makes the font of the web console out of Pretendard: `python -m tools.font [FOLDER OF TARBALLS]`.

Run it when `tests/tools/test_font.py` says so. Two files: what our own words take, which
every page loads, and the syllables that are frequent in Korean beside those, which a
browser loads once a page shows one: a customer's name. All others, 9 of 10 of what there
is, come from the fonts of the system.

The weights are an axis, cut to 400-700: that is smaller than two fonts of one weight. The
feature `calt` is left out: it would show `600x600` and `->` as other than they are.
"""

import hashlib
import re
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

from fontTools import subset  # type: ignore[import-untyped] # has no stubs
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fontTools.varLib import instancer  # type: ignore[import-untyped]

from tools.npm import Package, unpack

ROOT = Path(__file__).parents[1]
FONTS = ROOT / "src" / "kis" / "web" / "static" / "fonts"
OURS = (
    "README.md",
    "docs/**/*.md",
    "src/kis/**/*.py",
    "src/kis/web/locale/**/*.toml",
    "src/kis/web/templates/**/*.html",
    "src/kis/web/static/console/**/*.js",
)
"""Where the words are that the console shows: its own, and what the service says."""
FAMILY = "KIS Sans"
"""Not "Pretendard": the licence reserves that name for the font as its maker made it."""
WEIGHTS = (400, 700)
ASCII = "".join(map(chr, range(0x20, 0x7F)))
SYMBOLS = (
    "\u00a0\u2212\u2013\u2014°±²³·×÷‘’“”•…‹›«»′″‰₩←↑→↓↔△▲▽▼■□●○◆◇★☆✓✗※√∞≈≠≤≥µμΩΔ℃㎜㎝㎡㎏㎐㎾㎸"
)
FREQUENT = range(81, 92)
"""Of the parts that Pretendard is published in; the last are the most frequent syllables."""
FEATURES = ("ccmp", "kern", "locl", "mark", "mkmk", "tnum")
PRETENDARD = Package(
    name="pretendard", version="1.3.9", licence="OFL-1.1",
    sha512="PaQAADyLY5v4kYFwkpSJHbSSYIkiriY/1xXw75TKoZ9UQQqeU+tvP05yTdZAWibiIYoo8ZKtRv8PM7w0IaywSw==",
    files={
        "dist/LICENSE.txt": "LICENSE",
        "dist/public/variable/PretendardVariable.ttf": "font",
        "dist/web/variable/pretendardvariable-dynamic-subset.css": "parts",
    },
)  # fmt: skip
FACE = """@font-face {{
  font-family: "{family}";
  font-weight: {weights[0]} {weights[1]};
  font-display: swap;
  src: url("{name}?v={digest}") format("woff2");
  unicode-range: {ranges};
}}
"""
STYLE = """/* {family}, made by tools/font.py: see VERSION, LICENSE. What it lacks comes from the system. */
{faces}"""
VERSION = """{origin}.
Changed: fewer characters, weights {weights[0]} to {weights[1]}, named "{family}". {licence} (LICENSE).
"""


def make(tarballs: Path) -> None:
    """Write the fonts, their style sheet and their licence."""
    brought = unpack(PRETENDARD, tarballs)
    ours = {*ASCII, *SYMBOLS, *syllables_of(*texts_of(ROOT))}
    wanted = {"kis-sans.woff2": ours, "kis-sans-more.woff2": frequent(brought["parts"]) - ours}
    FONTS.mkdir(exist_ok=True)
    faces = []
    for name, characters in wanted.items():
        font = _cut(brought["font"], characters)
        (FONTS / name).write_bytes(font)
        digest, ranges = hashlib.sha256(font).hexdigest()[:12], ranges_of(map(ord, characters))
        faces.append(
            FACE.format(family=FAMILY, weights=WEIGHTS, name=name, digest=digest, ranges=ranges)
        )
        sys.stdout.write(f"{name}: {len(characters)} characters, {len(font)} bytes\n")
    style = STYLE.format(family=FAMILY, faces="".join(faces))
    (FONTS / "kis-sans.css").write_text(style, encoding="utf-8")
    (FONTS / "LICENSE").write_bytes(brought["LICENSE"])
    told = {"origin": PRETENDARD.origin, "licence": PRETENDARD.licence}
    version = VERSION.format(family=FAMILY, weights=WEIGHTS, **told)
    (FONTS / "VERSION").write_text(version, encoding="utf-8")


def texts_of(root: Path, patterns: tuple[str, ...] = OURS) -> Iterator[str]:
    """Yield the text of the files below `root` that `patterns` name."""
    for path in chain.from_iterable(root.glob(pattern) for pattern in patterns):
        yield path.read_text(encoding="utf-8")


def syllables_of(*texts: str) -> set[str]:
    """Return the Hangul syllables of `texts`."""
    return {character for text in texts for character in text if "가" <= character <= "힣"}


def frequent(style: bytes) -> set[str]:
    """Return the syllables of the frequent parts of `style`, Pretendard's own style sheet."""
    parts = re.findall(rb"subset\.(\d+)\.woff2.*?unicode-range: ([^;]+);", style, re.DOTALL)
    codes = [each for part, ranges in parts if int(part) in FREQUENT for each in codes_of(ranges)]
    return syllables_of("".join(map(chr, codes)))


def codes_of(ranges: bytes) -> Iterator[int]:
    """Yield the characters of a unicode-range of CSS."""
    for first, last in re.findall(rb"U\+([0-9A-Fa-f]+)(?:-([0-9A-Fa-f]+))?", ranges):
        yield from range(int(first, 16), int(last or first, 16) + 1)


def ranges_of(codes: Any) -> str:
    """Return the unicode-range of CSS that holds exactly `codes`."""
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and code == runs[-1][-1] + 1:
            runs[-1][1:] = [code]
        else:
            runs.append([code])
    return ", ".join("U+" + "-".join(f"{code:x}" for code in run) for run in runs)


def _cut(source: bytes, characters: set[str]) -> bytes:
    """Return the woff2 of `characters`, under our name."""
    font = TTFont(BytesIO(source), recalcTimestamp=False)
    missing = {character for character in characters if ord(character) not in font.getBestCmap()}
    if missing:
        message = f"the font has no {' '.join(sorted(missing))}"
        raise ValueError(message)
    font["fvar"].instances = []  # they would keep their names
    options = subset.Options()
    options.layout_features = list(FEATURES)
    options.hinting = False
    options.name_IDs = [0, 13, 14]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=map(ord, characters))
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": WEIGHTS})
    names = font["name"]
    plain = FAMILY.replace(" ", "")
    told = {1: FAMILY, 2: "Regular", 3: f"{PRETENDARD.version};{plain}", 4: FAMILY, 6: plain}
    for number, text in told.items():
        names.setName(text, number, 3, 1, 0x409)
    font.flavor = "woff2"
    made = BytesIO()
    font.save(made)
    return made.getvalue()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(sys.argv[1] if len(sys.argv) > 1 else scratch))
