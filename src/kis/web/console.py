"""The console: pages at / and /console, each guarded by a session and its key."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kis.access.rate import Client, Limiter
from kis.access.sessions import SESSION_HOURS
from kis.api.errors import (
    MAX_FINDINGS,
    headers_of,
    internal_fault,
    log_refusal,
    status_of,
    unavailable,
)
from kis.api.gatekeeper import ADMIN_NEEDED, too_many
from kis.api.handlers import CLIENT_CLOSED_REQUEST
from kis.db.unavailable import DatabaseUnavailable
from kis.errors import LANGUAGES, DomainError, ErrorCode, Finding, Text, refusal
from kis.web.forms import read_form, refuse_nul
from kis.web.sessions import Sessions, SignedIn, is_from_page
from kis.web.visit import Page, Visit, address_of, render, wants_part
from kis.web.words import Words, language_of, words_of

HOME: Final = "/console/estimate"
SIGN_IN: Final = "/console/sign-in"
LANGUAGE_COOKIE: Final = "kis_language"
CSRF_HEADER: Final = "x-csrf-token"
HOLDER_HEADER: Final = "x-holder"
FORM: Final = "application/x-www-form-urlencoded"
SAFE: Final = ("GET", "HEAD")
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
A_YEAR_S: Final = 365 * 86_400

logger = logging.getLogger("kis.web")

Handler = Callable[[Request], Awaitable[Response]]


def create_console(sessions: Sessions, limiter: Limiter, pages: Iterable[Page]) -> ASGIApp:
    """Return the application that answers / and /console."""
    door = _Door(sessions, limiter)
    routes = [
        Route("/", partial(_go, HOME)),
        Route("/console", partial(_go, HOME)),
        Route(SIGN_IN, _plain(door.show_sign_in)),
        Route(SIGN_IN, _plain(door.sign_in), methods=["POST"]),
        Route("/console/language", _plain(_set_language)),
        *(
            Route(page.path, _plain(partial(door.pass_through, page)), methods=[page.method])
            for page in (*pages, *door.pages)
        ),
        Route("/console/{rest:path}", _plain(_tell_unknown), methods=list(METHODS)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(GZipMiddleware, minimum_size=1000)])


def beside(console: ASGIApp, others: ASGIApp) -> ASGIApp:
    """Return the application that answers / and /console by `console`, all else by `others`."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_console = path in ("/", "/console") or path.startswith("/console/")
        await (console if is_console else others)(scope, receive, send)

    return answer


async def _go(where: str, _: Request) -> Response:
    return RedirectResponse(where, 303)


