"""Each command of the runbook is run on a live installation, and answers as the runbook shows."""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.program import PASSED_ON, PROGRAM
from tests.programs import needs
from tests.runbook.document import Command, read_chapters
from tests.runbook.masks import mask
from tests.services import free_port

DOCS = Path(__file__).parents[2] / "docs"
KOREAN, ENGLISH = DOCS / "runbook.ko.md", DOCS / "runbook.en.md"
CHAPTERS = read_chapters(KOREAN)
PRELUDE = CHAPTERS[0].commands[0].script
TIMEOUT_S = 120
MANUAL = {"systemctl enable": 1, "systemctl restart": 1, "iptables": 1, "sshd": 1}
"""What no test runs, by its program: a new one is to be seen."""


class Operator:
    """Somebody at a shell, with the service of a home of its own."""

    def __init__(self, home: Path) -> None:
        """Start the service as the runbook does; the shell is in an empty folder."""
        self.home, self.port = home, free_port()
        self._folder = home.parent / "shell"
        self._folder.mkdir()
        passed_on = {name: value for name, value in os.environ.items() if name in PASSED_ON}
        path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
        self._environ = {**passed_on, "PATH": path, "PORT": str(self.port)}

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run `script` after the prelude."""
        whole = f"{PRELUDE}\n{script}"
        for written, meant in (
            ("/production", str(self.home)),
            ("localhost:3000", f"localhost:{self.port}"),
        ):
            whole = whole.replace(written, meant)
        # Into files: a server that a block starts keeps what it inherits open.
        out, err = self._folder.parent / "out", self._folder.parent / "err"
        with out.open("w") as stdout, err.open("w") as stderr:
            done = subprocess.run(
                ["bash", "-e", "-c", whole], env=self._environ,
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                check=False, timeout=TIMEOUT_S,
            )  # fmt: skip
        return subprocess.CompletedProcess(
            done.args, done.returncode, out.read_text(), err.read_text()
        )

    def masked(self, text: str) -> str:
        """Return what a command printed as the document has it."""
        return mask(text, str(self.home), self.port)


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """An operator of a fresh installation whose service runs."""
    operator = Operator(tmp_path / "production")
    started = operator.run(START)
    assert started.returncode == 0, started.stderr
    yield operator
    assert operator.run("kis-backend stop").returncode == 0


START = """
nohup kis-backend serve > /dev/null 2>&1 &
for _ in $(seq 200); do curl -sf http://localhost:3000/readyz > /dev/null && exit 0; sleep 0.1; done
exit 1
"""


@needs("bash", "curl", "jq", "sqlite3", "ps")
@pytest.mark.parametrize("number", range(len(CHAPTERS)), ids=[c.title for c in CHAPTERS])
def test_each_command_answers_as_shown(
    number: int, operator: Operator, update_golden: bool
) -> None:
    answers: dict[int, str] = {}
    commands = CHAPTERS[number].commands
    for place, command in enumerate(commands):
        if command.is_manual:
            continue
        done = operator.run(command.script)
        said = f"line {command.line}: {command.script}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == command.exit_code, said
        if command.answer:
            answers[place] = operator.masked(done.stdout + done.stderr)
    if update_golden:
        for path in (KOREAN, ENGLISH):
            _rewrite(path, number, answers)
        return
    shown = {place: command.answer.text for place, command in enumerate(commands) if command.answer}
    assert answers == shown, "look at it, then run pytest --update-golden tests/runbook"


def _rewrite(path: Path, number: int, answers: dict[int, str]) -> None:
    """Put `answers` into the chapter of that number."""
    text = path.read_text(encoding="utf-8")
    commands = read_chapters(path)[number].commands
    for place, shown in sorted(answers.items(), reverse=True):
        answer = commands[place].answer
        assert answer, "both languages show the same answers"
        text = text[: answer.start] + shown + text[answer.end :]
    path.write_text(text, encoding="utf-8")


def test_both_languages_have_the_same_commands_and_answers() -> None:
    def blocks(path: Path) -> list[list[tuple[str, bool, str]]]:
        return [[_without_comments(c) for c in ch.commands] for ch in read_chapters(path)]

    assert blocks(KOREAN) == blocks(ENGLISH)


def _without_comments(command: Command) -> tuple[str, bool, str]:
    script = re.sub(r"^#.*\n", "", command.script, flags=re.MULTILINE)
    return script, command.is_manual, command.answer.text if command.answer else ""


def test_what_is_not_run_is_counted() -> None:
    found: Counter[str] = Counter()
    for chapter in CHAPTERS:
        for command in chapter.commands:
            if command.is_manual:
                found.update(name for name in MANUAL if name in command.script)
    assert found == MANUAL
    assert sum(c.is_manual for ch in CHAPTERS for c in ch.commands) == sum(MANUAL.values())
