"""A power cut at any instant: nothing acknowledged is lost, nothing is broken."""

from pathlib import Path

import pytest

from tests.integration.lifecycle import estimate, good, verify_evidence
from tests.power import cuts
from tests.power.cuts import DATABASE, JOURNAL, Run
from tests.power.disk import Disk
from tests.power.load import committed_in
from tests.power.recording import Op
from tests.programs import needs
from tests.services import board, running_server

ESTIMATES = 1_000
CUTS = 30


@needs("cc")
def test_nothing_is_lost_or_broken(tmp_path: Path) -> None:
    run = cuts.record(tmp_path, ESTIMATES)
    outcome = cuts.cut(run, CUTS, 1, tmp_path)
    assert outcome.is_good, outcome
    assert outcome.acknowledged > CUTS * 100
    assert outcome.rebuilt > outcome.refused
    # With a disk that lies something is found: else nothing would be, whatever the service does.
    assert cuts.cut(run, 5, 1, tmp_path, lies=True).lost
    the_service_goes_on(run, tmp_path / "left")


def the_service_goes_on(run: Run, home: Path) -> None:
    disk = Disk()
    disk.play(run.ops[: len(run.ops) * 2 // 3])
    disk.cut(home, str(run.home), None)
    before = set(committed_in(home / DATABASE))
    with running_server(home) as server:
        answer = good(estimate(server, board()), 201)
        assert verify_evidence(server, answer["id"])["valid"]
        assert server.stop() == 0
    assert set(committed_in(home / DATABASE)) == before | {answer["id"]}
    assert list((home / JOURNAL).iterdir())


# --- the disk itself ---------------------------------------------------------------------


def op(kind: str, path: str, number: int = 0, data: bytes = b"") -> Op:
    return Op(kind, path, 0, number, data)


@pytest.mark.parametrize(
    ("ops", "left"),
    [
        ([op("W", "/d/a", 0, b"ab"), op("S", "/d/a")], {}),
        ([op("W", "/d/a", 0, b"ab"), op("S", "/d")], {"a": b""}),
        ([op("W", "/d/a", 0, b"ab"), op("S", "/d/a"), op("S", "/d")], {"a": b"ab"}),
        (
            [op("W", "/d/a", 0, b"ab"), op("S", "/d/a"), op("S", "/d"), op("W", "/d/a", 1, b"c")],
            {"a": b"ab"},
        ),
        (
            [op("W", "/d/a", 0, b"ab"), op("T", "/d/a", 1), op("S", "/d/a"), op("S", "/d")],
            {"a": b"a"},
        ),
        (
            [op("W", "/d/a", 0, b"ab"), op("S", "/d/a"), op("S", "/d"), op("U", "/d/a")],
            {"a": b"ab"},
        ),
        (
            [op("W", "/d/a", 0, b"a"), op("S", "/d/a"), op("R", "/d/a", 0, b"/d/b"), op("S", "/d")],
            {"b": b"a"},
        ),
    ],
)
def test_what_is_sure(tmp_path: Path, ops: list[Op], left: dict[str, bytes]) -> None:
    disk = Disk()
    disk.play(ops)
    disk.cut(tmp_path / "left", "/d", None)
    found = {path.name: path.read_bytes() for path in tmp_path.glob("left/*")}
    assert found == left
