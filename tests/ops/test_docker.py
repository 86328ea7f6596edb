"""The image and the composition: what they copy and run is there. Nothing here runs Docker."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kis.settings import descriptions
from tests.certificates import make_pair
from tests.ops.told import OPS, ROOT
from tests.services import running_server

FOLDER = OPS / "docker"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    tuple(line.split(None, 1))
    for line in re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", DOCKERFILE)).splitlines()
    if line
]
COMPOSITION: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SENT = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
UV = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
SYNCS = [words for name, words in INSTRUCTIONS if name == "RUN" and words.startswith("uv ")]


def values_of(name: str) -> list[str]:
    return [words for instruction, words in INSTRUCTIONS if instruction == name]


def test_what_is_copied_is_there_and_sent() -> None:
    copied = [
        source
        for words in values_of("COPY")
        if not words.startswith("--from")
        for source in words.split()[:-1]
    ]
    assert {line.removeprefix("!") for line in SENT if line.startswith("!")} == set(copied)
    assert all((ROOT / source).exists() for source in copied)


def test_image_needs_no_root_and_holds_no_secret() -> None:
    assert values_of("USER") == ["kis"]
    assert INSTRUCTIONS.index(("USER", "kis")) > max(
        index for index, (name, _) in enumerate(INSTRUCTIONS) if name in {"RUN", "COPY"}
    )
    generated = {setting.env for setting in descriptions() if setting.is_generated}
    assert not [name for name in generated if name in DOCKERFILE]


@pytest.mark.skipif(not Path(UV).exists(), reason="uv is not installed")
@pytest.mark.parametrize("sync", SYNCS)
def test_dependencies_are_locked_as_the_image_takes_them(sync: str, tmp_path: Path) -> None:
    environ = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(tmp_path / "environment")}
    done = subprocess.run(
        [UV, *sync.split()[1:], "--dry-run", "--offline", "--python", sys.executable],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_image_starts_the_server_and_asks_whether_it_can_serve() -> None:
    assert len(SYNCS) == 2
    (start,) = (json.loads(words) for words in values_of("CMD"))
    assert start == ["kis-backend", "serve"]
    assert f"PORT={values_of('EXPOSE')[0]}" in values_of("ENV")[-1]


@pytest.mark.parametrize("has_tls", [False, True])
def test_health_is_that_of_the_server_with_a_certificate_or_without(
    tmp_path: Path, has_tls: bool
) -> None:
    (health,) = (json.loads(words.partition("CMD ")[2]) for words in values_of("HEALTHCHECK"))
    environ = make_pair(tmp_path).environ if has_tls else {}
    with running_server(tmp_path / "home", **environ) as server:
        command = [sys.executable, *health[1:]]
        asked = {"KIS_HOME": str(server.home), "PORT": str(server.port)}
        assert subprocess.run(command, env=asked, check=False).returncode == 0
        server.stop()
        done = subprocess.run(command, env=asked, check=False, capture_output=True)
        assert done.returncode == 1


def test_composition_builds_that_image_and_waits_for_its_database() -> None:
    service, database = COMPOSITION["services"]["kis"], COMPOSITION["services"]["db"]
    build = service["build"]
    context = (FOLDER / build["context"]).resolve()
    assert context == ROOT
    assert context / build["dockerfile"] == FOLDER / "Dockerfile"
    assert service["depends_on"]["db"]["condition"] == "service_healthy"
    assert "healthcheck" in database
    assert service["volumes"] == [f"home:{values_of('VOLUME')[0]}"]
    # Nobody but this machine, until somebody decides otherwise.
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "ports" not in database


def test_database_is_healthy_once_it_takes_connections_over_the_network() -> None:
    """At its very first start it listens on a socket of its own before, to be set up."""
    test = COMPOSITION["services"]["db"]["healthcheck"]["test"]
    assert test[test.index("-h") + 1] == "127.0.0.1"


def test_settings_of_the_composition_are_settings() -> None:
    known = {setting.env for setting in descriptions()}
    assert set(COMPOSITION["services"]["kis"]["environment"]) <= known | {"TZ"}


def test_image_has_no_source_to_compile_at_each_start() -> None:
    """Python's own library has no bytecode in its image, and nothing may write it later."""
    assert any("compileall" in words for words in values_of("RUN"))
    assert "UV_COMPILE_BYTECODE=1" in values_of("ENV")[0]


def test_backups_find_the_programs_of_that_server() -> None:
    """The image's Debian has the client of that major version of PostgreSQL."""
    assert COMPOSITION["services"]["db"]["image"] == "postgres:17"
    assert values_of("FROM")[-1].endswith("-slim-trixie")
    assert any("postgresql-client" in words for words in values_of("RUN"))
