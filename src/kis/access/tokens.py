"""The form of a key that is made here: `kis_<scope>_<id>_<secret><checksum>`.

The prefix tells scanners of source code what they have found, and the id tells people
which key it is. 32 characters of base 62 are 190 bits that nobody guesses. The checksum
is a CRC-32 of all before it: it tells a typing error from a key that is not known, without
looking anything up. It is no secret, and keeps nobody out.
"""

import re
from zlib import crc32

PREFIX = "kis_"
RANDOM_BYTES = 32
SECRET_CHARACTERS = 32
CHECKSUM_CHARACTERS = 6

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE = len(_ALPHABET)
_LONG = SECRET_CHARACTERS + CHECKSUM_CHARACTERS
# Letters without vowels are what `kis.telemetry.letters_of` makes of bytes.
_FORM = re.compile(
    rf"kis_(?P<scope>api|admin)_(?P<letters>[b-df-hj-np-tv]{{8}})_[0-9A-Za-z]{{{_LONG}}}", re.ASCII
)


def make_token(key_id: str, randomness: bytes) -> str:
    """Return the token of the key `key_id`, which is its scope, `-` and 8 letters.

    `randomness` is 32 bytes: as they are more than the secret holds, all secrets are
    about equally likely.
    """
    scope, _, letters = key_id.partition("-")
    secret = _in_base_62(int.from_bytes(randomness, "big"), SECRET_CHARACTERS)
    body = f"{PREFIX}{scope}_{letters}_{secret}"
    return body + _checksum(body)


def key_id_in(text: str) -> str | None:
    """Return the id of the key that `text` is a token of; None where it is none, or misspelt."""
    form = _FORM.fullmatch(text)
    if form is None or _checksum(text[:-CHECKSUM_CHARACTERS]) != text[-CHECKSUM_CHARACTERS:]:
        return None
    return f"{form['scope']}-{form['letters']}"


def _checksum(body: str) -> str:
    return _in_base_62(crc32(body.encode()), CHECKSUM_CHARACTERS)


def _in_base_62(number: int, characters: int) -> str:
    """Return the last so many digits of `number`."""
    digits = []
    for _ in range(characters):
        number, digit = divmod(number, _BASE)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
