"""The Grafana dashboard: written by its script, of expressions that Prometheus takes."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.grafana import kis
from tests.ops.told import OPS, metrics_of_a_service, series_asked_for, series_in
from tests.programs import needs

FILE = OPS / "grafana" / "kis.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
QUERIES = [choice["query"] for choice in DASHBOARD["templating"]["list"]]
RULES = yaml.safe_load((OPS / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
RECORDED = {rule.get("record") for group in RULES["groups"] for rule in group["rules"]}


def test_file_is_what_the_script_writes(update_golden: bool) -> None:
    if update_golden:
        FILE.write_text(kis.text(), encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == kis.text(), "run pytest --update-golden"


def test_panels_ask_for_what_a_service_tells(tmp_path: Path) -> None:
    told = series_in(metrics_of_a_service(tmp_path / "home"))
    for expression in (*EXPRESSIONS, *QUERIES):
        assert series_asked_for(expression) <= told, expression
        assert set(re.findall(r"\bkis:[\w:]+", expression)) <= RECORDED, expression


def test_every_series_of_a_service_is_shown(tmp_path: Path) -> None:
    told = series_in(metrics_of_a_service(tmp_path / "home"))
    rules = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    asked = set().union(*map(series_asked_for, (*EXPRESSIONS, *rules)))
    # Of a histogram whose buckets are shown the sum need not be.
    assert {name for name in told - asked if not name.endswith(("_count", "_sum"))} == set()


@needs("promtool")
def test_prometheus_takes_the_expressions(tmp_path: Path) -> None:
    plain = [e.replace("$__rate_interval", "5m") for e in EXPRESSIONS]
    rules = [{"record": f"expression:{i}", "expr": e} for i, e in enumerate(plain)]
    file = tmp_path / "expressions.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=none", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < kis.WIDTH


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_panel_is_titled_in_both_languages(panel: dict[str, Any]) -> None:
    assert re.search("[가-힣]", panel["title"])
    assert re.search("[A-Za-z]", panel["title"])
