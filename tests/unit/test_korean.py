import unicodedata

import pytest

from kis.korean import Particle, with_particle

SAID: tuple[tuple[object, Particle, str], ...] = (
    # syllables
    ("외함", "은/는", "외함은"),
    ("차단기", "은/는", "차단기는"),
    ("분기 행", "이/가", "분기 행이"),
    ("기기", "이/가", "기기가"),
    ("메인", "을/를", "메인을"),
    ("극수", "을/를", "극수를"),
    ("프레임", "과/와", "프레임과"),
    ("모델", "과/와", "모델과"),
    ("부속자재", "과/와", "부속자재와"),
    ("힣", "이/가", "힣이"),
    ("가", "이/가", "가가"),
    # ㄹ before 로
    ("스틸", "으로/로", "스틸로"),
    ("스틸", "이/가", "스틸이"),
    ("기성함", "으로/로", "기성함으로"),
    ("자재", "으로/로", "자재로"),
    # digits: 영 일 이 삼 사 오 육 칠 팔 구
    (0, "이/가", "0이"),
    (1, "이/가", "1이"),
    (2, "이/가", "2가"),
    (3, "이/가", "3이"),
    (4, "이/가", "4가"),
    (5, "이/가", "5가"),
    (6, "이/가", "6이"),
    (7, "이/가", "7이"),
    (8, "이/가", "8이"),
    (9, "이/가", "9가"),
    (1, "으로/로", "1로"),
    (3, "으로/로", "3으로"),
    (7, "으로/로", "7로"),
    (8, "으로/로", "8로"),
    (600, "으로/로", "600으로"),
    ("１", "을/를", "１을"),
    # units
    ("600 mm", "은/는", "600 mm는"),
    ("22.5mm", "이/가", "22.5mm가"),
    ("3 m", "을/를", "3 m를"),
    ("0.35 m²", "과/와", "0.35 m²와"),
    ("63A", "은/는", "63A는"),
    ("50AF", "으로/로", "50AF로"),
    ("4P", "을/를", "4P를"),
    ("14 kA", "이/가", "14 kA가"),
    ("16%", "을/를", "16%를"),
    # letters: L, M, N and R end in a consonant
    ("LS", "으로/로", "LS로"),
    ("SANGDO", "으로/로", "SANGDO로"),
    ("MCCB", "을/를", "MCCB를"),
    ("STEEL", "으로/로", "STEEL로"),
    ("STEEL", "을/를", "STEEL을"),
    ("HGM", "으로/로", "HGM으로"),
    ("PN", "이/가", "PN이"),
    ("BR", "으로/로", "BR로"),
    ("golden", "은/는", "golden은"),
    ("ABN104c", "은/는", "ABN104c는"),
    ("SBS-603", "은/는", "SBS-603은"),
    ("v2026-01-15-01", "이/가", "v2026-01-15-01이"),
    # quotes and brackets are not read
    ("'폭'", "은/는", "'폭'은"),
    ('"depth_mm"', "을/를", '"depth_mm"을'),
    ("〈이름〉", "을/를", "〈이름〉을"),
    ("[1]", "이/가", "[1]이"),
    ("(12)", "이/가", "(12)가"),
    ("'600 mm'", "이/가", "'600 mm'가"),
    ("긴 이름...", "이/가", "긴 이름...이"),
    # nor is what stands in parentheses after a word
    ("사유(reason)", "이/가", "사유(reason)가"),
    ("외함(box)", "을/를", "외함(box)을"),
    # what cannot be read
    ("", "을/를", "를"),
    ("{...}", "은/는", "{...}는"),
    ("日", "은/는", "日는"),
)


@pytest.mark.parametrize(("word", "particle", "said"), SAID)
def test_particle_follows_the_last_sound(word: object, particle: Particle, said: str) -> None:
    assert with_particle(word, particle) == said


def test_hangul_in_pieces_is_read_like_whole_syllables() -> None:
    pieces = unicodedata.normalize("NFD", "외함")
    assert with_particle(pieces, "은/는") == pieces + "은"
