"""What becomes of a stored request under some knowledge: its size, or its refusal. Pure.

It is what worker processes answer, so it is small and travels as bytes.
"""

from collections.abc import Iterable

import msgspec

from kis.errors import DomainError
from kis.estimate.bare import decode_bare, size_bare
from kis.knowledge.snapshot import Snapshot

Sides = tuple[float, float, float]
"""Width, height and depth in mm."""


class Verdict(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The enclosure of one request, or why there is none: `sides` is None then.

    `model` is of the stock enclosure; None when it is made to order. A refusal has
    the code of its first finding, its place, and its words in both languages.
    """

    sides: Sides | None
    model: str | None = None
    code: str = ""
    path: str = ""
    message_ko: str = ""
    message_en: str = ""


class Judgement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The verdict under the version in question, and under the one to compare with, if any."""

    after: Verdict
    before: Verdict | None = None


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(list[Judgement])


def judge(request: bytes, snapshot: Snapshot) -> Verdict:
    """Size a bare request under `snapshot`; a refusal is a verdict too."""
    try:
        choice = size_bare(decode_bare(request), snapshot).found.choice
    except DomainError as refusal:
        main = refusal.main
        return Verdict(None, None, main.code, main.path, main.message.ko, main.message.en)
    size = choice.size
    return Verdict((size.W, size.H, size.D), choice.stock.model if choice.stock else None)


def judge_all(
    requests: Iterable[bytes], snapshot: Snapshot, against: Snapshot | None = None
) -> list[Judgement]:
    """Judge each of `requests` under `snapshot`, and under `against` where it is given."""
    if against is None:
        return [Judgement(judge(request, snapshot)) for request in requests]
    return [Judgement(judge(request, snapshot), judge(request, against)) for request in requests]


def pack(judgements: list[Judgement]) -> bytes:
    """Return `judgements` as bytes for another process."""
    return _encode(judgements)


def unpack(packed: bytes) -> list[Judgement]:
    """Return the judgements of `pack`."""
    return _decoder.decode(packed)
