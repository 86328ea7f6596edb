"""What the service and its workers tell each other, through a pipe of their own.

Pickle, because both ends are the same program of the same user, and nobody else
holds an end. What a client sent travels as the bytes that it sent.
"""

import pickle
import struct
from typing import IO, Any, NamedTuple

from kis.evidence.envelope import Keyring
from kis.knowledge.active import Active
from kis.knowledge.content import Documents, decode_tables, encode_tables
from kis.knowledge.snapshot import Snapshot

_LENGTH = struct.Struct("<Q")


class Setup(NamedTuple):
    """What seals: the first message, and one more whenever the key was rotated.

    The secret goes through the pipe, where no list of processes shows it.
    """

    secret: bytes

    @classmethod
    def of(cls, keyring: Keyring) -> "Setup":
        """Return the setup of workers that seal with `keyring`."""
        return cls(keyring.secrets[keyring.current_id])

    def keyring(self) -> Keyring:
        """Return the keyring to seal with."""
        return Keyring.of(self.secret)


class Knowledge(NamedTuple):
    """A version, sent once to each worker that needs it."""

    documents: Documents
    label: str
    version_id: int

    @classmethod
    def of(cls, active: Active) -> "Knowledge":
        """Return what a worker needs to use `active`; takes 0.2 s for 100,000 rows."""
        snapshot = active.snapshot
        return cls(encode_tables(snapshot.tables), snapshot.label, snapshot.version_id)

    def active(self) -> Active:
        """Return the version ready for use.

        Raises:
            ContentError: it is not what was sent.

        """
        documents = self.documents
        return Active(
            Snapshot(
                decode_tables(documents), label=self.label, digest=documents.digest,
                version_id=self.version_id,
            ),
            enclosures_digest=documents.enclosures.digest,
            rules_digest=documents.rules.digest,
        )  # fmt: skip


def send(stream: IO[bytes], message: object) -> None:
    """Write `message`.

    Raises:
        OSError: nobody reads it any more.

    """
    raw = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(raw)))
    stream.write(raw)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Return the next message.

    Raises:
        EOFError: the other end was closed, maybe in the midst of one.

    """
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    return pickle.loads(_read(stream, length))  # noqa: S301 - from ourselves, see above


def _read(stream: IO[bytes], length: int) -> bytes:
    raw = stream.read(length)
    if len(raw) < length:
        raise EOFError
    return raw
