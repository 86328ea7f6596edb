"""A runbook as Markdown: its chapters, the commands in them, and the answers that it shows.

A fence of `bash` is run. One of `bash manual` is not: it needs what a test has not (systemd,
a firewall, another machine). `bash exit=1` ends with that code. A fence of `text` or `json`
right after a command is what the command prints, masked by `masks.mask`.
"""

import re
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CHAPTER = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
ANSWERS = ("text", "json")


class Answer(NamedTuple):
    """What the document shows: `text` from `start` to `end` of it."""

    text: str
    start: int
    end: int


class Command(NamedTuple):
    """A block of bash, whether a test can run it, and how it ends."""

    line: int
    script: str
    is_manual: bool
    exit_code: int
    answer: Answer | None


class Chapter(NamedTuple):
    """A chapter and its commands, in order."""

    title: str
    commands: tuple[Command, ...]


def read_chapters(path: Path) -> list[Chapter]:
    """Return the chapters of a runbook that have commands."""
    text = path.read_text(encoding="utf-8")
    starts = [match.start() for match in CHAPTER.finditer(text)] + [len(text)]
    titles = [match["title"] for match in CHAPTER.finditer(text)]
    chapters = [
        Chapter(title, tuple(_commands(text, start, end)))
        for title, start, end in zip(titles, starts, starts[1:], strict=False)
    ]
    return [chapter for chapter in chapters if chapter.commands]


def _commands(text: str, start: int, end: int) -> list[Command]:
    fences = list(FENCE.finditer(text, start, end))
    commands = []
    for fence, after in zip(fences, [*fences[1:], None], strict=False):
        words = fence["info"].split()
        if words[:1] != ["bash"]:
            continue
        codes = [int(word.removeprefix("exit=")) for word in words if word.startswith("exit=")]
        commands.append(
            Command(
                line=text.count("\n", 0, fence.start()) + 1,
                script=fence["text"],
                is_manual="manual" in words,
                exit_code=codes[0] if codes else 0,
                answer=_answer(text, fence, after),
            )
        )
    return commands


def _answer(text: str, fence: re.Match[str], after: re.Match[str] | None) -> Answer | None:
    is_answer = (
        after is not None
        and after["info"] in ANSWERS
        and not text[fence.end() : after.start()].strip()
    )
    return Answer(after["text"], *after.span("text")) if is_answer and after else None
