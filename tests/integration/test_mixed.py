"""Boards of several brands, where the installation allows them."""

from pathlib import Path

import pytest

from tests.integration.lifecycle import good
from tests.integration.problems import problem_of
from tests.services import board, running_client

CREATE = "/v1/estimate/create"
MIXED = board(
    brand="MIXED",
    main={"brand": "SANGDO", "model": "SBS-54", "poles": "4P"},
    branches=[{"brand": "LS", "model": "ABN-52", "quantity": 2}, {"model": "SIE-32"}],
)


def test_mixed_board_where_it_is_allowed(tmp_path: Path) -> None:
    with running_client(tmp_path / "home", ALLOW_MIXED_BRAND="true") as client:
        answer = good(client.post(CREATE, MIXED), 201)
        brands = {item.get("brand") for item in answer["billOfMaterials"]}
        assert {"SANGDO", "LS"} <= brands
        package = good(client.get(f"/v1/evidence/{answer['id']}"))
        assert good(client.post("/v1/evidence/verify", package))["valid"]


def test_mixed_board_where_it_is_not(tmp_path: Path) -> None:
    with running_client(tmp_path / "home") as client:
        problem = problem_of(client.post(CREATE, MIXED), 422, "BRAND_CONFLICT")
        assert problem["path"] == "$.brand"


@pytest.mark.parametrize("line", [{"af": 50, "poles": "4P"}])
def test_line_by_frame_states_its_brand(tmp_path: Path, line: dict[str, object]) -> None:
    with running_client(tmp_path / "home", ALLOW_MIXED_BRAND="true") as client:
        response = client.post(CREATE, {**MIXED, "main": line})
        assert problem_of(response, 422, "REQ_MORE_INFO")["path"] == "$.main.brand"
