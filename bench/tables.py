"""A big table of breakers, and what estimates feel while it is imported and activated."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from bench.load import Figures, Order, Summary, finish, start, summarise
from bench.service import ADMIN_API_KEY, API_KEY, Service

ROWS = 100_000
CONNECTIONS = 8
LABEL = "bench-100k"
COLUMNS = "brand,series,model,af,poles,width_mm,height_mm,depth_mm,meta"
FRAMES = (50, 100, 125, 200, 250, 400, 600, 800)
SETTLE_S = 0.5
LIMIT_S = 180.0


class Phase(NamedTuple):
    """One step: how long its request took, and the estimates that ran meanwhile."""

    name: str
    seconds: float
    estimates: Summary


def csv_of(rows: int) -> str:
    """Return a table of that many breakers of both brands, with meta as makers give it."""
    lines = [COLUMNS]
    for number in range(rows):
        frame = FRAMES[number % len(FRAMES)]
        poles = 2 + number // len(FRAMES) % 3
        brand, series = ("LS", "Metasol") if number % 2 else ("SANGDO", "SD")
        width = (25 + frame // 20) * poles
        height, depth = 100 + frame // 4, 60 + frame // 10
        grade = ("economy", "standard", "premium")[number % 3]
        meta = json.dumps({"type": "MCCB", "grade": grade, "at": [frame // 2, frame]})
        quoted = meta.replace('"', '""')
        model = f"BENCH-{number:06d}"
        lines.append(
            f'{brand},{series},{model},{frame},{poles}P,{width},{height},{depth},"{quoted}"'
        )
    return "\n".join(lines) + "\n"


def swap(service: Service, quiet_s: float, rows: int = ROWS) -> list[Phase]:
    """Import, validate and activate `rows` rows, and roll back, while estimates go on."""
    content = {"format": "csv", "content": csv_of(rows), "versionLabel": LABEL}
    label = {"versionLabel": LABEL}
    _, before = service.call("GET", "/v1/knowledge/versions/active", key=ADMIN_API_KEY)
    back = {"targetVersionLabel": before["label"], "reason": "benchmark"}
    steps = (
        ("import", "import", content),
        ("validate", "validate", {**label, "sampleSize": 10}),
        ("activate, with regression", "activate", {**label, "runRegression": True}),
        ("roll back", "rollback", back),
        ("activate, without regression", "activate", {**label, "runRegression": False}),
    )
    order = Order(
        port=service.port, connections=CONNECTIONS, key=API_KEY, run="swap", seconds=LIMIT_S
    )  # fmt: skip
    load = start(order)
    spans: list[tuple[str, float, float]] = []
    try:
        time.sleep(SETTLE_S)
        spans.append(_timed("quiet", partial(time.sleep, quiet_s)))
        for name, path, body in steps:
            spans.append(_timed(name, partial(_order, service, path, body)))
            time.sleep(SETTLE_S)
    finally:
        load.terminate()
        figures = finish(load, 0.0)
    return [Phase(name, end - began, _during(figures, began, end)) for name, began, end in spans]


def _order(service: Service, path: str, body: object) -> None:
    status, answer = service.call("POST", f"/v1/knowledge/tables/{path}", body, ADMIN_API_KEY)
    if status not in (200, 201):
        message = f"{path} was answered with {status}: {json.dumps(answer)[:500]}"
        raise RuntimeError(message)


def _timed(name: str, step: Callable[[], None]) -> tuple[str, float, float]:
    began = time.monotonic()
    step()
    return name, began, time.monotonic()


def _during(figures: Figures, began: float, end: float) -> Summary:
    """Summarise the requests that were under way between two moments."""
    chosen = [
        (at, took, status)
        for at, took, status in zip(figures.began, figures.took, figures.status, strict=True)
        if at + took >= began and at <= end
    ]
    return summarise(
        Figures(
            began=[at for at, _, _ in chosen], took=[took for _, took, _ in chosen],
            status=[status for _, _, status in chosen], broken=figures.broken,
            answered=len(chosen), cpu=0.0, ids=[],
        )
    )  # fmt: skip
