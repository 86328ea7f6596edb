"""Bytes that are kept packed: an answer takes a tenth of the room that it needs as JSON.

Each byte is written three times (log, journal, file), which is dearer than to pack it: see
docs/adr/0030. Answers are alike, so they are packed with a dictionary of what they have in
common (`tools/dictionary.py`). What was packed with it can be read with nothing else: the
file never changes. A frame names its dictionary, so there may be others beside it one day.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Dialect, type_coerce
from zstandard import (
    ZstdCompressionDict,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
    frame_content_size,
)

from kis.db.metadata import Blob

MAGIC = b"\x28\xb5\x2f\xfd"
"""How a frame of Zstandard begins, and no JSON does."""
LEVEL = 1
FEW = 4
"""So many are packed sooner one by one: to begin with all takes as long as seven of them."""
MAX_BYTES = 64 * 1024 * 1024
"""What says that it is larger was not packed here."""
Buffer = bytes | bytearray | memoryview

DICTIONARY = Path(__file__).with_name("dictionary.zstd")
_dictionary = ZstdCompressionDict(DICTIONARY.read_bytes())


class _Tools(threading.local):
    """Those of a thread: they are not for two at once, and dear to make."""

    def __init__(self) -> None:
        self.packer = ZstdCompressor(level=LEVEL, dict_data=_dictionary)
        self.unpack = ZstdDecompressor(dict_data=_dictionary).decompress


_tools = _Tools()


def pack(raw: bytes) -> bytes:
    """Return `raw` packed; what is packed already, or nothing, as it is."""
    return _tools.packer.compress(raw) if _is_plain(raw) else raw


def pack_all(values: Sequence[bytes]) -> list[bytes]:
    """Do what `pack` does, with the interpreter lock given up once for all of them."""
    if len(values) <= FEW:
        return [pack(raw) for raw in values]
    plain: list[Buffer] = [raw for raw in values if _is_plain(raw)]
    packed = iter(_tools.packer.multi_compress_to_buffer(plain) if plain else ())
    return [next(packed).tobytes() if _is_plain(raw) else raw for raw in values]


def _is_plain(raw: bytes) -> bool:
    return len(raw) > 0 and not raw.startswith(MAGIC)


def unpack(stored: bytes) -> bytes:
    """Return what was packed. What was not, or is damaged, is returned as it stands."""
    if not stored.startswith(MAGIC):
        return stored
    try:
        if frame_content_size(stored) > MAX_BYTES:
            return stored
        return _tools.unpack(stored, allow_extra_data=False)
    except ZstdError:
        return stored


class PackedBlob(Blob):
    """Bytes that are packed as they are stored, if they are not yet, and unpacked as they are read.

    JSON that stands there as such is read all the same: somebody may have changed it by hand.
    """

    cache_ok = True

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return `column` as it is selected."""
        return type_coerce(super().column_expression(column), self)

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the bytes to store."""
        return None if value is None else pack(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the bytes that were packed."""
        return None if value is None else unpack(value)