class _Door:
    """Lets those in who are signed in, to what their key covers."""

    def __init__(self, sessions: Sessions, limiter: Limiter) -> None:
        self._sessions = sessions
        self._limiter = limiter
        self._has_warned = False

    @property
    def pages(self) -> tuple[Page, ...]:
        """What there is for everybody who is signed in."""
        return (
            Page("GET", "/console/session", self.tell_session),
            Page("POST", "/console/sign-out", self.sign_out),
        )

    async def pass_through(self, page: Page, request: Request) -> Response:
        """Answer a request to `page`."""
        signed_in = await self._sessions.find(request.cookies.get(_cookie_of(request)))
        if signed_in is None:
            return _ask_to_sign_in(request)
        request.state.key = signed_in.key  # for the log
        visit = Visit(request, signed_in, _words(request))
        try:
            await self._count(signed_in.key.holder, request)
            refuse_nul(value for _, value in request.query_params.multi_items())
            if not visit.may(page.needs):
                raise _forbidden()
            if request.method not in SAFE:
                await _require_own_page(request, signed_in)
            return await page.answer(visit)
        except DomainError as error:
            log_refusal(error, visit.context.request_id)
            return _refuse(request, error, visit)

    async def show_sign_in(self, request: Request) -> Response:
        """Show the form; who is signed in already goes on."""
        following = _following(request.query_params.get("next"))
        signed_in = await self._sessions.find(request.cookies.get(_cookie_of(request)))
        if signed_in is not None:
            return RedirectResponse(following, 303)
        self._warn_of_proxy(request)
        return _sign_in_page(request, following)

    async def sign_in(self, request: Request) -> Response:
        """Open a session; a script is given the new CSRF token, a browser the next page."""
        _require_same_origin(request)
        self._warn_of_proxy(request)
        form = await read_form(request)
        following = _following(form.get("next"))
        try:
            await self._count("", request)
            client = request.state.context.client
            signed_in = await self._sessions.sign_in(form.get("key", "").strip(), client)
        except DomainError as error:
            if wants_part(request):
                return _refuse(request, error, None)
            page = _sign_in_page(request, following, error.main, status_of(error))
            page.headers.update(_retry_after(error))
            return page
        await self._sessions.end(request.cookies.get(_cookie_of(request)))
        request.state.key = signed_in.key
        response: Response = RedirectResponse(following, 303)
        if wants_part(request):
            response = _tell_session(signed_in)
        _give_cookie(request, response, signed_in.token)
        return response

    def _warn_of_proxy(self, request: Request) -> None:
        """Tell the operator once: what the browser sends by https is given a cookie for http."""
        if _is_proxy_unknown(request) and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "X-Forwarded-Proto: https came from %s, which TRUSTED_PROXIES does not name:"
                " cookies are set without Secure, and whoever signs in has the proxy's address",
                request.state.context.client,
            )

    async def _count(self, holder: str, request: Request) -> None:
        """Count a request as /v1 does: what a key may ask for in a minute is one sum."""
        if self._limiter.is_on:
            allowance = await self._limiter.take(Client(holder, request.state.context.client))
            if not allowance.allowed:
                raise too_many(allowance)

    async def tell_session(self, visit: Visit) -> Response:
        """Tell a page whether somebody is signed in still, before it is left or sent again."""
        return _tell_session(visit.signed_in)

    async def sign_out(self, visit: Visit) -> Response:
        """End the session."""
        await self._sessions.end(visit.signed_in.token)
        response = RedirectResponse(SIGN_IN, 303)
        response.delete_cookie(
            _cookie_of(visit.request), secure=_is_secure(visit.request), httponly=True,
            samesite="strict",
        )  # fmt: skip
        return response


def _tell_session(signed_in: SignedIn) -> Response:
    headers = {CSRF_HEADER: signed_in.csrf_token, HOLDER_HEADER: signed_in.key.holder}
    return Response(status_code=204, headers=headers)


def _plain(handler: Handler) -> Handler:
    """Return `handler` with our headers on what it answers, and every fault as a page."""

    async def answer(request: Request) -> Response:
        # The gatekeeper counts by route; Starlette does not tell which one it was.
        request.scope["route"] = _Counted(request.scope["path"])
        try:
            response = await handler(request)
        except DomainError as error:
            response = _refuse(request, error, None)
        except DatabaseUnavailable:
            logger.exception("the database cannot be used")
            response = _refuse(request, unavailable(), None)
        except ClientDisconnect:  # who types on takes back what was asked for
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Exception:
            logger.exception("a page failed, request=%s", request.state.context.request_id)
            response = _refuse(request, internal_fault(), None)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answer


class _Counted:
    def __init__(self, path: str) -> None:
        self.path = "/console" if path.startswith("/console") else "/"


def _ask_to_sign_in(request: Request) -> Response:
    """Send who is not signed in to the form, and back to where they wanted to go.

    A link in a mail or a chat brings no cookie (SameSite=Strict), though there may be a
    session: from a page of ours the browser asks once more, with the cookie.
    """
    if wants_part(request):
        return _refuse(request, _unauthenticated(), None)
    if request.method not in SAFE:
        return RedirectResponse(SIGN_IN, 303)
    if request.headers.get("sec-fetch-site") == "cross-site":
        return HTMLResponse(render(request, "again.html", _words(request)))
    return RedirectResponse(f"{SIGN_IN}?next={quote(address_of(request), safe='')}", 303)


