"""키: who holds which key; make, rotate and revoke them."""

from starlette.responses import Response

from kis.access.keys import Scope
from kis.access.rules import MAX_EXPIRY_DAYS, MAX_OVERLAP_DAYS, OVERLAP_DAYS
from kis.api.keys import CreateKeyRequest, RevokeKeyRequest, RotateKeyRequest
from kis.estimate.request import parse_body
from kis.ops.keys.service import EVIDENCE, KeyService, Made, Terms
from kis.web.forms import number_or_text, read_form
from kis.web.parts import Parts
from kis.web.visit import Page, Visit


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""
    shown = _KeyPages(parts.keys)
    return (
        Page("GET", "/console/keys", shown.show, Scope.ADMIN),
        Page("POST", "/console/keys", shown.create, Scope.ADMIN),
        Page("POST", "/console/keys/{key_id}/rotate", shown.rotate, Scope.ADMIN),
        Page("POST", "/console/keys/{key_id}/revoke", shown.revoke, Scope.ADMIN),
    )


class _KeyPages:
    def __init__(self, keys: KeyService) -> None:
        self._keys = keys

    async def show(self, visit: Visit, made: Made | None = None) -> Response:
        keys = await self._keys.list_keys()
        groups = {
            "api": [key for key in keys if key.scope != EVIDENCE],
            "evidence": [key for key in keys if key.scope == EVIDENCE],
        }
        return visit.show(
            "keys/page.html", made=made, groups=groups, overlap_days=OVERLAP_DAYS,
            max_overlap_days=MAX_OVERLAP_DAYS, max_expiry_days=MAX_EXPIRY_DAYS,
        )  # fmt: skip

    async def create(self, visit: Visit) -> Response:
        form = await read_form(visit.request)
        asked = {
            "scope": form.get("scope", ""),
            "label": form.get("label", ""),
            "expiresDays": number_or_text(form.get("expiresDays", "")),
        }
        order = parse_body(CreateKeyRequest, asked)
        terms = Terms(order.label, order.expiresDays)
        made = await self._keys.create(Scope(order.scope), terms, visit.actor)
        return await self.show(visit, made)

    async def rotate(self, visit: Visit) -> Response:
        form = await read_form(visit.request)
        days = number_or_text(form.get("overlapDays", ""))
        order = parse_body(RotateKeyRequest, {} if days is None else {"overlapDays": days})
        key_id = visit.named("key_id")
        terms = Terms(overlap_days=order.overlapDays)
        made = await self._keys.rotate(key_id, terms, visit.actor)
        return await self.show(visit, made)

    async def revoke(self, visit: Visit) -> Response:
        form = await read_form(visit.request)
        order = parse_body(RevokeKeyRequest, {"reason": form.get("reason", "")})
        key_id = visit.named("key_id")
        await self._keys.revoke(key_id, None, order.reason, visit.actor)
        return await self.show(visit)
