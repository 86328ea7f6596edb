"""치수 지식: the versions on a line of time, and one of them with what can be done to it."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from kis.access.keys import Scope
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.knowledge.activation import ActivationOrder
from kis.knowledge.progress import Tell
from kis.knowledge.store import Version
from kis.web.forms import read_form
from kis.web.pages.knowledge_words import suggested_label
from kis.web.parts import KnowledgeParts, Parts
from kis.web.telling import telling
from kis.web.visit import Page, Visit

HOME = "/console/knowledge"
SAMPLES = 100
SHOWN_ROWS = 500
"""How many rows of a part a difference lists on a page; all are counted."""
PARTS = ("breakers", "enclosures", "accessories", "rules")


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""
    about = _Pages(parts.knowledge)
    one = f"{HOME}/{{label}}"
    found = (
        ("GET", HOME, about.show_line),
        ("GET", one, about.show_version),
        ("GET", f"{one}/difference", about.show_difference),
        ("POST", f"{one}/validate", about.validate),
        ("POST", f"{one}/activate", about.activate),
        ("POST", f"{one}/rollback", about.roll_back),
        ("POST", f"{one}/delete", about.delete),
    )
    return tuple(Page(method, path, answer, Scope.ADMIN) for method, path, answer in found)


class _Pages:
    def __init__(self, parts: KnowledgeParts) -> None:
        self._parts = parts

    async def show_line(self, visit: Visit) -> Response:
        """Show all versions: in preparation, active, earlier."""
        versions = await self._parts.versions.list_versions()
        questions = await self._parts.versions.list_questions(include_closed=False)
        golden = await self._parts.golden.list_cases()
        steps = await self._parts.versions.list_steps()
        return visit.show(
            "knowledge/line.html",
            coming=[each for each in versions if each.activated_at is None],
            active=next(each for each in versions if each.active),
            since=steps[0], earlier=steps[1:], versions={each.id: each for each in versions},
            question_count=len(questions), golden_count=len(golden),
            label=suggested_label({each.label for each in versions}),
            deleted=visit.request.query_params.get("deleted", ""),
        )  # fmt: skip

    async def show_version(self, visit: Visit) -> Response:
        """Show one version."""
        version = await self._parts.versions.version(visit.named("label"))
        return await self._version_page(visit, version)

    async def _version_page(self, visit: Visit, version: Version, **more: Any) -> Response:
        versions = await self._parts.versions.list_versions()
        active = next(each for each in versions if each.active)
        by_id = {each.id: each.label for each in versions}
        asked = visit.request.query_params
        return visit.show(
            "knowledge/version.html", version=version, active=active,
            base=by_id.get(version.base_version_id or 0, ""),
            is_moved=version.state == "validated" and version.base_version_id != active.id,
            others=[each for each in versions if each.id != version.id],
            against=asked.get("against") or "",
            validation=await self._parts.versions.last_validation(version),
            steps=await self._parts.versions.list_steps(version),
            done=asked.get("done", ""), samples=SAMPLES, **more,
        )  # fmt: skip

    async def show_difference(self, visit: Visit) -> Response:
        """Show what a version has otherwise than another, cell by cell; or more rows of a part."""
        asked = visit.request.query_params
        label, against = visit.named("label"), asked.get("against") or None
        part, first = asked.get("part"), visit.count_asked("from")

        async def work(tell: Tell) -> Response:
            other, found = await self._parts.versions.compare(
                label, against, SHOWN_ROWS, first, tell
            )
            place = f"{HOME}/{label}/difference?{urlencode({'against': other})}"
            if part in PARTS:
                return visit.show(
                    "knowledge/difference_part.html", part=part, found=getattr(found, part),
                    first=first, a_page=SHOWN_ROWS, more=place,
                )  # fmt: skip
            return visit.show(
                "knowledge/difference.html", against=other, difference=found, more=place,
                a_page=SHOWN_ROWS,
            )  # fmt: skip

        return await telling(visit, work, changes=False)

    async def validate(self, visit: Visit) -> Response:
        """Lay the version on the active one, and try sample boards."""
        label = visit.named("label")

        async def work(tell: Tell) -> Response:
            await self._parts.staging.validate(label, SAMPLES, visit.actor, tell)
            return _go(label, "validated")

        return await telling(visit, work, changes=True)

    async def activate(self, visit: Visit) -> Response:
        """Make the version active; the name is typed once more, with a reason."""
        label, form = visit.named("label"), await _confirmed(visit)
        order = ActivationOrder(
            label, "activate", run_regression=True, force=form.get("force") == "yes",
            reason=form["reason"],
        )  # fmt: skip

        async def work(tell: Tell) -> Response:
            try:
                await self._parts.activate(order, visit.actor, tell)
            except DomainError as error:
                if error.main.code is not ErrorCode.REGRESSION_FAILED:
                    raise
                return visit.show(
                    "knowledge/refused_by_golden.html", 409, findings=error.findings,
                    regression=error.main.data["regression"], request_id=visit.context.request_id,
                )  # fmt: skip
            return _go(label, "activated")

        return await telling(visit, work, changes=True)

    async def roll_back(self, visit: Visit) -> Response:
        """Return to a version that was active before."""
        label, form = visit.named("label"), await _confirmed(visit)
        order = ActivationOrder(label, "rollback", run_regression=False, reason=form["reason"])

        async def work(tell: Tell) -> Response:
            await self._parts.activate(order, visit.actor, tell)
            return _go(label, "rolled_back")

        return await telling(visit, work, changes=True)

    async def delete(self, visit: Visit) -> Response:
        """Delete a version that is not active."""
        label = visit.named("label")
        await _confirmed(visit, needs_reason=False)
        await self._parts.versions.delete(label, visit.actor)
        return RedirectResponse(f"{HOME}?deleted={label}", 303)


def _go(label: str, done: str) -> Response:
    return RedirectResponse(f"{HOME}/{label}?done={done}", 303)


async def _confirmed(visit: Visit, *, needs_reason: bool = True) -> dict[str, str]:
    """Return the form of a step that is hard to undo.

    Raises:
        DomainError: REQ_MORE_INFO, another name was typed, or no reason.

    """
    form = {name: value.strip() for name, value in (await read_form(visit.request)).items()}
    label = visit.named("label")
    if form.get("confirm") != label:
        raise refusal(
            ErrorCode.REQ_MORE_INFO,
            Text("버전 이름이 다릅니다.", "The version's name is not what was typed."),
            Text(f"그대로 적으십시오: {label}", f"Type it as it is: {label}"),
            "$.confirm",
        )
    if needs_reason and not form.get("reason"):
        raise refusal(
            ErrorCode.REQ_MORE_INFO,
            Text("사유가 없습니다.", "There is no reason."),
            Text("왜 하는지 적으십시오. 이력에 남습니다.", "Say why: the history keeps it."),
            "$.reason",
        )
    return {"reason": "", **form}
