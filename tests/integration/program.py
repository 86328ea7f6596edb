"""`kis-backend` as an operator runs it: a process of its own, on a home of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import sql
from tests.services import SECRETS, free_port

PROGRAM = str(Path(sys.executable).with_name("kis-backend"))
PASSED_ON = ("PATH", "LANG", "HOME", "TMPDIR")
TIMEOUT_S = 60

Done = subprocess.CompletedProcess[str]


class Program:
    """Runs commands on one home, with the keys of the tests unless told otherwise."""

    def __init__(self, home: Path, **environ: str) -> None:
        """Prepare; a port that nobody listens on is set, so that no server is met by chance."""
        self.home = home
        self.environ = {
            **{name: value for name, value in os.environ.items() if name in PASSED_ON},
            "KIS_HOME": str(home), "PORT": str(free_port()), **SECRETS,
            "DATABASE_URL": sql.url_of(home), **environ,
        }  # fmt: skip

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> Done:
        """Run one command; `environ` adds to the environment."""
        return subprocess.run(
            [PROGRAM, *arguments], env={**self.environ, **environ}, input=stdin,
            capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
        )  # fmt: skip

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one command; what it says is nobody's business."""
        return subprocess.Popen(
            [PROGRAM, *arguments], env=self.environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def json(self, *arguments: str, code: int = 0, **more: str) -> Any:
        """Run one command with `--json` and return what it prints, which is nothing else."""
        done = self.run(*arguments, "--json", **more)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def shell(self, script: str, **environ: str) -> Done:
        """Run a script of bash, the program as `$KIS`."""
        return subprocess.run(
            ["bash", "-c", script], env={**self.environ, "KIS": PROGRAM, **environ},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=TIMEOUT_S,
        )  # fmt: skip


def until(met: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + TIMEOUT_S
    while not met():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)  # the other process may need the core


def is_clear(done: Done) -> bool:
    """Whether a failure is told in words: in both languages, and no traceback."""
    text = done.stdout + done.stderr
    has_korean = any("가" <= character <= "힣" for character in text)
    return "Traceback" not in text and "Exception ignored" not in text and has_korean
