"""/metrics: what is looked up when it is asked for."""

import re

from kis.knowledge.first import FIRST_LABEL
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
from tests.services import Client, board


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


def test_commits_and_their_writes(client: Client) -> None:
    before = metrics(client)
    good(estimate(client, board()), 201)
    after = metrics(client)
    assert after["kis_commits"] == before["kis_commits"] + 1
    assert after["kis_committed_writes"] == before["kis_committed_writes"] + 1
    assert after["kis_write_queue_depth"] == 0
