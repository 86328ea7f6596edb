"""Lines of the log as facts: what `kis.telemetry` wrote, in either form. Pure."""

import re
from typing import NamedTuple

import msgspec

LEVELS = frozenset({b"DEBUG", b"INFO", b"WARNING", b"ERROR", b"CRITICAL"})
_ACCESS_WORDS = 8
_LEAST_WORDS = 3
_CODE = re.compile(r"[A-Z_]+")


class Access(NamedTuple):
    """An answered request. `at` is UTC, as written; `path` is percent-encoded."""

    at: str
    client: str
    method: str
    path: str
    status: int
    ms: float
    key_id: str


class Lookup(NamedTuple):
    """Whether every row that an estimate asked for was known."""

    at: str
    hit: bool


class Refusal(NamedTuple):
    """A refused request: a code of it, and what was not known, if that was it."""

    at: str
    code: str
    missing: str


class Message(NamedTuple):
    """What the program or a library had to say."""

    at: str
    level: str
    text: str


Fact = Access | Lookup | Refusal | Message


class _Json(msgspec.Struct, rename="camel"):
    """A line of LOG_FORMAT=json, whatever it tells of."""

    at: str
    level: str
    event: str
    client: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
    milliseconds: float = 0.0
    key_id: str = ""
    hit: bool = False
    code: str = ""
    missing: str = ""
    message: str = ""


_decode = msgspec.json.Decoder(_Json).decode


def read_line(line: bytes) -> Fact | None:
    """Return the fact that `line`, without its newline, states; None where it states none.

    That is the rest of a traceback, and whatever another program wrote there.
    """
    try:
        if line[:1] == b"{":
            return _of_json(_decode(line))
        return _of_text(line)
    except (ValueError, msgspec.DecodeError):
        return None


def _of_text(line: bytes) -> Fact | None:
    words = line.split(b" ")
    if len(words) == _ACCESS_WORDS and words[2][:1] == b'"':
        return _access(words)
    if len(words) < _LEAST_WORDS:
        return None
    if words[1] == b"cache_hit":
        return Lookup(words[2].decode(), words[0] == b"1")
    return _event(words) if words[1] in LEVELS else None


def _access(words: list[bytes]) -> Access | None:
    client, at, method, path, status, took, key, _ = words
    if took[-2:] != b"ms" or key[:4] != b"key=":
        return None
    return Access(
        at.decode(), client.decode(), method[1:].decode(), path[:-1].decode(), int(status),
        float(took[:-2]), "" if key == b"key=-" else key[4:].decode(),
    )  # fmt: skip


def _event(words: list[bytes]) -> Refusal | Message:
    at, level, *rest = (word.decode(errors="replace") for word in words)
    if level == "WARNING" and rest[-1].startswith("request=") and _CODE.fullmatch(rest[0]):
        missing = next((word[8:] for word in rest if word.startswith("missing=")), "")
        return Refusal(at, rest[0], missing.replace("+", " "))
    return Message(at, level, " ".join(rest))


def _of_json(line: _Json) -> Fact | None:
    match line.event:
        case "access":
            return Access(
                line.at, line.client, line.method, line.path, line.status, line.milliseconds,
                line.key_id,
            )  # fmt: skip
        case "cache_hit":
            return Lookup(line.at, line.hit)
        case "refusal":
            return Refusal(line.at, line.code, line.missing)
        case "message":
            return Message(line.at, line.level, line.message)
    return None
