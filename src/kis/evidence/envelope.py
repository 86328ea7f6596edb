"""Seals canonical statement bytes with HMAC-SHA256, by key id.

The tag covers a pre-authentication encoding in the manner of DSSE: a fixed
label, then type and body, each behind its length. No other use of the secret
can yield the same message, and bytes cannot move between type and body.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Self

import msgspec

from kis.evidence.encoding import feed, sha256_hex
from kis.evidence.statement import STATEMENT_TYPE

ALGORITHM = "HMAC-SHA256"
MIN_SECRET_BYTES = 16
"""Anyone who holds one evidence package can guess at its key offline."""

_SEAL_LABEL = b"KIS-EVIDENCE-1"
_KEY_ID_LABEL = b"KIS-EVIDENCE-KEY-ID"
_KEY_ID_HEX_DIGITS = 12
_CLIENT_LABEL = b"KIS-EVIDENCE-CLIENT"


class Envelope(msgspec.Struct, frozen=True, rename="camel"):
    """The seal of a statement. `signature` is padded base64 of the 32-byte tag."""

    algorithm: str
    key_id: str
    statement_digest: str
    signature: str


@dataclass(frozen=True, slots=True)
class Keyring:
    """Secrets by key id, and which of them seals. Never shows a secret.

    A secret that has been replaced still verifies. `compromised`: since when somebody
    else may have it (what was sealed before still verifies); `locked`: ids of secrets
    that are stored, but encrypted under a master key that is not ours.
    """

    current_id: str
    secrets: Mapping[str, bytes] = field(repr=False)
    compromised: Mapping[str, datetime] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Check the ids and take a copy that nobody can change.

        Raises:
            ValueError: a secret is under 16 bytes, an id is not its secret's,
                or the current one is missing. No secret is in the message.

        """
        for key_id, secret in self.secrets.items():
            if len(secret) < MIN_SECRET_BYTES:
                message = f"an evidence secret has at least {MIN_SECRET_BYTES} bytes"
                raise ValueError(message)
            if key_id != key_id_for(secret):
                message = f"{key_id} is not the id of its secret"
                raise ValueError(message)
        if self.current_id not in self.secrets:
            message = f"the current key {self.current_id} is not in the keyring"
            raise ValueError(message)
        object.__setattr__(self, "secrets", MappingProxyType(dict(self.secrets)))
        object.__setattr__(self, "compromised", MappingProxyType(dict(self.compromised)))

    @classmethod
    def of(cls, current: bytes, *retired: bytes) -> Self:
        """Return a keyring that seals with `current` and still opens with `retired`.

        Raises:
            ValueError: a secret is under 16 bytes.

        """
        secrets = {key_id_for(secret): secret for secret in (*retired, current)}
        return cls(current_id=key_id_for(current), secrets=secrets)

    def knows(self, key_id: str) -> bool:
        """Whether there is anything to say of that key."""
        return key_id in self.secrets or key_id in self.locked


def key_id_for(secret: bytes) -> str:
    """Return `evk-` and 12 hex digits that name `secret` without telling it."""
    return "evk-" + hmac.digest(secret, _KEY_ID_LABEL, "sha256").hex()[:_KEY_ID_HEX_DIGITS]


def client_digest(estimate_id: str, client: str, secret: bytes) -> str:
    """Return in hex what stands for the address of the client that asked for an estimate.

    Packages are handed on, and an address is personal: without `secret` nobody
    can try addresses against it, nor tell that two estimates have the same.
    """
    # surrogatepass: the id may come from a stranger's package, and must not raise.
    name, address = (text.encode(errors="surrogatepass") for text in (estimate_id, client))
    message = b"%b %d %b %b" % (_CLIENT_LABEL, len(name), name, address)
    return hmac.new(secret, message, "sha256").hexdigest()


def seal(statement_bytes: bytes, keyring: Keyring) -> Envelope:
    """Return the envelope of canonical `statement_bytes`, by the current key."""
    return Envelope(
        algorithm=ALGORITHM,
        key_id=keyring.current_id,
        statement_digest=sha256_hex(statement_bytes),
        signature=_signature(statement_bytes, keyring.secrets[keyring.current_id]),
    )


def verify_signature(statement_bytes: bytes, signature: str, secret: bytes) -> bool:
    """Say whether `signature` is the one that `secret` gives; in constant time.

    The base64 text is compared, not what it decodes to: a tag has exactly one
    spelling, so no padding, whitespace or trailing-bit variant can pass.
    """
    expected = _signature(statement_bytes, secret).encode()
    return hmac.compare_digest(expected, signature.encode(errors="surrogatepass"))


def _signature(statement_bytes: bytes, secret: bytes) -> str:
    message = _pre_authentication_encoding(STATEMENT_TYPE.encode(), statement_bytes)
    tag = hmac.new(secret, digestmod="sha256")
    feed(tag, message)
    return base64.b64encode(tag.digest()).decode()


def _pre_authentication_encoding(kind: bytes, body: bytes) -> bytes:
    return b"%b %d %b %d %b" % (_SEAL_LABEL, len(kind), kind, len(body), body)
