"""Requests to the console for tests: signed in as somebody, with the token of their pages."""

import html
import json
import re
from typing import Any, NamedTuple

import httpx

from tests.integration.lifecycle import Sender
from tests.services import ADMIN_API_KEY

TOKEN = re.compile(r'name="csrf-token" content="([0-9a-f]{64})"')


class SignedIn(NamedTuple):
    """Somebody at a browser, without the browser."""

    client: Sender
    cookie: str
    token: str

    def open(self, path: str, **more: Any) -> httpx.Response:
        """Ask for a page."""
        return self._send("GET", path, **more)

    def send(self, path: str, *, as_script: bool = True, **more: Any) -> httpx.Response:
        """Change something, as a page's script does."""
        headers = {"X-CSRF-Token": self.token, **({"X-Console": "1"} if as_script else {})}
        return self._send("POST", path, headers={**headers, **more.pop("headers", {})}, **more)

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Cookie": f"kis_session={self.cookie}", **more.pop("headers", {})}
        return self.client.request(method, path, key=None, headers=headers, **more)


def sign_in(client: Sender, key: str = ADMIN_API_KEY) -> SignedIn:
    """Return somebody who signed in with `key`."""
    answer = client.request("POST", "/console/sign-in", key=None, data={"key": key})
    cookie = answer.cookies["kis_session"]
    page = client.request(
        "GET", "/console/estimates", key=None, headers={"Cookie": f"kis_session={cookie}"}
    )
    found = TOKEN.search(page.text)
    assert found is not None, page.text
    return SignedIn(client, cookie, found[1])


def told(owner: SignedIn, path: str, *, method: str = "POST", **more: Any) -> list[dict[str, Any]]:
    """Carry out what takes its time; return what was told of it, the outcome last."""
    headers = {"Accept": "text/event-stream"}
    send = owner.send if method == "POST" else owner.open
    answer = send(path, headers=headers, **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line) for line in answer.text.splitlines()]


def words_of(response: httpx.Response, status: int = 200) -> str:
    """Return what a page says, without its tags."""
    assert response.status_code == status, response.text
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", response.text)).split())
