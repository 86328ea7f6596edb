"""The page about the command line is the command line."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kis.cli.main import app
from kis.cli.reference import command_helps, command_reference

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
GENERATED_BELOW = "<!-- generated: command_reference() -->\n"
HELPS = dict(command_helps())
GROUPS = (
    "kis-backend",
    "kis-backend knowledge",
    "kis-backend evidence",
    "kis-backend db",
    "kis-backend drill",
    "kis-backend keys",
    "kis-backend report",
    "kis-backend logs",
    "kis-backend journal",
)
COMMANDS = [name for name in HELPS if name not in GROUPS]


def test_documented_commands_are_the_commands(update_golden: bool) -> None:
    words, mark, documented = PAGE.read_text(encoding="utf-8").partition(GENERATED_BELOW)
    if update_golden:
        PAGE.write_text(words + mark + command_reference(), encoding="utf-8")
    else:
        assert documented == command_reference(), "run pytest --update-golden"


def test_every_command_is_there() -> None:
    assert sorted(COMMANDS) == sorted(
        f"kis-backend {name}"
        for name in (
            "serve", "stop", "doctor", "health-check", "sample", "estimate",
            "knowledge import", "knowledge validate", "knowledge activate",
            "knowledge rollback", "knowledge versions", "knowledge diff", "knowledge replay",
            "knowledge prune",
            "evidence show", "evidence verify", "evidence collect",
            "keys list", "keys create", "keys rotate", "keys revoke", "keys master",
            "db migrate", "db check", "db copy", "report daily", "report weekly",
            "backup", "backup list", "backup verify", "restore", "drill restore",
            "selftest", "logs clean", "maintenance", "journal status",
        )
    )  # fmt: skip


@pytest.mark.parametrize("name", list(HELPS))
def test_command_has_an_example_that_it_would_take(name: str) -> None:
    match = re.search(r"예 Example: (.*)", HELPS[name])
    assert match
    words = shlex.split(match[1].partition(" > ")[0])
    assert " ".join(words).startswith(name)
    arguments = words[len(name.split()) :]
    # What it does not know it refuses before it looks at --help.
    done = CliRunner().invoke(app, [*name.split()[1:], *arguments, "--help"])
    assert done.exit_code == 0
    unknown = set(filter(lambda word: word.startswith("--"), arguments)) - set(
        re.findall(r"--[a-z-]+", HELPS[name].partition("Example")[0])
    )
    assert unknown == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_command_speaks_json_and_both_languages(name: str) -> None:
    assert "--json" in HELPS[name]
    summary = HELPS[name].split("\n\n")[1]
    assert re.search("[가-힣]", summary)
    assert re.search("[A-Za-z]{3}", summary)


@pytest.mark.parametrize("name", list(HELPS))
def test_help_of_every_command(name: str) -> None:
    done = CliRunner().invoke(app, [*name.split()[1:], "--help"])
    assert done.exit_code == 0
    assert done.output.startswith("Usage:")
