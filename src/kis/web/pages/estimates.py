"""견적함: the estimates that are stored."""

from starlette.responses import Response

from kis.estimate.store import EstimateFilter
from kis.web.parts import Parts
from kis.web.visit import Page, Visit

A_PAGE = 50


def pages(parts: Parts) -> tuple[Page, ...]:
    """Return the pages."""

    async def show_list(visit: Visit) -> Response:
        found = await parts.estimates.list_estimates(EstimateFilter(A_PAGE))
        return visit.show("estimates/list.html", estimates=found)

    return (Page("GET", "/console/estimates", show_list),)
