"""API keys: kept as digests, compared in constant time."""

import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Self

from kis.telemetry import letters_of

KEY_ID_BYTES = 4


class Scope(StrEnum):
    """What a key may do: `API` may estimate, `ADMIN` everything."""

    API = "api"
    ADMIN = "admin"


class Key(NamedTuple):
    """A known key: its id, its scope, and the SHA-256 of its secret."""

    key_id: str
    scope: Scope
    digest: bytes

    def may(self, scope: Scope) -> bool:
        """Whether this key covers `scope`."""
        return self.scope in (scope, Scope.ADMIN)


def key_id_for(scope: Scope, secret: str) -> str:
    """Return an id that names a key without telling it: `api-` and 8 letters.

    Letters only, so that no id looks like a status code to a log search.
    """
    digest = hmac.digest(secret.encode(), b"kis-api-key-id", "sha256")
    return f"{scope}-{letters_of(digest[:KEY_ID_BYTES])}"


class KeySet:
    """The keys that are valid now."""

    def __init__(self, keys: Iterable[Key]) -> None:
        """Hold `keys`; secrets are not among what they carry."""
        self.keys = tuple(keys)

    @classmethod
    def of(cls, secrets: Iterable[tuple[Scope, str]]) -> Self:
        """Return the set of these secrets."""
        return cls(
            Key(key_id_for(scope, secret), scope, hashlib.sha256(secret.encode()).digest())
            for scope, secret in secrets
        )

    def find(self, secret: str) -> Key | None:
        """Return the key with that secret; every key is compared, whichever matches."""
        digest = hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
        found = None
        for key in self.keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found
