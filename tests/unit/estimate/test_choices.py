"""What a form can offer follows from the knowledge and from the request's own model."""

from typing import Any

import msgspec
import pytest

from kis.estimate.choices import Choices, choices_of
from kis.estimate.gates import check_statements
from kis.estimate.model import BoardDraft
from kis.estimate.request import AccessoryItemRequest, BranchRequest, BreakerRequest
from kis.knowledge.model import Accessory
from kis.knowledge.model_search import ModelIndex
from kis.knowledge.snapshot import Snapshot, Tables
from tests.unit.knowledge.rows import breaker, seed_tables, tables_of


def offered(tables: Tables, *, allow_mixed: bool = False) -> Choices:
    snapshot = Snapshot(tables, label="v-1")
    return choices_of(snapshot, ModelIndex(tables.breakers).kinds, allow_mixed=allow_mixed)


@pytest.fixture(scope="module")
def seed() -> Choices:
    return offered(seed_tables())


def values(choices: Any) -> list[str]:
    return [choice.value for choice in choices]


def test_what_the_shipped_knowledge_offers(seed: Choices) -> None:
    assert seed.knowledge_version == "v-1"
    assert values(seed.brands) == ["LS", "SANGDO"]
    assert values(seed.forms) == ["ECONOMIC", "STANDARD"]
    assert values(seed.locations) == ["INDOOR", "OUTDOOR"]
    assert values(seed.mounts) == ["WALL", "SURFACE", "FLUSH", "STAND"]
    assert values(seed.materials) == ["STEEL", "SUS"]
    assert values(seed.device_types) == ["MCCB", "ELCB", "MCB", "RCBO"]
    assert seed.poles == ("1P", "2P", "3P", "4P")
    assert (seed.defaults.form, seed.defaults.material) == ("ECONOMIC", "STEEL")
    assert (seed.forms[0].ko, seed.forms[0].en) == ("경제형", "economic")


def test_types_and_poles_of_each_brand(seed: Choices) -> None:
    rows = seed_tables().breakers
    for brand in seed.brands:
        assert {(each.value, poles) for each in brand.types for poles in each.poles} == {
            (row.type, f"{row.poles}P") for row in rows if row.brand == brand.value
        }


def test_only_what_there_are_breakers_of() -> None:
    choices = offered(tables_of(breaker("A", 2), breaker("B", 3, type="MCB")))
    assert values(choices.device_types) == ["MCCB", "MCB"]
    assert choices.poles == ("2P", "3P")
    ls, sangdo = choices.brands
    assert [(each.value, each.poles) for each in ls.types] == [("MCCB", ("2P",)), ("MCB", ("3P",))]
    assert sangdo.types == ()


@pytest.mark.parametrize("allow_mixed", [True, False])
def test_mixed_brands_are_offered_where_a_board_may_have_them(allow_mixed: bool) -> None:
    choices = offered(
        tables_of(breaker("A", 2), breaker("B", 3, brand="SANGDO")), allow_mixed=allow_mixed
    )
    assert values(choices.brands) == ["LS", "SANGDO", *(["MIXED"] if allow_mixed else [])]
    rules = seed_tables().rules
    for brand in (*values(choices.brands), "MIXED"):
        findings = check_statements(BoardDraft(brand=brand), rules, allow_mixed=allow_mixed)
        is_refused = any(finding.path == "$.brand" for finding in findings)
        assert is_refused == (brand not in values(choices.brands))
    if allow_mixed:
        (mccb,) = choices.brands[-1].types
        assert (choices.brands[-1].ko, mccb.poles) == ("혼용", ("2P", "3P"))


def test_places_tell_how_much_stock_there_is(seed: Choices) -> None:
    assert len(seed.installations) == 2 * 4 * 2
    stock = {(p.location, p.mount, p.material): p.stock for p in seed.installations}
    assert stock["INDOOR", "WALL", "STEEL"] == stock["INDOOR", "SURFACE", "STEEL"] > 0
    enclosures = seed_tables().enclosures
    # WALL and SURFACE are one to the stock.
    told = sum(count for (_, mount, _), count in stock.items() if mount != "WALL")
    assert told == len(enclosures)


def test_accessories_with_their_words_and_sizes(seed: Choices) -> None:
    assert values(seed.accessories) == [row.code for row in seed_tables().accessories]
    found = {choice.value: choice for choice in seed.accessories}
    meter, holder = found["METER-1PH"], found["FUSE-HOLDER"]
    assert (meter.kind, meter.ko, meter.en) == ("meter", "계기", "meter")
    assert (meter.W, meter.H, meter.D, meter.is_known) == (130, 80, None, True)
    assert (holder.W, holder.H, holder.is_known) == (30, None, False)
    assert found["DUCT-40x60"].is_known  # it takes no room


def test_accessory_of_a_kind_without_words() -> None:
    tables = msgspec.structs.replace(seed_tables(), accessories=(Accessory("R-1", "relay"),))
    (relay,) = offered(tables).accessories
    assert (relay.ko, relay.en, relay.is_known) == ("relay", "relay", False)


def test_fields_are_those_of_the_request(seed: Choices) -> None:
    for part, model in (
        ("main", BreakerRequest), ("branch", BranchRequest), ("accessory", AccessoryItemRequest),
    ):  # fmt: skip
        fields = seed.fields[part]  # type: ignore[index]
        assert [field.name for field in fields] == list(model.model_fields)
    found = {field.name: field for field in seed.fields["branch"]}
    assert found["poles"].values == ("1P", "2P", "3P", "4P")
    assert (found["af"].type, found["af"].minimum, found["af"].maximum) == ("integer", 1, 10_000)
    assert (found["quantity"].maximum, found["quantity"].default) == (1_000, 1)
    assert (found["name"].type, found["name"].max_length) == ("string", 200)
    code, quantity = seed.fields["accessory"]
    assert (code.required, quantity.required) == (True, False)
