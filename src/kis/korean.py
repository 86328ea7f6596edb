"""Korean as it is read: the particle that goes with a word, by the word's last sound.

A value in a sentence may be a name, a model or a number, so the particle is not
known when the sentence is written.
"""

import re
import unicodedata
from typing import Literal

Particle = Literal["은/는", "이/가", "을/를", "과/와", "으로/로"]
"""A particle after a consonant, and after a vowel."""

# Spoken: digits, and the letters whose names end in a consonant. Zeros in other
# places (십, 백, 천, 만, 억) end in one as well.
_READINGS = dict(zip("0123456789LMNR", "영일이삼사오육칠팔구엘엠엔알", strict=True))

# A letter m is 엠, the unit is 미터; a percent sign is 퍼센트. Units of other
# letters (A, AF, P, kA) end in a vowel, as their letters do.
_UNIT_READ_AS_VOWEL = re.compile(r"\d ?(?:[cmk]?m|%)\W*$")

# 사유(reason)가: what stands in parentheses after a word is not read.
_ASIDE = re.compile(r"(?<=[^\s(])\([^()]*\)\W*$")

_FIRST_SYLLABLE, _LAST_SYLLABLE = "가", "힣"
_FINALS = 28
_NO_FINAL = 0
_RIEUL = 8


def with_particle(word: object, particle: Particle) -> str:
    """Return `word` with the form of `particle` that is right after it."""
    text = str(word)
    after_consonant, after_vowel = particle.split("/")
    final = _final_of(text)
    # 서울로, 1로: ㄹ is no obstacle before 로.
    if final == _NO_FINAL or (final == _RIEUL and after_vowel == "로"):
        return text + after_vowel
    return text + after_consonant


def _final_of(text: str) -> int:
    """Return the number of the final consonant in Unicode's order of syllables, 0 for none.

    What cannot be read (another script, no letter at all) counts as ending in a vowel.
    """
    # macOS hands over Hangul in pieces; 전각 digits are digits.
    text = _ASIDE.sub("", unicodedata.normalize("NFKC", text))
    if _UNIT_READ_AS_VOWEL.search(text):
        return _NO_FINAL
    last = next((char for char in reversed(text) if char.isalnum()), "")
    syllable = _READINGS.get(last.upper(), last)
    if not _FIRST_SYLLABLE <= syllable <= _LAST_SYLLABLE:
        return _NO_FINAL
    return (ord(syllable) - ord(_FIRST_SYLLABLE)) % _FINALS
