"""What a real service tells Prometheus, and what an expression asks for."""

import re
from pathlib import Path

from tests.services import board, running_client

ROOT = Path(__file__).parents[2]
OPS = ROOT / "ops"
_SUFFIXES = {"histogram": ("_bucket", "_count", "_sum")}


def metrics_of_a_service(home: Path) -> str:
    """Return /metrics of a service that has made an estimate."""
    with running_client(home) as client:
        client.post("/v1/estimate/create", board())
        return client.get("/metrics", key=None).text


def series_in(metrics: str) -> set[str]:
    """Return the names that can be asked for: also of those that have no sample now."""
    declared = re.findall(r"^# TYPE (\S+) (\S+)$", metrics, re.MULTILINE)
    return {name + suffix for name, kind in declared for suffix in _SUFFIXES.get(kind, ("",))}


def series_asked_for(expression: str) -> set[str]:
    """Return the names of this program's series; recorded ones (kis:...) are others."""
    return set(re.findall(r"\bkis_\w+(?!:)\b", expression))
