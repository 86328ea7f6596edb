"""What is known of a backup: the file of JSON beside it. Pure."""

from datetime import datetime

import msgspec

from kis.ops.backup.naming import Kind


class EvidenceCount(msgspec.Struct, frozen=True, rename="camel"):
    """How much evidence was verified, and how much of it is not valid in the original either."""

    verified: int
    invalid: int


class Contents(msgspec.Struct, frozen=True, rename="camel"):
    """What is in a database.

    `schema` is the revision; `installation` names when and with what it began. `evidence` is
    null where the schema is that of another program, which alone can read it.
    """

    rows: dict[str, int]
    schema: str
    active_version: str | None
    installation: str | None
    evidence: EvidenceCount | None


class Packed(msgspec.Struct, frozen=True, rename="camel"):
    """A file as it is kept, and as it is unpacked: bytes, and their SHA-256."""

    size: int
    sha256: str
    content_size: int
    content_sha256: str


class Manifest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A backup that was made, unpacked again and checked.

    `taken_at` is the moment whose commits it has; `utc_offset` that of the local time in its
    name, as +09:00. `seconds` is how long it took.
    """

    format: int = 1
    kind: Kind
    file: str
    taken_at: datetime
    utc_offset: str
    seconds: float
    program: str
    database: str
    packed: Packed
    contents: Contents


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as it is kept: legible, as people look into it when all else fails."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode(raw: bytes) -> Manifest:
    """Return what `encode` wrote; fields of newer programs are passed over.

    Raises:
        ValueError: it is none.

    """
    return msgspec.json.decode(raw, type=Manifest)
