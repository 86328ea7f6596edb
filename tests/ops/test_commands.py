"""Every command of the program that a file in ops/ names is one, with its options."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kis.cli.main import app
from tests.ops.told import OPS, ROOT

# As shells, units, lists of arguments and people's words in backquotes name them.
_NAMED = re.compile(r"(?<![\w-])kis-backend ([a-z][^`|>\n\"]*?)(?= 2>| >|[`|\n\"])")
FILES = [path for path in sorted(OPS.rglob("*")) if path.is_file() and path.suffix != ".json"]
NAMED = sorted(
    {
        (str(path.relative_to(ROOT)), command.strip())
        for path in FILES
        for command in _NAMED.findall(path.read_text(encoding="utf-8"))
    }
)


def test_they_are_found() -> None:
    found = {Path(file).name for file, _ in NAMED}
    assert {"crontab", "kis-drill.service", "alerts.yml", "README.md"} <= found


@pytest.mark.parametrize(("file", "command"), NAMED)
def test_command_is_one(file: str, command: str) -> None:
    # What it does not know it refuses before it looks at --help.
    done = CliRunner().invoke(app, [*shlex.split(command), "--help"])
    assert done.exit_code == 0, done.output
