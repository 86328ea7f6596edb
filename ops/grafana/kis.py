"""Writes the Grafana dashboard: python ops/grafana/kis.py > ops/grafana/kis.json."""

import json
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH = 24
HEIGHTS = {"stat": 4, "timeseries": 8, "heatmap": 8, "row": 1}
COLUMNS = {"stat": 6, "timeseries": 3, "heatmap": 3, "row": 1}
"""How many stand beside each other."""
OURS = 'job=~"$job",instance=~"$instance"'
CREATE = 'route="/v1/estimate/create"'


class Panel(NamedTuple):
    """A panel: its expressions with their legends; `limit` is where it turns red.

    `limit` below zero: red below its amount.
    """

    title: str
    unit: str
    targets: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    limit: float | None = None


def stat(title: str, unit: str, expression: str, limit: float | None = None) -> Panel:
    """Return a panel with one figure."""
    return Panel(title, unit, ((expression, ""),), "stat", limit)


def quantiles(series: str, labels: str = "") -> tuple[tuple[str, str], ...]:
    """Return the expressions for the median, p95 and p99 of a histogram."""
    picked = f"{OURS},{labels}" if labels else OURS
    buckets = f"sum by (le) (rate({series}_bucket{{{picked}}}[$__rate_interval]))"
    return tuple(
        (f"histogram_quantile({share}, {buckets})", legend)
        for share, legend in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    )


def rate(series: str, by: str, labels: str = "") -> tuple[tuple[str, str], ...]:
    """Return the expression for how often a second, by a label."""
    picked = f"{OURS},{labels}" if labels else OURS
    return ((f"sum by ({by}) (rate({series}{{{picked}}}[$__rate_interval]))", f"{{{{{by}}}}}"),)


def of(series: str) -> str:
    """Return the selection of a series of the chosen services."""
    return f"{series}{{{OURS}}}"


HIT_RATIO = (
    f'sum(rate(kis_lookups_total{{{OURS},result="hit"}}[$__rate_interval]))'
    f" / sum(rate({of('kis_lookups_total')}[$__rate_interval]))"
)
DISK_USED = f"1 - {of('kis_disk_free_bytes')} / {of('kis_disk_size_bytes')}"
BACKUP_AGE = f"time() - {of('kis_last_backup_timestamp_seconds')}"
KEY_ENDS = f"{of('kis_key_expiry_timestamp_seconds')} - time()"
COMMITS = f"sum(rate({of('kis_commit_batch_size_count')}[$__rate_interval]))"
WRITES = f"sum(rate({of('kis_commit_batch_size_sum')}[$__rate_interval]))"
BATCHES = f"sum by (le) (increase({of('kis_commit_batch_size_bucket')}[$__rate_interval]))"

ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "한눈에 At a glance",
        (
            stat("응답하는 워커 Workers", "short", f"sum({of('kis_workers')})", -1),
            stat(
                "5xx 비율, 1시간 5xx over 1 h", "percentunit",
                'kis:request_errors:ratio_rate1h{job=~"$job"}', 0.01,
            ),
            stat(
                "250 ms 초과 견적, 1시간 Slow creates over 1 h", "percentunit",
                'kis:slow_creates:ratio_rate1h{job=~"$job"}', 0.01,
            ),
            stat("마지막 백업 Last backup", "s", f"max({BACKUP_AGE})", 26 * 3600),
            stat("디스크 사용 Disk used", "percentunit", f"max({DISK_USED})", 0.85),
            stat("데이터베이스 Database", "bytes", f"max({of('kis_database_bytes')})", 2**30),
        ),
    ),
    (
        "요청 Requests",
        (
            Panel("상태별 요청 By status", "reqps", rate("kis_requests_total", "status")),
            Panel("경로별 요청 By route", "reqps", rate("kis_requests_total", "route")),
            Panel(
                "견적 생성 시간 Time of a create", "s",
                quantiles("kis_request_seconds", CREATE), limit=0.25,
            ),
            Panel(
                "가용성 여유 소진 속도 Burn rate, availability", "short",
                (
                    ('kis:request_errors:ratio_rate1h{job=~"$job"} / 0.001', "1h"),
                    ('kis:request_errors:ratio_rate6h{job=~"$job"} / 0.001', "6h"),
                    ('kis:request_errors:ratio_rate3d{job=~"$job"} / 0.001', "3d"),
                ),
                limit=1,
            ),
            Panel(
                "지연 여유 소진 속도 Burn rate, latency", "short",
                (
                    ('kis:slow_creates:ratio_rate1h{job=~"$job"} / 0.01', "1h"),
                    ('kis:slow_creates:ratio_rate6h{job=~"$job"} / 0.01', "6h"),
                    ('kis:slow_creates:ratio_rate3d{job=~"$job"} / 0.01', "3d"),
                ),
                limit=1,
            ),
            Panel(
                "거절 Refused requests", "reqps",
                rate("kis_requests_total", "status", 'status=~"401|403|429"'),
            ),
        ),
    ),
    (
        "견적 Estimates",
        (
            Panel("결과 Outcomes", "cps", rate("kis_estimates_total", "outcome")),
            Panel(
                "되물은 견적 Asked instead of guessing", "cps",
                rate("kis_abstentions_total", "code"),
            ),
            Panel("조회 적중률 Lookup hits", "percentunit", ((HIT_RATIO, "hit"),)),
        ),
    ),
    (
        "지식 Knowledge",
        (
            Panel(
                "활성 버전 Active version", "short",
                ((of("kis_active_knowledge_info"), "{{version}}"),),
            ),
            Panel(
                "행, 지식 없는 워커 Rows, workers without knowledge", "short",
                (
                    (of("kis_breaker_rows"), "rows {{instance}}"),
                    (of("kis_workers_without_knowledge"), "without {{instance}}"),
                ),
            ),
            Panel("교체 시간 Time of a swap", "s", quantiles("kis_swap_seconds")),
        ),
    ),
    (
        "쓰기 Writes",
        (
            Panel("커밋, 쓰기 Commits, writes", "cps", ((COMMITS, "commits"), (WRITES, "writes"))),
            Panel(
                "한 커밋의 쓰기 수 Writes of a commit", "short",
                ((BATCHES, "{{le}}"),), "heatmap",
            ),
            Panel(
                "기다리는 쓰기 Waiting writes", "short",
                ((of("kis_write_queue_depth"), "{{instance}}"),),
            ),
        ),
    ),
    (
        "자원 Resources",
        (
            Panel("메모리 Memory", "bytes", ((of("kis_resident_bytes"), "{{worker}}"),)),
            Panel("디스크 사용 Disk used", "percentunit", ((DISK_USED, "{{folder}}"),), limit=0.85),
            Panel(
                "데이터베이스 Database", "bytes",
                ((of("kis_database_bytes"), "{{instance}}"),), limit=2**30,
            ),
        ),
    ),
    (
        "보관과 키 Keeping, keys",
        (
            Panel(
                "마지막 백업의 나이 Age of the last backup", "s",
                ((BACKUP_AGE, "{{instance}}"),), limit=26 * 3600,
            ),
            Panel(
                "백업 크기 Size of the last backup", "bytes",
                ((of("kis_last_backup_bytes"), "{{instance}}"),),
            ),
            Panel(
                "저널이 뒤처진 시간 Lag of the journal", "s",
                ((of("kis_journal_lag_seconds"), "{{instance}}"),), limit=10,
            ),
            Panel(
                "저널 크기 Size of the journal", "bytes",
                ((of("kis_journal_bytes"), "{{instance}}"),),
            ),
            Panel(
                "키가 끝날 때까지 Until a key ends", "s",
                ((KEY_ENDS, "{{scope}} {{key_id}}"),), limit=-14 * 86_400,
            ),
            Panel(
                "증거 검증 Evidence verified", "cps",
                rate("kis_evidence_verifications_total", "result"),
            ),
        ),
    ),
)  # fmt: skip


