"""A server, a browser, a tab; screenshots where they are asked for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import Watched, running_browser
from tests.services import Server, running_server

WIDTH, HEIGHT = 1366, 850
SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"

Open = Callable[..., Watched]
Shoot = Callable[[Watched, str], None]


# Of a module: Playwright has an event loop running, beside which others' tests cannot.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of a module; whoever changes its knowledge takes another."""
    with running_server(tmp_path_factory.mktemp("console") / "home") as running:
        yield running


@pytest.fixture
def open_tab(browser: Browser, server: Server) -> Iterator[Open]:
    """Open tabs, each with cookies of its own; `options` are Playwright's of a context."""
    contexts = []

    def open_one(**options: object) -> Watched:
        viewport = options.pop("viewport", {"width": WIDTH, "height": HEIGHT})
        context = browser.new_context(viewport=viewport, locale="ko-KR", **options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        return Watched(context, server.url)

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def tab(open_tab: Open) -> Watched:
    return open_tab()


@pytest.fixture(scope="session")
def shoot(update_golden: bool) -> Shoot:
    """Keep a picture of a page in docs/screenshots, with --update-golden; look at each."""

    def take(tab: Watched, name: str) -> None:
        if update_golden:
            SCREENSHOTS.mkdir(exist_ok=True)
            tab.shoot(SCREENSHOTS / f"{name}.png")

    return take
