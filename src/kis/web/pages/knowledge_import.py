"""An upload from the desk: looked at first, then imported as a version."""

from pathlib import PurePath

from starlette.responses import RedirectResponse, Response

from kis.access.keys import Scope
from kis.api.knowledge import ImportRequest
from kis.errors import ErrorCode, Finding, Text, refusal
from kis.estimate.request import parse_body
from kis.knowledge.progress import Tell
from kis.knowledge.staging import ImportOrder
from kis.web.pages.knowledge_words import suggested_label
from kis.web.parts import KnowledgeParts, Parts
from kis.web.telling import telling
from kis.web.visit import Page, Visit

HOME = "/console/knowledge"
FORMATS = {".csv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".json": "json"}
SHOWN_ROWS = 100
MAX_REASON = 300


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""
    about = _Pages(parts.knowledge)
    return (
        Page("GET", f"{HOME}/import", about.go_home, Scope.ADMIN),
        Page("POST", f"{HOME}/import", about.take, Scope.ADMIN),
    )


class _Pages:
    def __init__(self, parts: KnowledgeParts) -> None:
        self._parts = parts

    async def go_home(self, _: Visit) -> Response:
        """Files are dropped on the line of time."""
        return RedirectResponse(HOME, 303)

    async def take(self, visit: Visit) -> Response:
        """Look at the file that is the body, or with a `label` import it under that."""
        asked = visit.request.query_params
        name = asked.get("name", "")
        kind = _kind_of(name)
        content = await visit.request.body()
        label = asked.get("label", "").strip()
        wanted = parse_body(
            ImportRequest,
            {
                "format": kind, "content": "", "versionLabel": label or "v",
                "mode": asked.get("mode", "add"),
            },
        )  # fmt: skip
        mode = wanted.mode

        async def look(tell: Tell) -> Response:
            seen = await self._parts.staging.preview(kind, content, mode, SHOWN_ROWS, tell)
            taken = {version.label for version in await self._parts.versions.list_versions()}
            active = await self._parts.versions.active_version()
            return visit.show(
                "knowledge/preview.html", name=name, mode=mode, seen=seen, against=active.label,
                label=suggested_label(taken), total=_total(seen.findings),
            )  # fmt: skip

        async def keep(tell: Tell) -> Response:
            reason = asked.get("reason", "").strip()[:MAX_REASON]
            told = f"{reason} ({name})" if reason else name
            order = ImportOrder(label, kind, content, mode, told)
            await self._parts.staging.import_tables(order, visit.actor, tell)
            return RedirectResponse(f"{HOME}/{label}?done=imported", 303)

        return await telling(visit, keep if label else look, changes=bool(label))


def _kind_of(name: str) -> str:
    kind = FORMATS.get(PurePath(name).suffix.lower())
    if kind is None:
        raise refusal(
            ErrorCode.KNOWLEDGE_INVALID,
            Text(f"표 파일이 아닙니다: {name}", f"Not a file of tables: {name}"),
            Text(
                "CSV, XLSX, JSON 파일을 놓으십시오. XLS 파일은 Excel에서 XLSX로 저장하십시오.",
                "Drop a CSV, XLSX or JSON file. Save XLS files as XLSX in Excel.",
            ),
            "$.name",
        )
    return kind


def _total(findings: tuple[Finding, ...]) -> int:
    """Return how many findings there are; only the first hundred are kept."""
    total = findings[0].data.get("total", len(findings)) if findings else 0
    return total if isinstance(total, int) else len(findings)