def steps(limit: float | None) -> list[dict[str, Any]]:
    """Return where the colour changes."""
    if limit is None:
        return [{"color": "green", "value": None}]
    first, then = ("green", "red") if limit > 0 else ("red", "green")
    return [{"color": first, "value": None}, {"color": then, "value": abs(limit)}]


def panel_json(panel: Panel, number: int) -> dict[str, Any]:
    """Return a panel as Grafana keeps it, without its place."""
    thresholds = {"mode": "absolute", "steps": steps(panel.limit)}
    custom = {"thresholdsStyle": {"mode": "off" if panel.limit is None else "line"}}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": SOURCE,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "thresholds": thresholds,
                "custom": custom if panel.kind == "timeseries" else {},
            },
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend or "__auto",
                **({"format": "heatmap"} if panel.kind == "heatmap" else {}),
            }
            for index, (expression, legend) in enumerate(panel.targets)
        ],
    }


def placed(rows: Iterable[tuple[str, tuple[Panel, ...]]]) -> list[dict[str, Any]]:
    """Return all panels with their places, a heading above each group."""
    found: list[dict[str, Any]] = []
    top = 0
    for title, panels in rows:
        heading = {"id": len(found) + 1, "type": "row", "title": title, "collapsed": False}
        found.append(heading | {"panels": [], "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}})
        top += 1
        columns, height = COLUMNS[panels[0].kind], HEIGHTS[panels[0].kind]
        for index, panel in enumerate(panels):
            line, column = divmod(index, columns)
            wide = WIDTH // columns
            place = {"x": column * wide, "y": top + line * height, "w": wide, "h": height}
            found.append(panel_json(panel, len(found) + 1) | {"gridPos": place})
        top += height * -(-len(panels) // columns)
    return found


def chosen(name: str, label: str, picked: str) -> dict[str, Any]:
    """Return a choice of the values of a label, all at first."""
    query = f"label_values({picked}, {name})"
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE, "query": query,
        "definition": query, "refresh": 2, "multi": True, "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }  # fmt: skip


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    firing = 'ALERTS{alertstate="firing",alertname=~"Kis.*"}'
    alerts = {
        "name": "경보 Alerts", "datasource": SOURCE, "enable": True, "iconColor": "red",
        "expr": firing, "titleFormat": "{{alertname}}", "step": "1m",
    }  # fmt: skip
    return {
        "uid": "kis", "title": "KIS", "tags": ["kis"], "schemaVersion": 39, "editable": True,
        "timezone": "browser", "refresh": "30s", "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                source,
                chosen("job", "job", "kis_workers"),
                chosen("instance", "instance", 'kis_workers{job=~"$job"}'),
            ]
        },
        "annotations": {"list": [alerts]},
        "panels": placed(ROWS),
    }  # fmt: skip


def text() -> str:
    """Return it as the file holds it."""
    return json.dumps(dashboard(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
