"""Canonical bytes after RFC 8785: fast for what we made, strict for the rest.

msgspec writes RFC 8785 for most values, a hundred times faster than `rfc8785`.
Where the two differ (found by the properties in `test_encoding.py`):

| value                           | msgspec            | RFC 8785            |
|---------------------------------|--------------------|---------------------|
| a whole float, 1.0              | `1.0`              | `1`                 |
| -0.0                            | `-0.0`             | `0`                 |
| 1e-06 <= abs(float) < 1e-05     | `1e-6`             | `0.000001`          |
| abs(float) >= 1e16              | `1e16`, `1e300`    | digits, or `1e+300` |
| abs(int) >= 2**53               | the digits         | an error            |
| keys beyond U+FFFF beside keys  | by code point      | by UTF-16 unit      |
| of U+E000 to U+FFFF             |                    |                     |
| NaN, Infinity                   | `null`             | an error            |

Strings never differ: control characters, U+007F, U+2028 and Korean are written
alike, and both refuse lone surrogates.
"""

import hashlib
from typing import Protocol

import msgspec
import rfc8785

PIECE_BYTES = 2047
"""For more at once hashlib gives up the interpreter, for some microseconds: a thread that waits
for it is woken for nothing, which takes longer (docs/performance.md)."""
LARGE_BYTES = 64 * 1024
"""What takes so long that others should have the interpreter."""

_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class NotCanonicalError(ValueError):
    """The value has no RFC 8785 form."""


def canonical(value: object) -> bytes:
    """Return the canonical bytes of a value that KIS made; fast.

    `value` is structs and builtins; a `msgspec.Raw` in it is copied as it is.
    The caller vouches that its numbers are whole ints below 2**53 or fractional
    floats of at least 1e-05 and that its keys are field names: so it is with a
    board and an estimate. Use `canonical_strict` for anything else.

    Raises:
        UnicodeEncodeError: a string has a lone surrogate.

    """
    return _encode_sorted(value)


def canonical_strict(value: object) -> bytes:
    """Return the canonical bytes of any value; slow (70 µs a KB), exact.

    `value` is structs and builtins, from anywhere.

    Raises:
        NotCanonicalError: a number is not finite or a whole number reaches
            2**53, a string has a lone surrogate, a key is not a string, or the
            nesting exhausts the stack.

    """
    try:
        return rfc8785.dumps(msgspec.to_builtins(value))
    except (ValueError, RecursionError) as error:
        # Not CanonicalizationError alone: a lone surrogate in a key comes out
        # of rfc8785 as UnicodeEncodeError. Both are ValueErrors.
        raise NotCanonicalError(str(error)) from None


def canonical_of_ours(value: object) -> bytes | None:
    """Return the bytes of `canonical`; None where it has none.

    They are worth something only where a seal or a sealed digest vouches that these
    are the bytes that KIS wrote: then `canonical_strict` would give the same.
    """
    try:
        return canonical(value)
    except (ValueError, OverflowError, RecursionError):
        return None


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` in lower-case hex: every digest in evidence."""
    digest = hashlib.sha256()
    feed(digest, data)
    return digest.hexdigest()


class Fed(Protocol):
    """A digest, or the tag of a message, under way."""

    def update(self, data: bytes, /) -> None:
        """Take some more."""


def feed(digest: Fed, data: bytes) -> None:
    """Have `digest` take all of `data`, without giving up the interpreter unless it is large."""
    step = PIECE_BYTES if len(data) < LARGE_BYTES else len(data)
    for at in range(0, len(data), step):
        digest.update(data[at : at + step])
