"""Has a program's writes and syncs recorded, and reads the record."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import BinaryIO, NamedTuple

SOURCE = Path(__file__).with_name("recorder.c")
_HEAD = Struct("=qqII8s")


class Op(NamedTuple):
    """One thing done to a file: W(rite), T(runcate), S(ync), R(ename), U(nlink).

    `number` is the offset of a write or the size of a truncation, `data` what was written, or
    the new name. `at_ns` is in ns since 1970.
    """

    kind: str
    path: str
    at_ns: int
    number: int
    data: bytes


class Recorder:
    """Records the files of one folder, in programs that are started with its `environ`."""

    def __init__(self, scratch: Path, under: Path) -> None:
        """Compile what records, into `scratch`, where the record will be as well."""
        library = scratch / "recorder.so"
        self._trace = scratch / "trace"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
        self.environ = {
            "LD_PRELOAD": str(library),
            "RECORDER_TRACE": str(self._trace),
            "RECORDER_UNDER": str(under),
        }

    def ops(self) -> list[Op]:
        """Return what was recorded, in order."""
        with self._trace.open("rb") as file:
            return list(_read(file))


def _read(file: BinaryIO) -> Iterator[Op]:
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        at_ns, number, path_bytes, data_bytes, kind = _HEAD.unpack(head)
        path = file.read(path_bytes).decode()
        yield Op(chr(kind[0]), path, at_ns, number, file.read(data_bytes))