def _sign_in_page(
    request: Request, following: str, finding: Finding | None = None, status: int = 200
) -> HTMLResponse:
    page = render(
        request, "sign_in.html", _words(request), following=following, finding=finding,
        is_proxy_unknown=_is_proxy_unknown(request),
    )  # fmt: skip
    return HTMLResponse(page, status)


def _refuse(request: Request, error: DomainError, visit: Visit | None) -> Response:
    """Answer with what is wrong: a part for a script, else a page."""
    template = "findings.html" if wants_part(request) else "refused.html"
    page = render(
        request, template, _words(request), visit, findings=error.findings[:MAX_FINDINGS],
        request_id=request.state.context.request_id,
    )  # fmt: skip
    return HTMLResponse(page, status_of(error), _retry_after(error))


def _retry_after(error: DomainError) -> dict[str, str]:
    return {name: value for name, value in headers_of(error).items() if name == "Retry-After"}


async def _tell_unknown(_: Request) -> Response:
    raise refusal(
        ErrorCode.NOT_FOUND,
        Text("없는 주소입니다.", "There is nothing at this address."),
        Text("위의 메뉴에서 고르십시오.", "Choose from the menu above."),
    )


async def _set_language(request: Request) -> Response:
    """Keep the language that was asked for, and go back."""
    response = RedirectResponse(_following(request.query_params.get("next")), 303)
    language = request.query_params.get("to")
    if language in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=A_YEAR_S, secure=_is_secure(request),
            httponly=True, samesite="lax",
        )  # fmt: skip
    return response


def _words(request: Request) -> Words:
    return words_of(language_of(request.cookies.get(LANGUAGE_COOKIE)))


def _following(address: str | None) -> str:
    """Return `address` if it is one of ours, else where everybody begins."""
    is_ours = address is not None and address.startswith("/console/") and "\\" not in address
    return address if address is not None and is_ours else HOME


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _is_proxy_unknown(request: Request) -> bool:
    """Whether a proxy says that the browser came by https, and is not believed."""
    return not _is_secure(request) and request.headers.get("x-forwarded-proto") == "https"


def _cookie_of(request: Request) -> str:
    """Return the cookie's name: under TLS no other host or path can have set it."""
    return "__Host-kis_session" if _is_secure(request) else "kis_session"


def _give_cookie(request: Request, response: Response, token: str) -> None:
    response.set_cookie(
        _cookie_of(request), token, max_age=SESSION_HOURS * 3600, secure=_is_secure(request),
        httponly=True, samesite="strict",
    )  # fmt: skip


async def _require_own_page(request: Request, signed_in: SignedIn) -> None:
    """Refuse a change that another site had the browser send."""
    _require_same_origin(request)
    sent = request.headers.get(CSRF_HEADER)
    if sent is None and request.headers.get("content-type") == FORM:
        sent = (await read_form(request)).get("csrf")
    if not is_from_page(signed_in, sent or ""):
        raise _from_elsewhere()


def _require_same_origin(request: Request) -> None:
    """Refuse what a browser says to come from another site; old ones only tell their origin."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        is_other = site not in ("same-origin", "none")
    else:
        own = f"{request.url.scheme}://{request.headers.get('host')}"
        is_other = origin is not None and origin != own
    if is_other:
        raise _from_elsewhere()


def _from_elsewhere() -> DomainError:
    return refusal(
        ErrorCode.FORBIDDEN,
        Text("이 페이지에서 보낸 요청이 아닙니다.", "This was not sent by a page of ours."),
        Text("페이지를 다시 열고 하십시오.", "Open the page again."),
    )


def _forbidden() -> DomainError:
    denied = Text("이 키로는 할 수 없습니다.", "This key may not do that.")
    return refusal(ErrorCode.FORBIDDEN, denied, ADMIN_NEEDED)


def _unauthenticated() -> DomainError:
    return refusal(
        ErrorCode.UNAUTHENTICATED,
        Text("로그인이 끝났습니다.", "You are signed in no more."),
        Text(
            "다시 로그인하면 입력하던 것이 그대로 있습니다.",
            "Sign in again: what you typed is still here.",
        ),
    )
