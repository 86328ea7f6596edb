"""Signing in to the console: a key opens a session, its cookie is the browser's."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from hmac import compare_digest
from typing import NamedTuple

from sqlalchemy import Connection

from kis.access import session_store
from kis.access.keys import Key, KeySet
from kis.access.sessions import (
    TOKEN_BYTES,
    counted_as,
    csrf_token_of,
    locked_for_s,
    open_session,
    session_id_of,
)
from kis.access.tokens import key_id_in
from kis.audit.store import Entry, record
from kis.db.engine import Database
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode, Text, refusal

SIGN_IN = "console.sign_in"
FindAgain = Callable[[str], Awaitable[Key | None]]


class SignedIn(NamedTuple):
    """Who looks at a page: the token of the session, and the key that opened it."""

    token: str
    key: Key
    expires_at: datetime

    @property
    def csrf_token(self) -> str:
        """What the page's changes are sent with."""
        return csrf_token_of(self.token)


class Sessions:
    """Opens, finds and ends sessions. What is true is in the database."""

    def __init__(
        self, *, database: Database, writer: Writer, keys: KeySet,
        find_again: FindAgain, name_again: FindAgain, now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        """Wire the parts.

        `find_again` and `name_again` look up a key that this process does not know yet, by
        its secret and by its id.
        """
        self._database = database
        self._writer = writer
        self._keys = keys
        self._find_again = find_again
        self._name_again = name_again
        self._now = now
        self._random_bytes = random_bytes

    async def sign_in(self, secret: str, client: str) -> SignedIn:
        """Open a session with the key `secret`, asked for by the address `client`.

        A lock is for keys that somebody could guess, those of an .env: what has the form of a
        key made here is looked up all the same, so that nobody locks out a whole office.

        Raises:
            DomainError: UNAUTHENTICATED, no valid key has that secret; RATE_LIMITED, that
                address gave wrong ones too often.

        """
        counted = counted_as(client)
        failures = await self._database.read(
            lambda c: session_store.load_failures(c, counted, self._now())
        )
        wait_s = locked_for_s(failures, self._now())
        if wait_s and key_id_in(secret) is None:
            raise _locked(wait_s)
        key = self._keys.find(secret) or await self._find_again(secret)
        if key is None:
            now = self._now()
            await self._writer.execute(lambda c: session_store.add_failure(c, counted, now))
            raise _wrong_key()
        return await self._open(key, client)

    async def _open(self, key: Key, client: str) -> SignedIn:
        token = self._random_bytes(TOKEN_BYTES).hex()
        session = open_session(token, key.key_id, self._now())

        def write(connection: Connection) -> None:
            session_store.add_session(connection, session)
            entry = Entry(session.created_at, key.key_id, SIGN_IN, key.holder, client=client)
            record(connection, [entry])

        await self._writer.execute(write)
        return SignedIn(token, key, session.expires_at)

    async def find(self, token: str | None) -> SignedIn | None:
        """Return who is signed in with `token`; None: nobody, or its key is valid no more."""
        if not token:
            return None
        session_id, now = session_id_of(token), self._now()
        session = await self._database.read(
            lambda c: session_store.find_session(c, session_id, now)
        )
        if session is None:
            return None
        key = self._keys.named(session.key_id) or await self._name_again(session.key_id)
        return key and SignedIn(token, key, session.expires_at)

    async def end(self, token: str | None) -> None:
        """End the session of `token`, if there is one: another takes its place."""
        if token:
            await self._writer.execute(lambda c: session_store.end_session(c, session_id_of(token)))


def is_from_page(signed_in: SignedIn, sent: str) -> bool:
    """Whether `sent` is the CSRF token of that session's pages."""
    return compare_digest(signed_in.csrf_token.encode(), sent.encode())


def _wrong_key() -> DomainError:
    return refusal(
        ErrorCode.UNAUTHENTICATED,
        Text("키가 올바르지 않습니다.", "That key is wrong."),
        Text(
            "받은 키를 그대로 붙여 넣으십시오. 키는 관리자에게 받습니다.",
            "Paste the key as it was given to you. Keys come from the administrator.",
        ),
        "key",
    )


def _locked(wait_s: int) -> DomainError:
    return refusal(
        ErrorCode.RATE_LIMITED,
        Text("틀린 키를 여러 번 넣었습니다.", "Wrong keys were given several times."),
        Text(f"{wait_s}초 뒤에 다시 하십시오.", f"Try again in {wait_s} s."),
        "key",
        retryAfter=wait_s,
    )
