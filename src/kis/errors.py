"""What can go wrong, in words: codes, findings, and the one domain exception.

Knows no HTTP: `kis.api.errors` maps a code to a status.
"""

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MAX_KEY_CHARACTERS = 40
_MAX_SHOWN = 100


class ErrorCode(StrEnum):
    """Every code a client can meet. Documented in `docs/errors.md`."""

    # the board
    REQ_MORE_INFO = "REQ_MORE_INFO"
    ACCESSORY_CONFLICT = "ACCESSORY_CONFLICT"
    BRAND_CONFLICT = "BRAND_CONFLICT"
    POLES_MISMATCH = "POLES_MISMATCH"
    DEVICE_TYPE_MISMATCH = "DEVICE_TYPE_MISMATCH"
    FRAME_SIZE_MISMATCH = "FRAME_SIZE_MISMATCH"
    RATED_CURRENT_MISMATCH = "RATED_CURRENT_MISMATCH"
    NEED_KNOWLEDGE_UPDATE = "NEED_KNOWLEDGE_UPDATE"
    BOARD_TOO_LARGE = "BOARD_TOO_LARGE"
    # the request around it
    MALFORMED_JSON = "MALFORMED_JSON"
    INVALID_REQUEST = "INVALID_REQUEST"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    HEADERS_TOO_LARGE = "HEADERS_TOO_LARGE"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    RATE_LIMITED = "RATE_LIMITED"
    IDEMPOTENCY_IN_FLIGHT = "IDEMPOTENCY_IN_FLIGHT"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    # notes
    NOTE_CHANGED = "NOTE_CHANGED"
    # keys
    KEY_NOT_FOUND = "KEY_NOT_FOUND"
    KEY_ENDED = "KEY_ENDED"
    KEY_CURRENT = "KEY_CURRENT"
    KEY_LAST_ADMIN = "KEY_LAST_ADMIN"
    # knowledge
    KNOWLEDGE_INVALID = "KNOWLEDGE_INVALID"
    VERSION_NOT_FOUND = "VERSION_NOT_FOUND"
    VERSION_ALREADY_EXISTS = "VERSION_ALREADY_EXISTS"
    VERSION_BASE_MOVED = "VERSION_BASE_MOVED"
    VERSION_NOT_VALIDATED = "VERSION_NOT_VALIDATED"
    VERSION_NEVER_ACTIVATED = "VERSION_NEVER_ACTIVATED"
    VERSION_ACTIVE = "VERSION_ACTIVE"
    ACTIVATION_CONFLICT = "ACTIVATION_CONFLICT"
    ACTIVATION_NOT_ACKNOWLEDGED = "ACTIVATION_NOT_ACKNOWLEDGED"
    REGRESSION_FAILED = "REGRESSION_FAILED"
    GOLDEN_CASE_EXISTS = "GOLDEN_CASE_EXISTS"
    GOLDEN_SIZE_MISMATCH = "GOLDEN_SIZE_MISMATCH"
    # our side
    BACKUP_RUNNING = "BACKUP_RUNNING"
    BACKUP_FAILED = "BACKUP_FAILED"
    DISK_FULL = "DISK_FULL"
    OVERLOADED = "OVERLOADED"
    NOT_READY = "NOT_READY"
    INTERNAL = "INTERNAL"


# Codes that follow from the request alone: no knowledge update can change them.
FINAL_CODES = frozenset(
    {
        ErrorCode.REQ_MORE_INFO,
        ErrorCode.ACCESSORY_CONFLICT,
        ErrorCode.BOARD_TOO_LARGE,
    }
)


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence for people, in both languages."""

    ko: str
    en: str


NO_HINT = Text("", "")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what, where, and what would be right.

    `path` is a JSONPath into the request (`$.branches[2].poles`), or `line N`
    style for tables, or empty. `data` is JSON-ready detail for programs.
    """

    code: ErrorCode
    path: str
    message: Text
    hint: Text = NO_HINT
    data: dict[str, object] = field(default_factory=dict)


def path_step(key: int | str) -> str:
    """Return how a path goes on to `key`: `[2]`, `.poles` or `["odd key"]`.

    A key may be a stranger's: a long one is cut short, and none can be mistaken
    for the path around it.
    """
    if isinstance(key, int):
        return f"[{key}]"
    key = key[:_MAX_KEY_CHARACTERS]
    # Escaped to ASCII: a path with a lone surrogate could not be sent.
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key)}]"


class DomainError(Exception):
    """A request that cannot be answered; carries at least one finding."""

    def __init__(self, *findings: Finding) -> None:
        """Keep `findings` in the order they were made; the first is the main one."""
        shown = findings[:_MAX_SHOWN]
        super().__init__("; ".join(f"{f.code} {f.path}: {f.message.en}" for f in shown))
        self.findings = findings

    def __reduce__(self) -> tuple[type["DomainError"], tuple[Finding, ...]]:
        """Pickle the findings, of which the exception's own words are made."""
        return DomainError, self.findings

    @property
    def main(self) -> Finding:
        """The finding that names the error."""
        return self.findings[0]


def refusal(
    code: ErrorCode, message: Text, hint: Text = NO_HINT, path: str = "", **data: object
) -> DomainError:
    """Return the error of one finding."""
    return DomainError(Finding(code, path, message, hint, data))
