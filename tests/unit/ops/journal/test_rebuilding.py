"""A database as it was at a moment: exactly what was committed by then, or nothing."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import zstandard

from kis.ops.backup.trouble import Unsound
from kis.ops.journal import writing
from kis.ops.journal.bases import BaseKeeper
from kis.ops.journal.folder import Chain, chains
from kis.ops.journal.rebuilding import BEGINNING, rebuild, spans
from kis.ops.journal.service import Journal

from .made import SECOND_NS, Clock, Notes, last_chain, moment, rebuilt_at


class Protected:
    """Notes with a journal whose turns the test takes, and bases when it wants them."""

    def __init__(self, file: Path, folder: Path, clock: Clock) -> None:
        """Open the notes and begin to follow."""
        self.notes = Notes(file, clock)
        self.folder = folder
        self.journal = Journal(self.notes.wal, folder, clock)
        self.keeper = BaseKeeper(self.journal, file, 7, clock)
        self.journal.start()

    def base(self) -> None:
        """Make one, if it is time."""
        self.journal.position_after(self.notes.clock(), 10)
        self.keeper._look()

    def close(self) -> None:
        """End well."""
        self.journal.stop()
        self.notes.close()
        self.journal.finish()


@pytest.fixture
def protected(file: Path, folder: Path, clock: Clock) -> Iterator[Protected]:
    protected = Protected(file, folder, clock)
    yield protected
    protected.close()


def work(protected: Protected, chance: random.Random, commits: int = 60) -> None:
    """Commit, and let the log begin anew now and then."""
    for _ in range(commits):
        protected.notes.commit(chance.choice((10, 1_000, 30_000)))
        if chance.random() < 0.2:
            protected.notes.checkpoint()


def test_each_moment_has_what_was_committed_by_then(
    protected: Protected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROLL_BYTES", 200_000)
    chance = random.Random(1)  # noqa: S311 - so that a failure can be repeated
    notes = protected.notes
    protected.base()
    work(protected, chance)
    notes.clock.ns += 90_000 * SECOND_NS
    protected.base()
    work(protected, chance)
    protected.journal.position_after(notes.clock(), 10)
    (span,) = spans(protected.folder)
    assert len(last_chain(protected.folder).bases()) == 2
    moments = [at for at, _ in notes.committed]
    asked = [at + offset for at in chance.sample(moments, 15) for offset in (-1_000, 0, 1_000)]
    for at in asked:
        if span.first <= moment(at) <= span.last:
            assert rebuilt_at(protected.folder, at, tmp_path / "then.db") == notes.by(at)


def test_a_base_copied_while_the_file_is_written_to(protected: Protected, tmp_path: Path) -> None:
    """Checkpoints while the copy is made: what is torn in it, the journal mends."""
    notes = protected.notes
    for _ in range(20):
        notes.commit(50_000)
    notes.checkpoint()
    began = protected.journal.position_after(notes.clock(), 10)
    assert began is not None
    original = protected.keeper._pack

    def pack(source: Path, target: Path) -> object:
        half = tmp_path / "half"
        raw = source.read_bytes()
        for _ in range(5):
            notes.commit(50_000)
            protected.journal.position_after(notes.clock(), 10)
            notes.checkpoint()
        later = source.read_bytes()
        # Half of it from before, half from after.
        middle = len(raw) // 8192 * 4096
        half.write_bytes(raw[:middle] + later[middle:])
        return original(half, target)

    protected.keeper._pack = pack  # type: ignore[assignment, method-assign]
    protected.keeper._make(began)
    notes.commit()
    protected.journal.position_after(notes.clock(), 10)
    at, held = notes.committed[-1]
    assert rebuilt_at(protected.folder, at, tmp_path / "then.db") == held
    with pytest.raises(Unsound):
        rebuild(protected.folder, moment(notes.committed[20][0]), tmp_path / "before.db")


def test_what_was_rebuilt_is_told(protected: Protected, tmp_path: Path) -> None:
    protected.base()
    protected.notes.commit()
    protected.journal.position_after(protected.notes.clock(), 10)
    told: list[str] = []
    at, _ = protected.notes.committed[-1]
    rebuilt = rebuild(
        protected.folder, moment(at + 5_000), tmp_path / "then.db",
        lambda what, _done, _total: told.append(what),
    )  # fmt: skip
    assert rebuilt.committed_at == moment(at)
    assert rebuilt.bytes == (tmp_path / "then.db").stat().st_size
    assert rebuilt.known_until >= moment(at)
    assert rebuilt.frames > 0
    assert len(set(told)) == 2
    assert not list(tmp_path.glob("then.db-*"))


# --- what cannot be had ------------------------------------------------------------------


def test_without_a_journal(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Unsound, match="no journal"):
        rebuild(folder, BEGINNING, tmp_path / "then.db")


def test_a_moment_before_the_first_base(protected: Protected, tmp_path: Path) -> None:
    protected.base()
    (span,) = spans(protected.folder)
    with pytest.raises(Unsound, match="does not know"):
        rebuild(protected.folder, span.first - timedelta(seconds=1), tmp_path / "then.db")
    assert not (tmp_path / "then.db").exists()


def test_a_file_that_is_there_is_not_written_over(protected: Protected, tmp_path: Path) -> None:
    protected.base()
    target = tmp_path / "then.db"
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        rebuild(protected.folder, moment(protected.notes.clock.ns), target)
    assert target.read_bytes() == b"mine"


def test_between_two_chains_nothing_is_known(
    file: Path, folder: Path, clock: Clock, tmp_path: Path
) -> None:
    for _ in range(2):
        protected = Protected(file, folder, clock)
        protected.base()
        protected.notes.commit()
        protected.close()
        file.rename(tmp_path / "moved.db")
        (tmp_path / "copy.db").write_bytes((tmp_path / "moved.db").read_bytes())
        (tmp_path / "copy.db").rename(file)
        clock.ns += 100 * SECOND_NS
    first, second = spans(folder)
    assert first.last < second.first
    between = second.first - timedelta(seconds=50)
    with pytest.raises(Unsound, match="does not know"):
        rebuild(folder, between, tmp_path / "then.db")
    rebuild(folder, first.last, tmp_path / "first.db")
    rebuild(folder, second.last + timedelta(days=1), tmp_path / "latest.db")


# --- damage ------------------------------------------------------------------------------


@pytest.fixture
def written(protected: Protected, monkeypatch: pytest.MonkeyPatch) -> Protected:
    """Several files, and a base."""
    monkeypatch.setattr(writing, "ROLL_BYTES", 100_000)
    protected.base()
    work(protected, random.Random(2))  # noqa: S311 - so that a failure can be repeated
    protected.journal.position_after(protected.notes.clock(), 10)
    assert len(last_chain(protected.folder).files()) > 2
    return protected


def committed_or_refused(protected: Protected, target: Path) -> int:
    """Rebuild many moments: each is a state that was committed, by then; return how many."""
    states = [held for _, held in protected.notes.committed]
    found = 0
    for at, _ in protected.notes.committed[::7]:
        try:
            held = rebuilt_at(protected.folder, at, target)
        except Unsound:
            assert not target.exists()
            continue
        found += 1
        assert held in states or not held
        assert held <= protected.notes.by(at)
    return found


def test_a_file_that_is_missing(written: Protected, tmp_path: Path) -> None:
    chain = last_chain(written.folder)
    numbers = list(chain.files())
    chain.files()[numbers[len(numbers) // 2]].unlink()
    assert committed_or_refused(written, tmp_path / "then.db")


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_byte(written: Protected, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - so that a failure can be repeated
    path = chance.choice(list(last_chain(written.folder).files().values()))
    raw = bytearray(path.read_bytes())
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    path.write_bytes(raw)
    committed_or_refused(written, tmp_path / "then.db")


def test_a_base_that_is_damaged(written: Protected, tmp_path: Path) -> None:
    chain = last_chain(written.folder)
    (base,) = chain.bases()
    path = chain.base_file(base.name)
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[len(changed) // 2] ^= 1
    for raw in (whole[:-20], bytes(changed), b"not packed", zstandard.compress(b"another")):
        path.write_bytes(raw)
        with pytest.raises(Unsound):
            rebuild(written.folder, moment(written.notes.clock.ns), tmp_path / "then.db")
        assert not (tmp_path / "then.db").exists()


def test_a_note_of_a_base_that_is_no_note_is_no_base(written: Protected) -> None:
    chain = last_chain(written.folder)
    (base,) = chain.bases()
    for text in ("", "{", json.dumps({"name": "x"})):
        chain.base_note(base.name).write_text(text)
        assert chain.bases() == []
    assert spans(written.folder) == []


def test_other_things_in_the_folder_do_not_matter(written: Protected) -> None:
    (written.folder / "lost+found").mkdir()
    (last_chain(written.folder).folder / "README").write_text("mine")
    assert len(chains(written.folder)) == 1
    assert Chain(written.folder / "missing").files() == {}
    assert len(spans(written.folder)) == 1
