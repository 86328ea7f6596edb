"""The keyring as it is stored, and as it is in use.

Current: seals. Retired: still verifies, for ever. Compromised from a moment: what was
sealed from then on does not verify.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from kis.errors import ErrorCode, Text, refusal
from kis.evidence import key_store
from kis.evidence.envelope import Keyring, key_id_for
from kis.evidence.key_store import StoredSecret
from kis.evidence.master import LockedError, MasterKey
from kis.korean import with_particle

FOLLOWED_WITHIN = timedelta(seconds=2)
"""Other processes look twice a second: until then they may seal with the key before."""


class EvidenceKeyState(StrEnum):
    """What a key of the evidence is good for."""

    CURRENT = "current"
    RETIRED = "retired"
    COMPROMISED = "compromised"
    LOST = "lost"


class CurrentLockedError(Exception):
    """The key that is to seal is encrypted under another master key."""


@dataclass(frozen=True, slots=True)
class Opener:
    """What opens the stored keyring: the master key, and the secret of the environment."""

    master: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def given(self) -> bytes:
        """The secret of the environment, as it seals."""
        return self.secret.encode()

    @property
    def given_id(self) -> str:
        """The id of the secret of the environment."""
        return key_id_for(self.given)

    def open(self, stored: Sequence[StoredSecret]) -> Keyring:
        """Return the keyring of the rows `stored`; without any, that of the environment alone.

        Raises:
            CurrentLockedError: this master key cannot seal.

        """
        master = MasterKey(self.master)
        secrets = {self.given_id: self.given}
        locked = set()
        for row in stored:
            try:
                secrets[row.key_id] = master.unlock(row.key_id, row.locked_secret)
            except LockedError:
                locked.add(row.key_id)
        current = current_of(stored)
        if current is not None and current.key_id in locked:
            raise CurrentLockedError(current.key_id)
        return Keyring(
            self.given_id if current is None else current.key_id,
            secrets,
            {row.key_id: row.compromised_since for row in stored if row.compromised_since},
            frozenset(locked - secrets.keys()),
        )

    def open_to_verify(self, stored: Sequence[StoredSecret]) -> Keyring:
        """Return the keyring for looking at evidence, for which the current key may be locked."""
        try:
            return self.open(stored)
        except CurrentLockedError:
            rest = [row for row in stored if row.retired_at is not None]
            keyring = self.open(rest)
            locked = {row.key_id for row in stored} - keyring.secrets.keys()
            return Keyring(
                keyring.current_id, keyring.secrets, keyring.compromised, frozenset(locked)
            )


class LiveKeyring:
    """The keyring that is in use: to change it is to replace one reference."""

    def __init__(self, opener: Opener, stored: Sequence[StoredSecret]) -> None:
        """Open what is stored.

        Raises:
            CurrentLockedError: as `Opener.open`.

        """
        self._opener = opener
        self._stored = tuple(stored)
        self.current = opener.open(stored)

    def take(self, stored: Sequence[StoredSecret]) -> None:
        """Use what is stored now; left as it is when that cannot seal.

        Raises:
            CurrentLockedError: as `Opener.open`.

        """
        if tuple(stored) != self._stored:
            self.current = self._opener.open(stored)
            self._stored = tuple(stored)

    def knowing(self, connection: Connection, key_id: str | None) -> Keyring:
        """Return a keyring with that key, though another process made it just now."""
        current = self.current
        if key_id is None or current.knows(key_id):
            return current
        return self._opener.open_to_verify(key_store.load_secrets(connection))


def current_of(stored: Sequence[StoredSecret]) -> StoredSecret | None:
    """Return the key that seals: the latest that was not replaced."""
    sealing = [row for row in stored if row.retired_at is None]
    return max(sealing, key=lambda row: (row.created_at, row.key_id), default=None)


def state_of(row: StoredSecret) -> EvidenceKeyState:
    """Return what `row` is good for."""
    if row.is_lost:
        return EvidenceKeyState.LOST
    if row.compromised_since is not None:
        return EvidenceKeyState.COMPROMISED
    return EvidenceKeyState.CURRENT if row.retired_at is None else EvidenceKeyState.RETIRED


def compromised_since(row: StoredSecret, now: datetime) -> datetime:
    """Return since when `row`, which is revoked `now`, is compromised if nobody says.

    A moment that was told before stays. Otherwise nothing becomes invalid that a process
    sealed with it before it saw the next key: the moment may be a little in the future.
    """
    if row.compromised_since is not None:
        return row.compromised_since
    return now if row.retired_at is None else max(now, row.retired_at + FOLLOWED_WITHIN)


def require_replaced(row: StoredSecret) -> None:
    """Check that `row` seals no more, so that no estimate is left without valid evidence.

    Raises:
        DomainError: KEY_CURRENT.

    """
    if row.retired_at is None:
        raise refusal(
            ErrorCode.KEY_CURRENT,
            Text(
                f"{with_particle(row.key_id, '은/는')} 지금 증거를 봉인하는 키입니다.",
                f"{row.key_id} is the key that seals now.",
            ),
            Text(
                "먼저 교체하십시오: kis-backend keys rotate evidence",
                "Rotate it first: kis-backend keys rotate evidence",
            ),
        )
