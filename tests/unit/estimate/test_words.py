"""Every value of a request has its words, and no other has any."""

import re
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from kis.errors import Text
from kis.estimate.model import BillItem, Form, Mount
from kis.estimate.words import (
    FORMS,
    LOCATIONS,
    MATERIALS,
    MOUNTS,
    TYPES,
    article_name,
    brand_name,
    kind_of_accessory,
    unit_name,
)
from kis.knowledge.model import BreakerType, Location, Material
from tests.unit.knowledge.rows import seed_tables

HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (FORMS, Form), (LOCATIONS, Location), (MOUNTS, Mount), (MATERIALS, Material),
        (TYPES, BreakerType),
    ],
)  # fmt: skip
def test_each_value_has_words_of_its_own(words: Mapping[str, Text], values: Any) -> None:
    assert tuple(words) == get_args(values)
    assert all(HANGUL.search(text.ko) and text.en.isascii() for text in words.values())
    assert len({text.ko for text in words.values()}) == len(words)
    assert len({text.en for text in words.values()}) == len(words)


def test_every_kind_that_is_shipped_has_words() -> None:
    tables = seed_tables()
    rules = tables.rules.accessories
    kinds = {row.kind for row in tables.accessories} | set(rules.door_kinds)
    for kind in kinds:
        assert HANGUL.search(kind_of_accessory(kind).ko)
        assert "_" not in kind_of_accessory(kind).en


def test_kind_and_brand_without_words_are_as_the_table_names_them() -> None:
    assert kind_of_accessory("relay_2") == Text("relay_2", "relay_2")
    assert brand_name("LS") == Text("LS", "LS")
    assert brand_name("MIXED") == Text("혼용", "mixed")


@pytest.mark.parametrize(
    ("name", "unit", "english"),
    [
        ("외함(기성함)", "면", "Enclosure (stock), ea"),
        ("외함(제작함)", "면", "Enclosure (made to order), ea"),
        ("메인 차단기", "EA", "Main breaker, ea"),
        ("분기 차단기 동력 타이머", "EA", "Branch breaker 동력 타이머, ea"),
        ("타이머", "EA", "Timer, ea"),
        ("분기 모선", "조", "Branch busbar, set"),
        ("gadget", "box", "gadget, box"),
    ],
)
def test_articles_of_a_bill_in_english(name: str, unit: str, english: str) -> None:
    item = BillItem("branch", name, 1, unit)
    assert article_name(item).ko == name
    assert f"{article_name(item).en}, {unit_name(item).en}" == english
