"""What a validation tries: boards around the changed rows of every part."""

from typing import Any

from tests.integration.lifecycle import good, import_table, row, table, validate
from tests.services import Client

METER = {"code": "T-METER", "kind": "meter", "widthMm": 130, "heightMm": 130}
BOX = {
    "model": "T-BOX", "series": "T", "material": "STEEL", "location": "OUTDOOR",
    "mount": "SURFACE", "widthMm": 500, "heightMm": 700, "depthMm": 180,
}  # fmt: skip


def stage_parts(client: Client, label: str, parts: dict[str, Any], **more: str) -> Any:
    """Import these parts and validate."""
    good(import_table(client, label, parts, format="json", **more), 201)
    return validate(client, label)


def tried(answer: Any) -> list[tuple[str, list[object], str]]:
    return [(sample["part"], sample["row"], sample["role"]) for sample in answer["samples"]]


def test_changed_accessories_and_enclosures_are_tried(client: Client) -> None:
    answer = stage_parts(client, "v-a", {"accessories": [METER], "enclosures": [BOX]})
    assert (answer["valid"], answer["succeeded"]) == (True, 10)
    found = tried(answer)
    assert found.count(("accessories", ["T-METER"], "accessory")) == 5
    assert found.count(("enclosures", ["T-BOX"], "enclosure")) == 5
    chosen = [s["enclosure"] for s in answer["samples"] if s["part"] == "enclosures"]
    assert {"W": 500, "H": 700, "D": 180} in chosen


def test_kind_of_an_accessory_shows_in_its_board(client: Client) -> None:
    answer = stage_parts(client, "v-a", {"accessories": [{**METER, "kind": "lamp"}]})
    # A lamp is in the door, which wants a depth of 200 mm.
    assert {sample["enclosure"]["D"] for sample in answer["samples"]} == {200}


def test_kind_that_nobody_knows_is_a_warning(client: Client) -> None:
    answer = stage_parts(client, "v-a", {"accessories": [{**METER, "kind": "pilot_lamp"}]})
    assert answer["valid"] is True
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["part"], warning["row"]) == (
        "UNKNOWN_KIND", "accessories", ["T-METER"],
    )  # fmt: skip
    assert "lamp" in warning["message"]["en"]


def test_version_without_stock_is_valid_with_a_warning(client: Client) -> None:
    answer = stage_parts(client, "v-a", {"enclosures": []}, mode="replace")
    assert answer["valid"] is True
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["part"], warning["row"]) == ("NO_STOCK", "enclosures", [])


def test_breakers_are_named_as_before(client: Client) -> None:
    good(import_table(client, "v-a", table(row("T-100"))), 201)
    found = tried(validate(client, "v-a"))
    assert {(part, tuple(key)) for part, key, _ in found} == {("breakers", ("LS", "T-100", 3))}
    assert {role for _, _, role in found} == {"main", "branch"}
