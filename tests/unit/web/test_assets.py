"""Static files: kept for good at their own address, compressed where that helps, and no others."""

import asyncio
import gzip
import re
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from kis.web.assets import ASK_AGAIN, AT, FOR_GOOD, STATIC, Assets, asset

FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())
STYLE, FONT = "vendor/pico/pico.min.css", "fonts/kis-sans.woff2"
NAMED = re.compile(rb"(?m)^import .*$")
IMPORT = re.compile(r"""(?m)^import .*["'](.+)["'];$""")
APP = Starlette(routes=[Mount(AT, Assets())])


def get(address: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url="http://kis") as http:
            asked = {name.replace("_", "-"): value for name, value in headers.items()}
            return await http.request(method, address, headers=asked)

    return asyncio.run(run())


@pytest.mark.parametrize("name", FILES)
def test_every_file_has_an_address_that_is_good_for_ever(name: str) -> None:
    answer = get(asset(name))
    assert NAMED.sub(b"", answer.content) == NAMED.sub(b"", (STATIC / name).read_bytes())
    assert answer.headers["cache-control"] == FOR_GOOD


def test_modules_name_each_other_as_pages_do() -> None:
    """By another address a module would be another one, and what it does done twice."""
    modules = [get(asset(name)).text for name in FILES if name.startswith("console/")]
    named = {found for text in modules for found in IMPORT.findall(text)}
    assert asset("console/console.js") in named
    assert not [address for address in named if "?v=" not in address]


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("console/")])
def test_browsers_of_old_offices_know_what_is_used(name: str) -> None:
    """Chrome 109, the last for Windows 7, and Firefox 115 do not know these."""
    newer = rb"light-dark\(|popover|\.submitter|:not\(:has"
    assert not re.search(newer, (STATIC / name).read_bytes())


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789ab", "?x=1"])
def test_any_other_address_is_asked_again(query: str) -> None:
    """A page of another version may have been served by another machine."""
    address = urlsplit(asset(STYLE)).path + query
    assert get(address).headers["cache-control"] == ASK_AGAIN


@pytest.mark.parametrize(
    ("name", "kind", "is_compressed"),
    [
        (STYLE, "text/css; charset=utf-8", True),
        ("vendor/htmx/htmx.min.js", "text/javascript; charset=utf-8", True),
        ("vendor/htmx/LICENSE", "text/plain; charset=utf-8", True),
        (FONT, "font/woff2", False),
        ("swagger-ui/favicon-32x32.png", "image/png", False),
    ],
)
def test_text_is_compressed_for_who_takes_it(name: str, kind: str, is_compressed: bool) -> None:
    answer = get(asset(name), accept_encoding="gzip, br")
    assert answer.headers["content-type"] == kind
    assert answer.headers.get("content-encoding") == ("gzip" if is_compressed else None)
    assert answer.content == (STATIC / name).read_bytes()
    if is_compressed:
        length = len(gzip.compress(answer.content, mtime=0))
        assert answer.headers["content-length"] == str(length)
    assert answer.headers["vary"] == "Accept-Encoding"
    plain = get(asset(name), accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content


def test_what_a_browser_has_is_not_sent_again() -> None:
    tag = get(asset(STYLE)).headers["etag"]
    again = get(asset(STYLE), if_none_match=f'"other", {tag}')
    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["etag"], again.headers["cache-control"]) == (tag, FOR_GOOD)
    assert get(asset(FONT), if_none_match=tag).status_code == 200


@pytest.mark.parametrize(
    "name", ["", "/", "vendor", "vendor/", "../assets.py", "..%2fassets.py", f"/{STYLE}", "x"]
)
def test_nothing_else_is_there(name: str) -> None:
    assert get(f"{AT}/{name}").status_code == 404


def test_files_are_only_read() -> None:
    assert get(asset(STYLE), "POST").status_code == 405


def test_template_cannot_name_what_is_not_there() -> None:
    with pytest.raises(KeyError):
        asset("console/no-such-file.js")
