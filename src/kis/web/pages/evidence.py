"""증거: verify a package, or look up the one of an estimate."""

import asyncio
from contextlib import nullcontext

from starlette.responses import Response

from kis.api.body import LARGE_BYTES, parse_json, read_json_text
from kis.evidence.verification import Verification
from kis.web.parts import Parts
from kis.web.visit import Page, Visit


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""
    # As at /v1/evidence/verify: large packages one at a time.
    turn = asyncio.Lock()

    async def show(visit: Visit) -> Response:
        wanted = visit.request.query_params.get("id", "").strip()
        found = await _look_up(wanted) if wanted else None
        return visit.show("evidence/page.html", wanted=wanted, verification=found)

    async def _look_up(estimate_id: str) -> Verification:
        package = await parts.evidence.load_package(estimate_id)
        return await parts.evidence.verify(await parse_json(package))

    async def verify(visit: Visit) -> Response:
        raw = await read_json_text(visit.request)
        async with turn if len(raw) > LARGE_BYTES else nullcontext():
            verification = await parts.evidence.verify(await parse_json(raw))
        parts.metrics.count_verification(is_valid=verification.valid)
        return visit.show("evidence/steps.html", verification=verification, wanted="")

    async def download(visit: Visit) -> Response:
        estimate_id = visit.named("estimate_id")
        package = await parts.evidence.load_package(estimate_id)
        name = {"Content-Disposition": f'attachment; filename="evidence-{estimate_id}.json"'}
        return Response(package, media_type="application/json", headers=name)

    return (
        Page("GET", "/console/evidence", show),
        Page("POST", "/console/evidence/verify", verify),
        Page("GET", "/console/evidence/{estimate_id}.json", download),
    )
