"""API keys: kept as digests, found by them, and compared in constant time."""

import hashlib
import hmac
import math
import time
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from kis.telemetry import letters_of

KEY_ID_BYTES = 4
_HEAD_BYTES = 16


class Scope(StrEnum):
    """What a key may do: `API` may estimate, `ADMIN` everything."""

    API = "api"
    ADMIN = "admin"


class Key(NamedTuple):
    """A key that is valid: its id, its scope, the SHA-256 of its secret, and its holder.

    The holder lasts: a key that replaces this one has the same.
    """

    key_id: str
    scope: Scope
    digest: bytes
    holder: str

    def may(self, scope: Scope) -> bool:
        """Whether this key covers `scope`."""
        return self.scope in (scope, Scope.ADMIN)


_NOBODY = Key("", Scope.API, bytes(hashlib.sha256().digest_size), "")


class EnvKey(NamedTuple):
    """A key that the environment or the .env gives: `name` is the setting's."""

    name: str
    scope: Scope
    secret: str

    @property
    def key_id(self) -> str:
        """The id that follows from the secret."""
        return key_id_for(self.scope, self.secret)

    @property
    def holder(self) -> str:
        """Whoever the setting is for, whatever its value: `api-env`."""
        return f"{self.scope}-env"

    @property
    def digest(self) -> bytes:
        """What is compared."""
        return digest_of(self.secret)


def key_id_for(scope: Scope, secret: str) -> str:
    """Return an id that names a key without telling it: `api-` and 8 letters.

    Letters only, so that no id looks like a status code to a log search.
    """
    digest = hmac.digest(secret.encode(), b"kis-api-key-id", "sha256")
    return f"{scope}-{letters_of(digest[:KEY_ID_BYTES])}"


def new_key_id(scope: Scope, randomness: bytes) -> str:
    """Return the id of a key that is made here, from 4 random bytes."""
    return f"{scope}-{letters_of(randomness[:KEY_ID_BYTES])}"


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret. docs/adr/0021 says why plain SHA-256 will do."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


class KeySet:
    """The keys that are valid now, and which of them were used.

    To be changed by `replace` alone; requests meet either the keys before or those after.
    Where other processes change keys too, they go stale when nobody has looked for long.
    """

    def __init__(
        self, keys: Iterable[Key] = (), seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """Hold `keys`; secrets are not among what they carry. `seconds` is a monotonic clock."""
        self._by_head: dict[bytes, Key] = {}
        self._seconds = seconds
        self._stale_after_s = math.inf
        self._used: set[str] = set()
        self.replace(keys)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys that are valid now."""
        return tuple(self._by_head.values())

    def replace(self, keys: Iterable[Key]) -> None:
        """Hold `keys` from now on, and no others."""
        self._by_head = {key.digest[:_HEAD_BYTES]: key for key in keys}

    def go_stale(self, after_s: float) -> None:
        """Find none any more from that moment of the clock on, until told a later one."""
        self._stale_after_s = after_s

    @property
    def is_stale(self) -> bool:
        """Whether nobody has looked for so long that these may be keys of yesterday."""
        return self._seconds() > self._stale_after_s

    def find(self, secret: str) -> Key | None:
        """Return the key with that secret; None for any while they are stale."""
        return None if self.is_stale else self.known(secret)

    def known(self, secret: str) -> Key | None:
        """Return the key with that secret, stale or not.

        Looked up by the first half of a digest, which nobody can steer towards that of
        a key, then compared as a whole: as quick for a thousand keys as for one.
        """
        digest = hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
        key = self._by_head.get(digest[:_HEAD_BYTES], _NOBODY)
        if not hmac.compare_digest(key.digest, digest) or key is _NOBODY:
            return None
        self._used.add(key.key_id)
        return key

    def named(self, key_id: str) -> Key | None:
        """Return the key of that id, whose holder has shown its secret; None while stale."""
        return None if self.is_stale else self.known_as(key_id)

    def known_as(self, key_id: str) -> Key | None:
        """Return the key of that id, stale or not."""
        for key in self._by_head.values():
            if key.key_id == key_id:
                self._used.add(key_id)
                return key
        return None

    def holds(self, key: Key) -> bool:
        """Whether `key`, which was found once, is still valid."""
        return self._by_head.get(key.digest[:_HEAD_BYTES]) == key

    def take_used(self) -> frozenset[str]:
        """Return the ids of the keys that were found since this was asked last."""
        used, self._used = self._used, set()
        return frozenset(used)
