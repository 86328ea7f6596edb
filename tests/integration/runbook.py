"""The requests of the runbook's knowledge chapter, as files, and what they ask for."""

import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "runbook_requests"
ADDRESS = "http://localhost:3000"


class Asked(NamedTuple):
    """What a curl command sends."""

    method: str
    path: str
    headers: dict[str, str]
    body: str | None


def text_of(name: str) -> str:
    """Return a block of the runbook, to the letter."""
    return (FOLDER / name).read_text(encoding="utf-8")


def example(name: str) -> dict[str, Any]:
    """Return an answer that the runbook shows."""
    shown: dict[str, Any] = json.loads(text_of(name))
    return shown


def read_curl(command: str, variables: dict[str, str]) -> Asked:
    """Return what the first curl of `command` sends, words split as a shell does."""
    for name, value in variables.items():
        command = command.replace(f"${{{name}}}", value)
    command = re.sub(r"\$\(date \+%s\)", "1764000000", command)
    words = iter(shlex.split(command.replace("\\\n", " "), comments=True))
    assert next(words) == "curl"
    method, path, body = "GET", "", None
    headers: dict[str, str] = {}
    for word in words:
        match word:
            case "|":
                break
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = next(words)
            case _:
                assert word.startswith(ADDRESS), word
                path = word.removeprefix(ADDRESS)
    return Asked(method, path, headers, body)
