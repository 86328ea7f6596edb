"""The README's commands, run in their order as a newcomer would, each half on its own."""

import re
from pathlib import Path

import pytest

from tests.integration.program import Program

ROOT = Path(__file__).parents[2]
KOREAN, ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8").split("\n---\n")
HALVES = {"Korean": KOREAN, "English": ENGLISH}


def commands_in(half: str) -> str:
    """Return the lines of all shell blocks that run the program."""
    blocks = re.findall(r"```bash\n(.*?)```", half, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return "\n".join(line for line in lines if ".venv/bin/kis-backend" in line)


@pytest.mark.parametrize("language", HALVES)
def test_commands_can_be_followed(tmp_path: Path, language: str) -> None:
    commands = commands_in(HALVES[language])
    for word in ("sample", "estimate", "import", "validate", "activate", "rollback", "verify"):
        assert f" {word} " in commands
    script = commands.replace(".venv/bin/kis-backend", '"$KIS"')
    done = Program(tmp_path / "production").shell(f"set -eu\ncd '{tmp_path}'\n{script}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Valid." in done.stdout
    assert "v2026-01-15-01" in done.stdout


def test_estimate_that_is_shown_is_the_one_that_comes_out(tmp_path: Path) -> None:
    shown = re.search(r"```text\n(외함 .*?)  \.\.\.\n```", KOREAN, re.DOTALL)
    assert shown
    sample = ROOT / "src/kis/seed/samples/sample-request.json"
    done = Program(tmp_path / "production").run("estimate", str(sample))
    assert done.stdout.startswith(shown[1])


def test_links_lead_somewhere() -> None:
    links = set(re.findall(r"\]\(([^)#]+)\)", KOREAN + ENGLISH)) - {"bench/RESULTS.md"}
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_what_the_commands_write_is_ignored_by_git() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/boards/", "/production/"} <= set(ignored)
