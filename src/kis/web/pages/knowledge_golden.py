"""기준 사례: boards pinned at their size; what changed is reviewed, and accepted for a reason."""

from starlette.responses import RedirectResponse, Response

from kis.access.keys import Scope
from kis.api.golden import GoldenRequest
from kis.estimate.redrawing import request_of
from kis.estimate.request import parse_body
from kis.web.forms import read_form
from kis.web.parts import Parts
from kis.web.visit import Page, Visit

HERE = "/console/knowledge/golden"


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""
    about = _Pages(parts)
    found = (
        ("GET", HERE, about.show),
        ("POST", HERE, about.pin),
        ("POST", f"{HERE}/{{name}}/accept", about.accept),
        ("POST", f"{HERE}/{{name}}/delete", about.delete),
    )
    return tuple(Page(method, path, answer, Scope.ADMIN) for method, path, answer in found)


class _Pages:
    def __init__(self, parts: Parts) -> None:
        self._estimates = parts.estimates
        self._parts = parts.knowledge
        self._active = parts.active

    async def show(self, visit: Visit) -> Response:
        """Show every case with the size it has now."""
        snapshot = self._active.current.snapshot
        now = await self._parts.golden.rerun(snapshot)
        cases = await self._parts.golden.list_cases()
        return visit.show(
            "knowledge/golden.html",
            cases=[(case, case.as_case().expected) for case in cases],
            changed={case.name: case for case in now.cases}, active=snapshot.label,
            last=await self._parts.versions.last_regression(),
            estimate=visit.request.query_params.get("estimate", ""),
        )  # fmt: skip

    async def pin(self, visit: Visit) -> Response:
        """Pin a stored estimate's board at the size that it has now."""
        form = await read_form(visit.request)
        answer = await self._estimates.load_answer(form.get("estimate", "").strip())
        wanted = parse_body(
            GoldenRequest,
            {
                "name": form.get("name", "").strip(), "request": request_of(answer),
                "note": form.get("note", "").strip(),
            },
        )  # fmt: skip
        await self._parts.golden.pin(wanted.name, wanted.request, None, wanted.note, visit.actor)
        return RedirectResponse(HERE, 303)

    async def accept(self, visit: Visit) -> Response:
        """Pin a case at its new size."""
        form = await read_form(visit.request)
        await self._parts.golden.accept(visit.named("name"), form.get("reason", ""), visit.actor)
        return RedirectResponse(HERE, 303)

    async def delete(self, visit: Visit) -> Response:
        """Remove a case."""
        await self._parts.golden.delete(visit.named("name"), visit.actor)
        return RedirectResponse(HERE, 303)
