"""What the values of a request are called among people, in Korean and English."""

import re

from kis.errors import Text
from kis.estimate.model import MIXED, BillItem

FORMS: dict[str, Text] = {
    "ECONOMIC": Text("경제형", "economic"),
    "STANDARD": Text("표준형", "standard"),
}
LOCATIONS: dict[str, Text] = {
    "INDOOR": Text("옥내", "indoor"),
    "OUTDOOR": Text("옥외", "outdoor"),
}
MOUNTS: dict[str, Text] = {
    "WALL": Text("벽부", "wall"),
    "SURFACE": Text("노출", "surface"),
    "FLUSH": Text("매입", "flush"),
    "STAND": Text("자립", "free-standing"),
}
MATERIALS: dict[str, Text] = {
    "STEEL": Text("스틸", "steel"),
    "SUS": Text("스테인리스", "stainless steel"),
}
TYPES: dict[str, Text] = {
    "MCCB": Text("배선용 차단기", "moulded-case breaker"),
    "ELCB": Text("누전 차단기", "earth-leakage breaker"),
    "MCB": Text("소형 차단기(DIN)", "miniature breaker (DIN)"),
    "RCBO": Text("소형 누전 차단기(DIN)", "miniature earth-leakage breaker (DIN)"),
}
_MIXED_BRANDS = Text("혼용", "mixed")
KINDS = {  # of accessories
    "contactor": Text("전자접촉기", "contactor"),
    "timer": Text("타이머", "timer"),
    "meter": Text("계기", "meter"),
    "fuse_holder": Text("퓨즈홀더", "fuse holder"),
    "terminal_block": Text("단자대", "terminal block"),
    "spd": Text("서지보호기", "surge protector"),
    "thermostat": Text("온도조절기", "thermostat"),
    "wiring_duct": Text("배선덕트", "wiring duct"),
    "lamp": Text("표시등", "lamp"),
    "push_button": Text("누름버튼", "push button"),
}


def kind_of_accessory(kind: str) -> Text:
    """Return the words of the trade; a kind that is not known here is as the table names it."""
    return KINDS.get(kind) or Text(kind, kind)


_ARTICLES = {
    "외함(기성함)": "Enclosure (stock)",
    "외함(제작함)": "Enclosure (made to order)",
    "메인 차단기": "Main breaker",
    "분기 차단기": "Branch breaker",
    "분기 모선": "Branch busbar",
    **{text.ko: text.en.capitalize() for text in KINDS.values()},
}
_ARTICLE = re.compile(f"^(?:{'|'.join(map(re.escape, _ARTICLES))})(?= |$)")
_UNITS = {"면": "ea", "EA": "ea", "조": "set"}


def article_name(item: BillItem) -> Text:
    """Return what an article of a bill is called; a circuit's own name stays as it is."""
    return Text(item.name, _ARTICLE.sub(_in_english, item.name))


def unit_name(item: BillItem) -> Text:
    """Return what an article of a bill is counted in."""
    return Text(item.unit, _UNITS.get(item.unit, item.unit))


def _in_english(found: re.Match[str]) -> str:
    return _ARTICLES[found[0]]


def brand_name(brand: str) -> Text:
    """Return a brand as it is; what stands for several has words."""
    return _MIXED_BRANDS if brand == MIXED else Text(brand, brand)
