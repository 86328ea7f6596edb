"""A disk that is cut off from power: what was not synced is there, or not, or in part.

A file's content is sure up to its last sync. Of what was written after, each sector may have
reached the disk or not, in any order; so may the length. A name is sure once its folder was
synced after; of later changes to names a first few are there, in their order.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.power.recording import Op

SECTOR = 512


@dataclass
class _File:
    """Content that is sure, and what was done since."""

    sure: bytearray = field(default_factory=bytearray)
    pending: list[Op] = field(default_factory=list)

    def sync(self) -> None:
        for op in self.pending:
            _apply(self.sure, op)
        self.pending = []

    def cut(self, chance: random.Random | None) -> bytes:
        """Return what may be left of it; without chance what is sure."""
        left = bytearray(self.sure)
        if chance is None:
            return bytes(left)
        survive = chance.choice((0.0, 0.3, 0.7, 1.0))
        for op in self.pending:
            if op.kind == "T":
                if chance.random() < survive:
                    _apply(left, op)
                continue
            for at in range(0, len(op.data), SECTOR):
                if chance.random() < survive:
                    part = op.data[at : at + SECTOR]
                    _apply(left, op._replace(number=op.number + at, data=part))
        return bytes(left)


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "T":
        if op.number <= len(content):
            del content[op.number :]
        else:
            content.extend(bytes(op.number - len(content)))
        return
    if op.number > len(content):
        content.extend(bytes(op.number - len(content)))
    content[op.number : op.number + len(op.data)] = op.data


class Disk:
    """Plays a record back; `cut` writes what a power cut at this point would leave."""

    def __init__(self, *, lies: bool = False) -> None:
        """Begin empty. One that `lies` says that it synced and did not."""
        self._files: dict[str, _File] = {}
        self._sure: dict[str, _File] = {}
        """By names that survive."""
        self._renamed: dict[str, list[tuple[str, _File | None]]] = {}
        """By folder: changes of names that may not have reached the disk."""
        self._lies = lies

    def play(self, ops: Iterable[Op]) -> None:
        """Do what was recorded."""
        for op in ops:
            match op.kind:
                case "W" | "T":
                    self._file(op.path).pending.append(op)
                case "S" if not self._lies:
                    self._sync(op.path)
                case "R":
                    self._name(op.data.decode(), self._files.pop(op.path, _File()))
                    self._name(op.path, None)
                case "U":
                    self._files.pop(op.path, None)
                    self._name(op.path, None)
                case _:
                    pass

    def _file(self, path: str) -> _File:
        if path not in self._files:
            self._name(path, _File())
        return self._files[path]

    def _name(self, path: str, file: _File | None) -> None:
        if file is not None:
            self._files[path] = file
        self._renamed.setdefault(_folder(path), []).append((path, file))

    def _sync(self, path: str) -> None:
        if path in self._files:
            self._files[path].sync()
            return
        for change in self._renamed.pop(path, []):
            self._settle(self._sure, *change)

    @staticmethod
    def _settle(names: dict[str, _File], path: str, file: _File | None) -> None:
        if file is None:
            names.pop(path, None)
        else:
            names[path] = file

    def cut(self, to: Path, under: str, chance: random.Random | None) -> None:
        """Write to `to` what may be left below `under`; without chance, what is sure."""
        names = dict(self._sure)
        for changes in self._renamed.values():
            reached = 0 if chance is None else chance.randint(0, len(changes))
            for change in changes[:reached]:
                self._settle(names, *change)
        for path, file in names.items():
            if not path.startswith(under):
                continue
            target = to / path.removeprefix(under).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.cut(chance))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
