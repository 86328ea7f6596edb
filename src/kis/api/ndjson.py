"""Cuts a body that comes in pieces into its lines."""

from typing import NamedTuple


class Line(NamedTuple):
    """A line with its number from 1, as an editor counts; `raw` is None when it is too long."""

    number: int
    raw: bytes | None


class LineSplitter:
    """Holds the beginning of a line whose end is still to come, and never more than `limit`.

    Lines end in LF or CRLF. Those of white space alone are counted and left out.
    """

    def __init__(self, limit: int) -> None:
        """`limit` is the most bytes that a line may have, without its end."""
        self._limit = limit
        self._begun = b""
        self._is_skipping = False
        self._number = 0

    @property
    def next_number(self) -> int:
        """The number of the line that ends next."""
        return self._number + 1

    def feed(self, piece: bytes) -> list[Line]:
        """Return the lines that end in `piece`."""
        *ended, rest = piece.split(b"\n")
        if not ended:
            self._keep(rest)
            return []
        ended[0] = self._begun + ended[0]
        found = [line for line in map(self._line, ended) if line is not None]
        self._begun = b""
        self._keep(rest)
        return found

    def end(self) -> list[Line]:
        """Return the last line, if it has no end of its own."""
        last = self._line(self._begun)
        self._begun = b""
        return [] if last is None else [last]

    def _keep(self, piece: bytes) -> None:
        if self._is_skipping:
            return
        self._begun += piece
        # One more, for the carriage return that may end it.
        if len(self._begun) > self._limit + 1:
            self._is_skipping = True
            self._begun = b""

    def _line(self, raw: bytes) -> Line | None:
        self._number += 1
        if self._is_skipping:
            self._is_skipping = False
            return Line(self._number, None)
        raw = raw.removesuffix(b"\r")
        if len(raw) > self._limit:
            return Line(self._number, None)
        return Line(self._number, raw) if raw and not raw.isspace() else None
