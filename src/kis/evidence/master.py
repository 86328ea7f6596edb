"""Encrypts the secrets of evidence for the database: AES-256-GCM under the master key.

Who has a copy of the database without the master key has no evidence secret. The id of
the key is authenticated with it, so that no row can be put in the place of another.
"""

import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES: Final = 12
_KEY_BYTES = 32
_LABEL = b"KIS-EVIDENCE-KEY-1"
_ID_LABEL = b"KIS-MASTER-KEY-ID"
_ID_HEX_DIGITS = 12


class LockedError(Exception):
    """A secret is encrypted under another master key, or its row was altered."""


class MasterKey:
    """Locks and unlocks secrets. Never shows itself."""

    def __init__(self, master: str) -> None:
        """Take the value of KIS_MASTER_KEY, whose characters are evenly mixed here."""
        raw = master.encode()
        self.master_id = "mk-" + hmac.digest(raw, _ID_LABEL, "sha256").hex()[:_ID_HEX_DIGITS]
        self._cipher = AESGCM(HKDF(SHA256(), _KEY_BYTES, None, _LABEL).derive(raw))

    def lock(self, key_id: str, secret: bytes, nonce: bytes) -> bytes:
        """Return `secret` encrypted; `nonce` is 12 bytes that are never used twice."""
        return nonce + self._cipher.encrypt(nonce, secret, key_id.encode())

    def opens(self, key_id: str, locked: bytes) -> bool:
        """Whether `unlock` returns a secret."""
        try:
            self.unlock(key_id, locked)
        except LockedError:
            return False
        return True

    def unlock(self, key_id: str, locked: bytes) -> bytes:
        """Return the secret.

        Raises:
            LockedError: it is not for this master key and this id.

        """
        nonce, encrypted = locked[:NONCE_BYTES], locked[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, encrypted, key_id.encode())
        except (InvalidTag, ValueError) as error:
            raise LockedError(key_id) from error
