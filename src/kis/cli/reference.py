"""The reference of all commands, as `docs/cli.md` has it: their own `--help`."""

from collections.abc import Iterator
from typing import Any

import typer

from kis.cli.main import app

NAME = "kis-backend"
WIDTH = 100


def command_reference() -> str:
    """Return a section of Markdown for each command."""
    sections = (f"## {name}\n\n```text\n{text}\n```\n" for name, text in command_helps())
    return "\n".join(sections)


def command_helps() -> Iterator[tuple[str, str]]:
    """Yield each command's full name and help, groups before what is in them."""
    return _helps(NAME, typer.main.get_command(app), None)


def _helps(name: str, command: Any, parent: Any) -> Iterator[tuple[str, str]]:
    # A width of our own: the reader's terminal is not the one that wrote the page.
    word = name.rpartition(" ")[2]
    context = command.make_context(
        word, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH,
        max_content_width=WIDTH,
    )  # fmt: skip
    yield name, command.get_help(context)
    for inner_name, inner in getattr(command, "commands", {}).items():
        yield from _helps(f"{name} {inner_name}", inner, context)
