"""What the rim calls about notes: read one, or write it in place of the one that was read."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import Connection

from kis.audit import store as audit_store
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.estimate.answer import Caller
from kis.estimate.note_store import Note, load_note, replace_note
from kis.estimate.request import LINES
from kis.estimate.service import not_found
from kis.evidence.encoding import sha256_hex
from kis.moments import moment_text

MAX_NOTE_CHARACTERS = 4_000


def _plain_line_ends(value: object) -> object:
    # Forms send the line ends of the mail of old.
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


class NoteRequest(BaseModel):
    """A note, and the revision that it is written in place of: 0 where there was none."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    note: Annotated[
        str,
        Field(
            max_length=MAX_NOTE_CHARACTERS,
            pattern=LINES,
            description='줄바꿈을 쓸 수 있다. ""이면 지운다. May have line ends; "" clears it.',
        ),
        BeforeValidator(_plain_line_ends),
    ]
    revision: Annotated[
        int,
        Field(
            ge=0,
            le=2**31 - 2,
            description="읽은 메모의 revision. That of the note that was read.",
        ),
    ]


class NoteService:
    """Reads and writes notes. What was written since somebody read is never overwritten."""

    def __init__(self, *, database: Database, writer: Writer, now: Callable[[], datetime]) -> None:
        """Wire the parts."""
        self._database = database
        self._writer = writer
        self._now = now

    async def load(self, estimate_id: str) -> Note:
        """Return the note on an estimate; one that nobody wrote is empty, its revision 0.

        Raises:
            DomainError: NOT_FOUND.

        """
        return _known(await self._database.read(lambda c: load_note(c, estimate_id)), estimate_id)

    async def save(self, estimate_id: str, wanted: NoteRequest, caller: Caller) -> Note:
        """Write a note in place of the one that was read; return it as it is stored.

        Raises:
            DomainError: NOT_FOUND; NOTE_CHANGED, with the note that is there now.

        """
        at = self._now()
        note = Note(wanted.note, wanted.revision + 1, at, caller.key_id)
        entry = audit_store.Entry(
            at, caller.key_id, "estimate.note", estimate_id,
            digest=sha256_hex(wanted.note.encode()), client=caller.client,
        )  # fmt: skip

        def write(connection: Connection) -> Note:
            found = _known(load_note(connection, estimate_id), estimate_id)
            is_seen = found.revision == wanted.revision
            if not (is_seen and replace_note(connection, estimate_id, note)):
                # Another process may have written it since we looked.
                raise _changed(_known(load_note(connection, estimate_id), estimate_id))
            audit_store.record(connection, [entry])
            return note

        return await self._writer.execute(write)


def _known(note: Note | None, estimate_id: str) -> Note:
    if note is None:
        raise DomainError(not_found(estimate_id))
    return note


def _changed(note: Note) -> DomainError:
    return refusal(
        ErrorCode.NOTE_CHANGED,
        Text(
            f"그 사이 메모가 바뀌었습니다(지금 revision {note.revision}). 저장하지 않았습니다.",
            f"The note has changed meanwhile (it is at revision {note.revision} now);"
            " yours was not stored.",
        ),
        Text(
            "지금 메모를 보고 합친 뒤 그 revision으로 다시 보내십시오.",
            "Look at the present note, merge yours, and send it with that revision.",
        ),
        "$.revision",
        note=note.note,
        revision=note.revision,
        updatedAt=note.updated_at and moment_text(note.updated_at),
        updatedBy=note.updated_by,
    )
