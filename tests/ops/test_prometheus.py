"""The alert rules: promtool has them, they fire when they should, and name what there is."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ops.told import OPS, ROOT, metrics_of_a_service, series_asked_for, series_in
from tests.programs import needs

FOLDER = OPS / "prometheus"
GROUPS = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
RULES: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
SCENES = sorted(FOLDER.glob("*_test.yml"))


def promtool(*words: str, text: str = "") -> None:
    done = subprocess.run(
        ["promtool", *words], cwd=FOLDER, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr or done.stderr.isspace(), done.stderr


@needs("promtool")
@pytest.mark.parametrize("kind_of_file", [("rules", "alerts.yml"), ("config", "prometheus.yml")])
def test_prometheus_takes_it(kind_of_file: tuple[str, str]) -> None:
    promtool("check", *kind_of_file)


@needs("promtool")
def test_alerts_fire_when_they_should_and_no_others() -> None:
    promtool("test", "rules", *(path.name for path in SCENES))


@needs("promtool")
def test_metrics_of_a_service_are_as_prometheus_likes_them(tmp_path: Path) -> None:
    promtool("check", "metrics", text=metrics_of_a_service(tmp_path / "home"))


def test_rules_ask_for_what_a_service_tells(tmp_path: Path) -> None:
    told = series_in(metrics_of_a_service(tmp_path / "home"))
    for rule in RULES:
        asked = series_asked_for(rule["expr"])
        assert asked <= told, rule


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alert_says_in_both_languages_what_to_do_and_has_a_scene(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert set(alert["annotations"]) == {
        "summary_ko", "summary_en", "action_ko", "action_en", "runbook",
    }  # fmt: skip
    chapter = r"docs/runbook.ko.md (\d)장 (.+) / docs/runbook.en.md chapter (\d), (.+)"
    found = re.fullmatch(chapter, alert["annotations"]["runbook"])
    assert found
    for language, number, title in (("ko", found[1], found[2]), ("en", found[3], found[4])):
        runbook = (ROOT / "docs" / f"runbook.{language}.md").read_text(encoding="utf-8")
        assert f"\n## {number}. {title}\n" in runbook
    fires = f'{{alertname="{alert["alert"]}"'
    scenes = "".join(path.read_text(encoding="utf-8") for path in SCENES)
    assert fires in scenes
