"""The shortcut answers direct routes as the application behind it would."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from kis.api.direct import DirectRoute, Shortcut

ID = "0123abcd-0123-7abc-8abc-0123456789ab"


class Refused(Exception):  # noqa: N818 - says what is the case
    """What the application has a handler for."""


async def echo(request: Request) -> Response:
    wish = request.headers.get("wish")
    if wish == "refused":
        raise Refused
    if wish == "fault":
        raise ZeroDivisionError
    return Response(await request.body(), 201, {"who": request.scope["route"].path})


async def show(one: str) -> Response:
    if one.startswith("f"):
        raise Refused
    return Response(one)


async def refuse(_: Request, __: Exception) -> Response:
    return Response(b"refused", 422)


async def tell_fault(_: Request, __: Exception) -> Response:
    return Response(b"fault", 500)


class Framework:
    """FastAPI, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        router = APIRouter()
        router.add_api_route("/hot", echo, methods=["POST"], route_class_override=DirectRoute)
        router.add_api_route("/cold", echo, methods=["POST"])
        router.add_api_route("/some", echo, methods=["GET"])
        router.add_api_route("/some", echo, methods=["DELETE"])
        router.add_api_route("/things/known", echo, methods=["GET"])
        router.add_api_route(
            "/things/{one}", show, methods=["GET"], route_class_override=DirectRoute
        )
        router.add_api_route("/{any}", echo, methods=["GET"])
        self.app = FastAPI()
        self.app.include_router(router)
        self.app.add_exception_handler(Refused, refuse)
        self.app.add_exception_handler(Exception, tell_fault)
        self.app.add_middleware(self._counted)
        self.shortcut = Shortcut(self.app, router.routes)

    def _counted(self, inner: Any) -> Any:
        async def count(scope: Any, receive: Any, send: Any) -> None:
            self.asked += 1
            await inner(scope, receive, send)

        return count

    def ask(self, app: Any, method: str, path: str, wish: str = "") -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://kis") as http:
                return await http.request(method, path, content=b"body", headers={"wish": wish})

        return asyncio.run(send())


@pytest.fixture
def framework() -> Framework:
    return Framework()


@pytest.mark.parametrize("wish", ["", "refused"])
def test_direct_route_answers_as_the_application(framework: Framework, wish: str) -> None:
    answered = framework.ask(framework.shortcut, "POST", "/hot", wish)
    assert framework.asked == 0
    expected = framework.ask(framework.app, "POST", "/hot", wish)
    assert framework.asked == 1
    assert (answered.status_code, answered.content) == (expected.status_code, expected.content)
    assert answered.headers == expected.headers


@pytest.mark.parametrize(("first", "status"), [("0", 200), ("f", 422)])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_direct_route_by_id_answers_as_the_application(
    framework: Framework, method: str, first: str, status: int
) -> None:
    path = f"/things/{first}{ID[1:]}"
    answered = framework.ask(framework.shortcut, method, path)
    assert framework.asked == 0
    expected = framework.ask(framework.app, "GET", path)
    assert framework.asked == 1
    assert (answered.status_code, expected.status_code) == (status, status)
    assert answered.content == (expected.content if method == "GET" else b"")
    assert answered.headers == expected.headers


def test_direct_route_by_id_is_known_to_the_log(framework: Framework) -> None:
    scopes: list[Any] = []

    async def keep(scope: Any, receive: Any, send: Any) -> None:
        await framework.shortcut(scope, receive, send)
        scopes.append(scope)

    for method in ("GET", "HEAD"):
        framework.ask(keep, method, f"/things/{ID}")
    assert [scope["route"].path for scope in scopes] == ["/things/{one}"] * 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/things/{ID}x", 200),
        ("GET", f"/things/{ID.upper()}", 200),
        ("GET", "/things/other", 200),
        ("GET", "/things/known", 201),
        ("GET", f"/things/{ID}/", 307),
        ("PUT", f"/things/{ID}", 405),
        ("POST", "/cold", 201),
        ("POST", "/hot/", 307),
        ("POST", "/no/where", 404),
        ("GET", "/some", 201),
        ("PUT", "/any-other", 405),
    ],
)
def test_all_else_is_passed_on(framework: Framework, method: str, path: str, status: int) -> None:
    assert framework.ask(framework.shortcut, method, path).status_code == status
    assert framework.asked == 1


@pytest.mark.parametrize("path", ["/hot", "/cold", "/some"])
@pytest.mark.parametrize("method", ["PUT", "OPTIONS"])
def test_address_is_its_own_route_s_alone(framework: Framework, method: str, path: str) -> None:
    assert framework.ask(framework.shortcut, method, path).status_code == 405
    assert framework.asked == 0


def test_pattern_of_another_route_does_not_take_it(framework: Framework) -> None:
    assert framework.ask(framework.app, "GET", "/cold").status_code == 201
    assert framework.ask(framework.shortcut, "GET", "/cold").status_code == 405
    assert framework.ask(framework.shortcut, "GET", "/warm").headers["who"] == "/{any}"


def test_several_routes_share_an_address(framework: Framework) -> None:
    for method in ("GET", "DELETE"):
        assert framework.ask(framework.shortcut, method, "/some").status_code == 201


@pytest.mark.parametrize(("path", "status"), [("/some", 201), ("/x", 201), ("/hot", 405)])
def test_head_is_a_get_without_its_body(framework: Framework, path: str, status: int) -> None:
    got = framework.ask(framework.shortcut, "GET", path)
    head = framework.ask(framework.shortcut, "HEAD", path)
    assert (head.status_code, head.content) == (status, b"")
    assert head.headers == got.headers
    assert int(head.headers["content-length"]) > 0


def test_head_leaves_method_and_route_for_the_log(framework: Framework) -> None:
    scopes: list[Any] = []

    async def keep(scope: Any, receive: Any, send: Any) -> None:
        await framework.shortcut(scope, receive, send)
        scopes.append(scope)

    framework.ask(keep, "HEAD", "/some")
    assert (scopes[0]["method"], scopes[0]["route"].path) == ("HEAD", "/some")


def test_faults_go_on_to_the_gatekeeper(framework: Framework) -> None:
    with pytest.raises(ZeroDivisionError):
        framework.ask(framework.shortcut, "POST", "/hot", "fault")
