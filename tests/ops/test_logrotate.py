"""The configuration of logrotate, with a running server that is told nothing."""

import re
import subprocess
from pathlib import Path

from kis.ops.log_files import rotated_files
from tests.ops.told import OPS
from tests.programs import needs
from tests.services import board, running_server

CONFIGURATION = (OPS / "logrotate" / "kis-backend").read_text(encoding="utf-8")


def logrotate(folder: Path, log: Path) -> None:
    """Rotate now, as whoever runs the test."""
    text, found = re.subn("/production/logs/kis-backend.log", str(log), CONFIGURATION)
    assert found == 1
    configuration = folder / "configuration"
    configuration.write_text(text.replace("    su kis kis\n", ""))
    configuration.chmod(0o644)
    done = subprocess.run(
        ["logrotate", "--force", "--state", str(folder / "state"), str(configuration)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@needs("logrotate")
def test_server_goes_on_in_a_new_file_and_both_are_known(tmp_path: Path) -> None:
    with running_server(tmp_path / "home") as server:
        log = server.home / "logs" / "kis-backend.log"
        server.request("POST", "/v1/estimate/create", json=board())
        logrotate(tmp_path, log)
        assert not log.exists()
        server.request("POST", "/v1/estimate/create", json=board())
        (rotated,) = rotated_files(log)
        for file in (rotated, log):
            assert file.read_text().count('"POST /v1/estimate/create" 201') == 1
        assert re.fullmatch(r"kis-backend\.log-\d{8}-\d+", rotated.name)
