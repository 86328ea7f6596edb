"""/v1/models and /v1/choices: what the active knowledge offers to whoever types a board."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import (
    FIRST,
    activate,
    estimate,
    good,
    main_only,
    publish,
    roll_back,
    row,
    stage,
)
from tests.integration.problems import problem_of
from tests.services import Client, board, running_client

MODELS, CHOICES = "/v1/models", "/v1/choices"


def find(client: Client, **query: object) -> Any:
    return good(client.get(MODELS, params={name: str(value) for name, value in query.items()}))


def models(client: Client, **query: object) -> list[str]:
    return [item["model"] for item in find(client, **query)["items"]]


@SQLITE_ONLY  # it is all in memory
def test_model_as_it_is_typed(client: Client) -> None:
    found = find(client, q="metasol", limit=5)
    assert found == {"knowledgeVersion": FIRST, "items": [], "more": False}
    found = find(client, q="abn53")
    assert found["items"] == [
        {
            "brand": "LS", "model": "ABN-53", "series": "METASOL", "type": "MCCB", "af": 50,
            "poles": ["3P"], "ratedCurrents": [20, 30, 40, 50],
            "bodies": [
                {"poles": "3P", "W": 75, "H": 130, "D": 60, "ratedCurrents": [20, 30, 40, 50]}
            ],
        }
    ]  # fmt: skip
    assert '"W":75,' in client.get(f"{MODELS}?q=abn53").text
    assert find(client, q="bkn-2")["items"][0]["bodies"][0]["W"] == 35.6


@SQLITE_ONLY
def test_poles_of_one_model_come_together(client: Client) -> None:
    publish(client, "v-2", row("M-600", af=600, poles=3), row("M-600", af=600, poles=4, width=120))
    (item,) = find(client, q="m600")["items"]
    assert item["poles"] == ["3P", "4P"]
    assert [(body["poles"], body["W"]) for body in item["bodies"]] == [("3P", 90), ("4P", 120)]
    assert item["ratedCurrents"] == []


@SQLITE_ONLY
def test_brand_device_limit_and_frame(client: Client) -> None:
    everything = find(client, limit=100)
    assert (len(everything["items"]), everything["more"]) == (100, True)
    assert len(find(client)["items"]) == 20
    elcb = find(client, device="ELCB", brand="SANGDO", limit=100)
    assert {(item["brand"], item["type"]) for item in elcb["items"]} == {("SANGDO", "ELCB")}
    assert not elcb["more"]
    for q in ("100AF", "100 af"):
        assert {item["af"] for item in find(client, q=q, limit=100)["items"]} == {100}
    assert 100 in {item["af"] for item in find(client, q="100", limit=100)["items"]}
    assert models(client, q="sbs54", brand="LS") == []
    assert models(client, q="sbs54", brand="MIXED") == ["SBS-54"]
    assert models(client, q="sbs54", brand="", device="") == ["SBS-54"]


@SQLITE_ONLY
def test_what_is_found_can_be_estimated(client: Client) -> None:
    for item in find(client, brand="LS", device="MCCB", q="100AF", limit=3)["items"]:
        request = main_only(item["model"])
        request["main"]["poles"] = item["poles"][0]
        good(estimate(client, request), 201)


def test_it_is_of_the_active_version(client: Client) -> None:
    """Before and after a swap, and back: each version has an index of its own."""
    assert models(client, q="new-1") == []
    stage(client, "v-2", row("NEW-1"))
    assert models(client, q="new-1") == []
    good(activate(client, "v-2"))
    assert models(client, q="new-1") == ["NEW-1"]
    assert find(client, q="new-1")["knowledgeVersion"] == "v-2"
    assert good(client.get(CHOICES))["knowledgeVersion"] == "v-2"
    good(roll_back(client, FIRST))
    assert models(client, q="new-1") == []
    assert good(client.get(CHOICES))["knowledgeVersion"] == FIRST


@SQLITE_ONLY
def test_many_who_ask_first_have_it_made_once(client: Client) -> None:
    made = []
    active = client.application.services.knowledge.current
    assert active.models is None

    async def ask() -> None:
        response = await client.asend("GET", f"{MODELS}?q=abn53")
        assert len(good(response)["items"]) == 1
        made.append(active.models)

    client.gather(*(ask() for _ in range(10)))
    assert len({id(index) for index in made}) == 1
    assert made[0] is not None


@SQLITE_ONLY
def test_choices_of_a_form(client: Client) -> None:
    choices = good(client.get(CHOICES))
    assert [brand["value"] for brand in choices["brands"]] == ["LS", "SANGDO"]
    assert choices["forms"][0] == {"value": "ECONOMIC", "ko": "경제형", "en": "economic"}
    assert choices["installations"][0] == {
        "location": "INDOOR", "mount": "WALL", "material": "STEEL",
        "stock": choices["installations"][0]["stock"],
    }  # fmt: skip
    (meter,) = [choice for choice in choices["accessories"] if choice["value"] == "METER-1PH"]
    assert meter == {
        "value": "METER-1PH", "ko": "계기", "en": "meter", "kind": "meter",
        "W": 130, "H": 80, "D": None, "isKnown": True,
    }  # fmt: skip
    assert choices["fields"]["accessory"] == [
        {"name": "code", "type": "string", "required": True, "maxLength": 100},
        {"name": "quantity", "type": "integer", "required": False, "minimum": 1, "maximum": 1000,
         "default": 1},
    ]  # fmt: skip


@SQLITE_ONLY
def test_every_choice_can_be_estimated(client: Client) -> None:
    choices = good(client.get(CHOICES))
    for place in choices["installations"]:
        installation = {name: place[name] for name in ("location", "mount", "material")}
        made = good(estimate(client, board(installation=installation)), 201)
        assert (made["enclosure"]["source"] == "madeToOrder") or place["stock"]
    for choice in choices["accessories"]:
        items = [{"code": choice["value"], "quantity": 1}]
        response = estimate(client, board(accessories={"enabled": True, "items": items}))
        assert response.status_code == (201 if choice["isKnown"] else 422)


def test_mixed_is_offered_where_it_is_allowed(tmp_path: Path) -> None:
    with running_client(tmp_path / "home", ALLOW_MIXED_BRAND="true") as client:
        brands = good(client.get(CHOICES))["brands"]
        assert (brands[-1]["value"], brands[-1]["ko"]) == ("MIXED", "혼용")


@SQLITE_ONLY
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"), ("limit", "101"), ("limit", ""), ("device", "mccb"), ("device", "X"),
        ("q", "x" * 101), ("q", "\x00"), ("q", "a\tb"), ("brand", "x" * 101), ("brand", "\n"),
    ],
)  # fmt: skip
def test_value_that_is_not_allowed(client: Client, name: str, value: str) -> None:
    problem = problem_of(client.get(f"{MODELS}?{name}={quote(value)}"), 400, "INVALID_REQUEST")
    assert problem["path"] == f"$.query.{name}"


@SQLITE_ONLY
def test_unknown_parameter(client: Client) -> None:
    problem = problem_of(client.get(f"{MODELS}?query=abn"), 400, "INVALID_REQUEST")
    assert "brand, device, q, limit" in problem["hint"]
