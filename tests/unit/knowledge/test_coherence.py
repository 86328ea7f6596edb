"""What the parts of a version must have in common."""

import msgspec
import pytest

from kis.errors import DomainError, ErrorCode
from kis.knowledge.coherence import MAX_NAMED, KnownRules, check_coherence
from kis.knowledge.model import Breaker
from kis.knowledge.snapshot import Tables

from .rows import breaker, seed_tables, tables_of


def with_brands(*brands: str, rows: tuple[Breaker, ...] = ()) -> Tables:
    tables = tables_of(*rows) if rows else seed_tables()
    rules = msgspec.structs.replace(tables.rules, brands=brands)
    return msgspec.structs.replace(tables, rules=rules)


def test_shipped_tables_and_more_brands_than_rows() -> None:
    check_coherence(seed_tables())
    check_coherence(with_brands("LS", "SANGDO", "ABB"))


def test_brand_of_rows_that_stay() -> None:
    rows = (breaker("T-1"), breaker("T-2", 4, brand="SANGDO"), breaker("T-3", brand="ABB"))
    with pytest.raises(DomainError) as caught:
        check_coherence(with_brands("LS", rows=rows))
    abb, sangdo = caught.value.findings
    assert {abb.code, sangdo.code} == {ErrorCode.KNOWLEDGE_INVALID}
    assert {abb.path, sangdo.path} == {"$.rules.brands"}
    for finding, brand, row in ((abb, "ABB", "T-3 3P"), (sangdo, "SANGDO", "T-2 4P")):
        assert finding.data["value"] == brand
        for words in (finding.message.ko, finding.message.en):
            assert f"'{brand}'" in words
            assert f"({row})" in words
        assert '"replace"' in finding.hint.ko
        assert '"replace"' in finding.hint.en
    assert abb.data["total"] == 2


def test_only_the_first_rows_are_named() -> None:
    rows = tuple(breaker(f"T-{n}", brand="ABB") for n in range(MAX_NAMED + 1))
    with pytest.raises(DomainError) as caught:
        check_coherence(with_brands("LS", rows=rows))
    words = caught.value.main.message.en
    assert f"but {MAX_NAMED + 1} of its breakers" in words
    assert f"T-{MAX_NAMED - 1} 3P, ...)" in words


def test_version_without_a_breaker() -> None:
    with pytest.raises(DomainError) as caught:
        check_coherence(msgspec.structs.replace(seed_tables(), breakers=()))
    finding = caught.value.main
    assert (finding.code, finding.path) == (ErrorCode.KNOWLEDGE_INVALID, "$.breakers")
    assert "replace" in str(finding.data["allowed"])


def test_version_of_the_rules_stands_for_one_content() -> None:
    tables = seed_tables()
    same, known = tables.rules, KnownRules("v-1", tables.rules)
    newer = msgspec.structs.replace(same, version="next")
    other = msgspec.structs.replace(same, pole_pitch_above_dmm=1)
    check_coherence(tables, [known, KnownRules("v-2", newer)])
    check_coherence(msgspec.structs.replace(tables, rules=newer), [known])
    with pytest.raises(DomainError) as caught:
        check_coherence(tables, [known, KnownRules("v-2", other), KnownRules("v-3", other)])
    (finding,) = caught.value.findings
    assert (finding.code, finding.path) == (ErrorCode.KNOWLEDGE_INVALID, "$.rules.version")
    for words in (finding.message.ko, finding.message.en):
        assert f"'{same.version}'" in words
        assert "v-2" in words
    assert "new version" in str(finding.data["allowed"])
