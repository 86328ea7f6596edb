"""Every error in the one shape, wherever it comes from."""

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from kis.api.errors import (
    PROBLEM_TYPE,
    headers_of,
    internal_fault,
    log_refusal,
    problem_body,
    status_of,
    unavailable,
)
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.estimate.request import findings_of

NOT_FOUND, METHOD_NOT_ALLOWED = 404, 405
SAFE_METHODS = ("GET", "HEAD")
"""What static files take."""
CLIENT_CLOSED_REQUEST = 499
"""For the log and the metrics alone: the client hung up before it had sent all of its body."""


def add(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Give every error of `app` the one shape; `routers` are all that it has."""
    methods = _methods_by_path(routers)

    @app.exception_handler(DomainError)
    async def refuse(request: Request, error: Exception) -> Response:
        refusal = error if isinstance(error, DomainError) else internal_fault()
        log_refusal(refusal, request.state.context.request_id)
        return _problem(request, refusal)

    @app.exception_handler(DatabaseUnavailable)
    async def tell_unavailable(request: Request, _: Exception) -> Response:
        return _problem(request, unavailable())

    @app.exception_handler(RequestValidationError)
    async def tell_parameters(request: Request, error: Exception) -> Response:
        details = error.errors() if isinstance(error, RequestValidationError) else []
        return _problem(request, DomainError(*findings_of(details)))

    @app.exception_handler(ClientDisconnect)
    async def tell_nobody(_: Request, __: Exception) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    @app.exception_handler(HTTPException)
    async def tell_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        problem = _problem(request, _routing_error(request, status))
        if status == METHOD_NOT_ALLOWED:
            path = getattr(request.scope.get("route"), "path", "")
            problem.headers["Allow"] = ", ".join(sorted(methods.get(path, SAFE_METHODS)))
        return problem

    @app.exception_handler(Exception)
    async def tell_fault(request: Request, _: Exception) -> Response:
        return _problem(request, internal_fault())


def _problem(request: Request, error: DomainError) -> Response:
    return Response(
        problem_body(error, request.state.context.request_id),
        status_of(error),
        headers_of(error),
        PROBLEM_TYPE,
    )


def _methods_by_path(routers: Iterable[APIRouter]) -> dict[str, set[str]]:
    """Return which methods each address takes: each of its routes knows only its own."""
    methods: dict[str, set[str]] = {}
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                taken = methods.setdefault(route.path, set())
                # What takes GET takes HEAD: see `Shortcut`.
                taken |= route.methods or set()
                if "GET" in taken:
                    taken.add("HEAD")
    return methods


def _routing_error(request: Request, status: int) -> DomainError:
    if status == METHOD_NOT_ALLOWED:
        return refusal(
            ErrorCode.METHOD_NOT_ALLOWED,
            Text(f"{request.method} 메서드는 쓸 수 없습니다.", f"{request.method} is not allowed."),
            Text("/api-docs를 보십시오.", "See /api-docs."),
        )
    if status == NOT_FOUND:
        return refusal(
            ErrorCode.NOT_FOUND,
            Text("없는 주소입니다.", "There is nothing at this address."),
            Text("/api-docs를 보십시오.", "See /api-docs."),
        )
    return internal_fault()
