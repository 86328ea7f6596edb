"""Static files: `asset` gives templates their addresses, `Assets` answers there.

An address holds the digest of what it names: a browser keeps the file for good, and a
new version of it has another address. A file is read once; text is kept compressed too.
"""

import asyncio
import gzip
import hashlib
import re
from functools import cache, partial
from pathlib import Path
from typing import Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

STATIC: Final = Path(__file__).with_name("static")
AT: Final = "/static"
DIGITS: Final = 12
FOR_GOOD: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"
TEXT: Final = {
    ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
    "": "text/plain",  # licences
    ".txt": "text/plain",
}  # fmt: skip
"""What compresses well, by the ending of the name."""
IMPORTED: Final = re.compile(rb"""^(import [^'"]*["'])\./([\w/.-]+)(["'];)$""", re.MULTILINE)
"""How a module of ours names another one of its folder."""
KINDS: Final = {**TEXT, ".png": "image/png", ".woff2": "font/woff2"}


class _File(NamedTuple):
    content: bytes
    digest: str
    kind: str


def asset(path: str) -> str:
    """Return the address of a file below `static`.

    Raises:
        KeyError: there is none.

    """
    return f"{AT}/{path}?v={_load(path).digest[:DIGITS]}"


class Assets:
    """The ASGI application of the files below `static`, whose folder it is mounted at."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET; HEAD comes as one.

        Raises:
            HTTPException: there is no such file, or it is another method.

        """
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        name = scope["path"].removeprefix(f"{AT}/")
        if name not in _files():
            raise HTTPException(404)
        response = await _answer(name, Request(scope))
        await response(scope, receive, send)


async def _answer(name: str, request: Request) -> Response:
    file = _load(name)
    is_named = request.url.query == f"v={file.digest[:DIGITS]}"
    headers = {
        "Cache-Control": FOR_GOOD if is_named else ASK_AGAIN,
        # Weak: the same for what is compressed.
        "ETag": f'W/"{file.digest}"',
        "Vary": "Accept-Encoding",
    }
    if file.digest in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = file.content
    if Path(name).suffix in TEXT and "gzip" in request.headers.get("accept-encoding", ""):
        # 60 ms for the largest: not on the loop.
        content = await asyncio.to_thread(_compressed, name)
        headers["Content-Encoding"] = "gzip"
    return Response(content, headers=headers, media_type=file.kind)


@cache
def _files() -> dict[str, Path]:
    """Return all files by their path below `static`: nothing else can be asked for."""
    found = (path for path in STATIC.rglob("*") if path.is_file())
    return {path.relative_to(STATIC).as_posix(): path for path in found}


@cache
def _load(name: str) -> _File:
    path = _files()[name]
    content = path.read_bytes()
    if path.suffix == ".js":
        # By another address than the page's it would be another module, and run twice.
        content = IMPORTED.sub(partial(_named_import, path.parent), content)
    return _File(content, hashlib.sha256(content).hexdigest(), KINDS[path.suffix])


def _named_import(folder: Path, found: re.Match[bytes]) -> bytes:
    address = asset((folder / found[2].decode()).relative_to(STATIC).as_posix())
    return found[1] + address.encode() + found[3]


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(_load(name).content, mtime=0)
