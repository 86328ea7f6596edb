"""A request to the console by somebody who is signed in, and what a page is made of."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kis.access.keys import Scope
from kis.api.gatekeeper import RequestContext
from kis.estimate.answer import Caller
from kis.estimate.words import FORMS, LOCATIONS, MOUNTS, article_name, unit_name
from kis.web.assets import asset
from kis.web.forms import number_or_text
from kis.web.sessions import SignedIn
from kis.web.words import Words

TEMPLATES = Path(__file__).with_name("templates")
FROM_SCRIPT = "x-console"
"""The header of requests that a page's script sends: it wants a part of a page."""


def local_moment(at: datetime) -> str:
    """Return a moment as people here read it: the server stands where they are."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def whole(number: float) -> str:
    """Return a number with its thousands parted, and no decimals where there are none."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["asset"] = asset
_environment.globals["words"] = {"FORMS": FORMS, "LOCATIONS": LOCATIONS, "MOUNTS": MOUNTS}
_environment.filters["moment"] = local_moment
_environment.filters["moment_of"] = lambda text: local_moment(datetime.fromisoformat(text))
_environment.filters["whole"] = whole
_environment.filters["article"] = article_name
_environment.filters["unit"] = unit_name


def render(
    request: Request, template: str, words: Words, visit: "Visit | None" = None, **values: Any
) -> str:
    """Return the HTML of a template."""
    return _environment.get_template(template).render(
        t=words, language=words.language, visit=visit, address=address_of(request), **values
    )


def address_of(request: Request) -> str:
    """Return path and query of what was asked for."""
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query


class Visit(NamedTuple):
    """A request, who sends it, and the language of the answer."""

    request: Request
    signed_in: SignedIn
    words: Words

    @property
    def caller(self) -> Caller:
        """Who asks, as estimates are told."""
        key = self.signed_in.key
        return Caller(key.holder, key.key_id, self.context.client)

    @property
    def actor(self) -> str:
        """Who changes something, as the audit trail is told."""
        return self.signed_in.key.key_id

    @property
    def context(self) -> RequestContext:
        """What the gatekeeper knows of the request."""
        context: RequestContext = self.request.state.context
        return context

    def named(self, name: str) -> str:
        """Return what the address has where the page's path has `{name}`."""
        return cast("str", self.request.path_params[name])

    def count_asked(self, name: str) -> int:
        """Return the whole number that the query gives to `name`; 0 where it gives none."""
        number = number_or_text(self.request.query_params.get(name, ""))
        return number if isinstance(number, int) else 0

    def may(self, scope: Scope) -> bool:
        """Whether the key that is signed in covers `scope`."""
        return self.signed_in.key.may(scope)

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page, or a part of one, made from a template."""
        return HTMLResponse(render(self.request, template, self.words, self, **values), status)


Answer = Callable[[Visit], Awaitable[Response]]


class Page(NamedTuple):
    """An address below /console, and what it takes to ask there."""

    method: str
    path: str
    answer: Answer
    needs: Scope = Scope.API


def wants_part(request: Request) -> bool:
    """Whether a script asks, which puts the answer into a page that is there."""
    return FROM_SCRIPT in request.headers or "hx-request" in request.headers
