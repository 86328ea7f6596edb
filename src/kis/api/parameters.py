"""Query parameters that no route knows: refused, as unknown fields of a body are."""

from fastapi.routing import APIRoute
from starlette.requests import Request

from kis.errors import DomainError, ErrorCode, Finding, Text, path_step


async def refuse_unknown(request: Request) -> None:
    """Check the query of a route that declares parameters; a dependency of all routes.

    A filter that is spelt wrong would else give everything, and nobody would notice.

    Raises:
        DomainError: INVALID_REQUEST, one finding for each unknown parameter.

    """
    route = request.scope.get("route")
    known = [p.alias for p in route.dependant.query_params] if isinstance(route, APIRoute) else []
    # A route without parameters has nothing that could be meant otherwise: a
    # health check may carry what its sender likes.
    unknown = sorted(request.query_params.keys() - set(known)) if known else []
    if unknown:
        raise DomainError(*(_unknown(name, known) for name in unknown))


def _unknown(name: str, known: list[str]) -> Finding:
    listed = ", ".join(known)
    step = path_step(name)  # cut short: it is a stranger's
    shown = step.removeprefix(".")
    return Finding(
        ErrorCode.INVALID_REQUEST,
        f"$.query{step}",
        Text(f"모르는 매개변수입니다: {shown}", f"Unknown parameter: {shown}"),
        Text(f"쓸 수 있는 매개변수: {listed}", f"Known parameters: {listed}"),
    )
