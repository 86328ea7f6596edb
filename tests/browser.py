"""A real Chromium for tests of the console, and what every page must hold.

Debian's `chromium`, or Playwright's own where there is none:
`python -m tests.browser` sees to it, as `make test` does.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

INSTALLED = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_OPTIONS = {"runOnly": {"type": "tag", "values": AXE_TAGS}, "preload": False}
EXPECTED_STATUS = re.compile(r"status of (?:400|401|403|404|409|422|429)")
"""The browser notes each refusal as an error; those are answers of ours."""


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, else of Playwright's own if it is there."""
    for name in INSTALLED:
        path = shutil.which(name)
        if path is not None:
            return path
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        return own if Path(own).exists() else None


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run Chromium without a window; where there is none, skip, but for CI."""
    path = find_chromium()
    if path is None:
        message = "no Chromium: apt install chromium, or python -m tests.browser"
        if "CI" in os.environ:
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Watched:
    """A tab, and what went wrong in it: errors of scripts, requests to elsewhere."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        """Open a tab on the server at `url`."""
        self.url = url
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", lambda request: self._note_address(request.url))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not EXPECTED_STATUS.search(message.text):
            self.faults.append(f"console: {message.text}")

    def _note_address(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https") and parts.netloc != urlsplit(self.url).netloc:
            self.faults.append(f"external request: {address}")

    def go(self, path: str) -> Page:
        """Open an address of the server."""
        self.page.goto(self.url + path)
        return self.page

    def sign_in(self, key: str, path: str = "/") -> Page:
        """Sign in with `key`, and be at `path`."""
        self.go(f"/console/sign-in?next={path}" if path != "/" else "/console/sign-in")
        self.page.fill("input[name=key]", key)
        self.page.click("form[action='/console/sign-in'] button")
        self.page.wait_for_url(lambda address: "/console/sign-in" not in address)
        return self.page

    def check(self) -> None:
        """Assert that the page is accessible, and that nothing has gone wrong until now."""
        with self._inspecting():
            found = Axe().run(self.page, options=AXE_OPTIONS)
        shown = [
            f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
            for violation in found.response["violations"]
            for node in violation["nodes"]
        ]
        assert not shown, "\n".join(shown)

    def shoot(self, path: Path) -> None:
        """Keep a picture of the page."""
        with self._inspecting():
            self.page.screenshot(path=path, animations="disabled")

    @contextmanager
    def _inspecting(self) -> Iterator[None]:
        """Let a tool set styles of its own, which the page forbids."""
        assert not self.faults, "\n".join(self.faults)
        yield
        self.page.evaluate("0")  # by this answer all is told
        self.faults.clear()


def main() -> int:
    """Have Playwright bring its own Chromium where none is installed."""
    if find_chromium() is not None:
        return 0
    return subprocess.run(
        [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
