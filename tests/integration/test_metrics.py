"""/metrics: what is looked up when it is asked for."""

import os
import re
import socket
from datetime import datetime
from pathlib import Path

import pytest

from kis.access.keys import Scope, key_id_for
from kis.knowledge.first import FIRST_LABEL
from kis.knowledge.workers import Failure
from kis.serving.bounded import MOST_OUTSIDE_BYTES
from tests.backends import SQLITE_ONLY
from tests.integration.lifecycle import (
    estimate,
    good,
    main_only,
    publish,
    refused,
    roll_back,
    row,
    version,
)
from tests.postgres import NOT_SAFE, PostgresServer
from tests.services import API_KEY, Client, Server, board, running_client

API_ID = key_id_for(Scope.API, API_KEY)


def metrics(client: Client) -> dict[str, float]:
    """Return every sample by its name with labels."""
    response = client.get("/metrics", key=None)
    assert response.headers["content-type"].startswith("text/plain")
    samples = re.findall(r"^(kis_\S*(?:\{.*\})?) (\S+)$", response.text, re.MULTILINE)
    return {name: float(value) for name, value in samples}


def shown_active(client: Client) -> list[str]:
    return [name for name in metrics(client) if name.startswith("kis_active_knowledge_info")]


def test_rows_are_those_of_the_active_version(client: Client) -> None:
    assert metrics(client)["kis_breaker_rows"] == 108
    publish(client, "v-a", row("T-100"), row("T-200"))
    assert metrics(client)["kis_breaker_rows"] == 110
    good(roll_back(client, FIRST_LABEL))
    assert metrics(client)["kis_breaker_rows"] == 108


def test_one_version_is_shown_active(client: Client) -> None:
    publish(client, "v-a", row("T-100"))
    (shown,) = shown_active(client)
    assert 'version="v-a"' in shown
    assert f'digest="{version(client, "v-a")["digest"]}"' in shown


def test_outcomes_and_lookups_are_counted(client: Client) -> None:
    good(estimate(client, board()), 201)
    refused(estimate(client, main_only("T-100")), 422, "NEED_KNOWLEDGE_UPDATE")
    found = metrics(client)
    assert found['kis_estimates_total{outcome="created"}'] == 1
    assert found['kis_estimates_total{outcome="NEED_KNOWLEDGE_UPDATE"}'] == 1
    assert found['kis_lookups_total{result="hit"}'] == 1
    assert found['kis_lookups_total{result="miss"}'] == 1


@SQLITE_ONLY
def test_what_a_connection_is_refused_is_counted(server: Server) -> None:
    """No route has it, nor does it take any time of one."""
    name = 'kis_requests_total{method="-",route="-",status="431"}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX-Endless: ".ljust(MOST_OUTSIDE_BYTES + 1, b"a"))
        assert client.recv(12) == b"HTTP/1.1 431"
    text = server.request("GET", "/metrics").text
    assert f"{name} 1.0" in text
    assert 'kis_request_seconds_count{route="-"}' not in text


def test_commits_and_their_writes(client: Client) -> None:
    before = metrics(client)
    good(estimate(client, board()), 201)
    after = metrics(client)
    for figure in ("count", "sum"):
        name = f"kis_commit_batch_size_{figure}"
        assert after[name] == before[name] + 1
    assert after["kis_write_queue_depth"] == 0


def test_abstentions_are_counted_by_what_was_missing(client: Client) -> None:
    refused(estimate(client, main_only("T-100")), 422, "NEED_KNOWLEDGE_UPDATE")
    unsaid = {name: part for name, part in board().items() if name != "branches"}
    refused(estimate(client, unsaid), 422, "REQ_MORE_INFO")
    refused(client.post("/v1/estimate/create", {"brand": 1}), 400, "INVALID_REQUEST")
    found = metrics(client)
    for code in ("NEED_KNOWLEDGE_UPDATE", "REQ_MORE_INFO"):
        assert found[f'kis_abstentions_total{{code="{code}"}}'] == 1
    assert sum(n for name, n in found.items() if name.startswith("kis_abstentions")) == 2


def test_verifications_are_counted_by_result(client: Client) -> None:
    estimate_id = good(estimate(client, board()), 201)["id"]
    package = good(client.get(f"/v1/evidence/{estimate_id}"))
    good(client.post("/v1/evidence/verify", package))
    package["statement"]["request"]["brand"] = "LS"
    good(client.post("/v1/evidence/verify", package))
    found = metrics(client)
    assert found['kis_evidence_verifications_total{result="valid"}'] == 1
    assert found['kis_evidence_verifications_total{result="invalid"}'] == 1


def test_swaps_are_timed(client: Client) -> None:
    assert metrics(client)["kis_swap_seconds_count"] == 0
    publish(client, "v-a", row("T-100"))
    good(roll_back(client, FIRST_LABEL))
    found = metrics(client)
    assert found["kis_swap_seconds_count"] == 2
    assert found["kis_swap_seconds_sum"] > 0


def test_sizes_of_what_is_there(client: Client) -> None:
    found = metrics(client)
    assert found["kis_database_bytes"] > 100_000
    disk = '{folder="home"}'
    assert 0 < found[f"kis_disk_free_bytes{disk}"] < found[f"kis_disk_size_bytes{disk}"]
    assert found[f'kis_resident_bytes{{worker="{os.getpid()}"}}'] > 10_000_000
    assert found["kis_workers"] == 1
    assert found["kis_workers_without_knowledge"] == 0


def test_keys_that_end_are_told(client: Client) -> None:
    expiry = "kis_key_expiry_timestamp_seconds"
    assert not [name for name in metrics(client) if name.startswith(expiry)]
    made = good(client.admin("POST", f"/v1/keys/{API_ID}/rotate", {}), 201)
    end = datetime.fromisoformat(made["replaced"]["expiresAt"]).timestamp()
    labels = f'{{key_id="{API_ID}",scope="api"}}'
    assert metrics(client)[expiry + labels] == pytest.approx(end, abs=0.001)


def test_version_that_cannot_be_loaded_is_not_shown_active(client: Client) -> None:
    client.application.services.knowledge.failure = Failure(7, "it is damaged")
    assert shown_active(client) == []
    assert metrics(client)["kis_workers_without_knowledge"] == 1


@SQLITE_ONLY
def test_size_of_a_file_that_went_is_not_known(client: Client) -> None:
    assert client.settings.database_file is not None
    client.settings.database_file.rename(client.settings.home / "elsewhere.db")
    assert "kis_database_bytes" not in metrics(client)
    assert metrics(client)["kis_workers"] == 1


def test_metrics_tell_without_the_database_too(tmp_path: Path) -> None:
    """On a server of its own, which is killed."""
    server = PostgresServer(*NOT_SAFE)
    server.execute("CREATE DATABASE kis")
    try:
        with running_client(tmp_path / "home", DATABASE_URL=server.url("kis")) as client:
            assert "kis_database_bytes" in metrics(client)
            server.kill()
            assert "kis_database_bytes" not in metrics(client)
            assert metrics(client)["kis_workers"] == 1
    finally:
        server.close()
