"""What the rim calls: list, make, rotate and revoke keys, each change audited."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from kis.access import rules, store
from kis.access.keys import KEY_ID_BYTES, Scope, digest_of, new_key_id
from kis.access.rules import StoredKey
from kis.access.tokens import RANDOM_BYTES, make_token
from kis.audit.store import Entry, record
from kis.db.engine import Database
from kis.db.locks import lock_keys
from kis.db.writer import Writer
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.evidence import key_store, keys
from kis.evidence.key_store import StoredSecret
from kis.evidence.master import NONCE_BYTES
from kis.knowledge import workers
from kis.knowledge.fleet import Fleet
from kis.korean import with_particle
from kis.ops.keys.following import KeyFollower
from kis.ops.keys.rows import KeyRows, load_rows
from kis.ops.keys.start import KeySources, locked_secret, new_secret

EVIDENCE = "evidence"
_OF_THE_API = tuple(f"{scope}-" for scope in Scope)

T = TypeVar("T")


class Listed(NamedTuple):
    """A key as it is shown. `name` is the setting that gives it, else its label.

    `ended_at`: when it ends or ended, or seals no more; `broken_at`: when it was revoked,
    or since when it is compromised.
    """

    key_id: str
    scope: str
    name: str
    holder: str
    source: str
    state: str
    created_at: datetime
    ended_at: datetime | None
    broken_at: datetime | None
    last_used_at: datetime | None


class Made(NamedTuple):
    """A new key; `token` is what opens, shown this once, None for evidence.

    `replaced` is the key before it.
    """

    key: Listed
    token: str | None
    replaced: Listed | None


class Terms(NamedTuple):
    """How a new key is to be: days until it ends, None for ever; its label, None as before.

    `overlap_days`: for so long the key before goes on, where it takes the place of one; None
    for the usual time.
    """

    label: str | None = None
    expires_days: int | None = None
    overlap_days: int | None = None


class _New(NamedTuple):
    token: str
    key: StoredKey


class KeyService:
    """Changes keys. Holds references only; what is true is in the database."""

    def __init__(
        self, *, database: Database, writer: Writer, follower: KeyFollower, fleet: Fleet,
        sources: KeySources, now: Callable[[], datetime], random_bytes: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        """Wire the parts; `now` and `random_bytes` are the only source of times and secrets."""
        self._database = database
        self._writer = writer
        self._follower = follower
        self._fleet = fleet
        self._sources = sources
        self._given = follower.given
        self._now = now
        self._random_bytes = random_bytes

    async def list_keys(self) -> list[Listed]:
        """Return all keys: of the API, then of the evidence, each in the order of their making."""
        rows = await self._database.read(load_rows)
        return [*map(self._shown, rows.keys), *map(self._shown_secret, rows.secrets)]

    async def create(self, scope: Scope, terms: Terms, actor: str) -> Made:
        """Make a key of a new holder."""
        key_id = new_key_id(scope, self._random_bytes(KEY_ID_BYTES))
        new = self._new(key_id, key_id, terms, "")

        def write(connection: Connection, _: KeyRows) -> None:
            store.add_keys(connection, [new.key])
            self._tell(connection, actor, "key.create", key_id, new.key.label)

        await self._change(write)
        return Made(self._shown(new.key), new.token, None)

    async def rotate(
        self, key_id: str, terms: Terms, actor: str, kind: str | None = None
    ) -> Made:  # fmt: skip
        """Make a key that takes the place of `key_id`, which goes on for a while.

        `kind` is what it is taken for, if that is said: a slip shall change no other key.
        After an overlap of no days it opens nothing any more, at any worker, once this returns.

        Raises:
            DomainError: KEY_NOT_FOUND, KEY_ENDED; KEY_LAST_ADMIN, no admin key without an end
                would be left; INVALID_REQUEST, it is not of that kind, or is none that has
                such terms.

        """
        if key_id.startswith(_OF_THE_API):
            return await self._rotate_key(key_id, terms, actor, kind)
        return await self._rotate_evidence(key_id, terms, actor, kind)

    async def revoke(
        self, key_id: str, since: datetime | None, reason: str, actor: str, kind: str | None = None
    ) -> Listed:
        """Have a key open nothing any more, or verify nothing that was sealed from `since` on.

        That holds at every worker once this returns, a few seconds later at most.

        Where no `since` is given: as `compromised_since` in `kis.evidence.keys`. `kind` is
        as in `rotate`.

        Raises:
            DomainError: KEY_NOT_FOUND, KEY_LAST_ADMIN, KEY_CURRENT; INVALID_REQUEST, `since`
                is to come or not for such keys, or the key is not of that kind.

        """
        if key_id.startswith(_OF_THE_API):
            return await self._revoke_key(key_id, since, reason, actor, kind)
        return await self._revoke_evidence(key_id, since, reason, actor, kind)

    # --- of the API ----------------------------------------------------------------------

    async def _rotate_key(self, key_id: str, terms: Terms, actor: str, kind: str | None) -> Made:
        new_id = new_key_id(Scope(key_id.partition("-")[0]), self._random_bytes(KEY_ID_BYTES))
        overlap = rules.OVERLAP_DAYS if terms.overlap_days is None else terms.overlap_days

        def write(connection: Connection, rows: KeyRows) -> Made:
            now = self._now()
            old = rules.find_key(rows.keys, key_id)
            _require_kind(key_id, old.scope, kind)
            rules.require_usable(old, self._given, now)
            if terms.expires_days is not None and old.expires_at is None:
                rules.require_other_admin(rows.keys, old, self._given, now)
            new = self._new(new_id, old.holder, terms, old.label)
            store.add_keys(connection, [new.key])
            end = rules.end_of(old, overlap, now)
            store.end_key(connection, old, end, self._given.get(key_id))
            self._tell(connection, actor, "key.rotate", key_id, new_id)
            ended = old._replace(expires_at=end)
            return Made(self._shown(new.key), new.token, self._shown(ended))

        return await self._change(write, is_end=not overlap)

    async def _revoke_key(
        self, key_id: str, since: datetime | None, reason: str, actor: str, kind: str | None
    ) -> Listed:
        def write(connection: Connection, rows: KeyRows) -> Listed:
            now = self._now()
            key = rules.find_key(rows.keys, key_id)
            _require_kind(key_id, key.scope, kind)
            if since is not None:
                raise _not_for(key.scope, "compromisedSince")
            if key.revoked_at is not None:
                return self._shown(key)
            rules.require_other_admin(rows.keys, key, self._given, now)
            store.revoke_key(connection, key, now, self._given.get(key_id))
            self._tell(connection, actor, "key.revoke", key_id, reason)
            return self._shown(key._replace(revoked_at=now))

        return await self._change(write, is_end=True)

    def _new(self, key_id: str, holder: str, terms: Terms, label: str) -> _New:
        now = self._now()
        token = make_token(key_id, self._random_bytes(RANDOM_BYTES))
        days = terms.expires_days
        end = None if days is None else now + timedelta(days=days)
        label = label if terms.label is None else terms.label
        scope = key_id.partition("-")[0]
        return _New(
            token,
            StoredKey(scope, key_id, holder, label, now, end, None, None, digest_of(token)),
        )

    # --- of the evidence -----------------------------------------------------------------

    async def _rotate_evidence(
        self, key_id: str, terms: Terms, actor: str, kind: str | None
    ) -> Made:
        secret = new_secret(self._random_bytes)
        nonce = self._random_bytes(NONCE_BYTES)

        def write(connection: Connection, rows: KeyRows) -> Made:
            now = self._now()
            old = _find_secret(rows, key_id)
            _require_kind(key_id, EVIDENCE, kind)
            for name, days in (
                ("overlapDays", terms.overlap_days), ("expiresDays", terms.expires_days),
            ):  # fmt: skip
                if days is not None:
                    raise _not_for(EVIDENCE, name)
            if old.retired_at is not None:
                raise rules.key_ended(key_id, keys.state_of(old))
            new = locked_secret(self._sources.opener, secret, now, nonce)
            key_store.make_current(connection, new)
            self._tell(connection, actor, "evidence_key.rotate", new.key_id, key_id)
            retired = self._shown_secret(old._replace(retired_at=now))
            return Made(self._shown_secret(new), None, retired)

        return await self._change(write)

    async def _revoke_evidence(
        self, key_id: str, since: datetime | None, reason: str, actor: str, kind: str | None
    ) -> Listed:
        def write(connection: Connection, rows: KeyRows) -> Listed:
            now = self._now()
            old = _find_secret(rows, key_id)
            _require_kind(key_id, EVIDENCE, kind)
            if since is not None and since > now:
                raise _in_the_future()
            keys.require_replaced(old)
            moment = since or keys.compromised_since(old, now)
            if moment == old.compromised_since:
                return self._shown_secret(old)
            key_store.mark_compromised(connection, key_id, moment)
            told = f"{moment.isoformat()} {reason}".strip()
            self._tell(connection, actor, "evidence_key.revoke", key_id, told)
            return self._shown_secret(old._replace(compromised_since=moment))

        return await self._change(write, is_end=True)

    # --- both ----------------------------------------------------------------------------

    async def _change(
        self, write: Callable[[Connection, KeyRows], T], *, is_end: bool = False
    ) -> T:
        """Change keys, one process at a time; what they are then holds here at once.

        Where it `is_end` of one, the others are waited for: none may open any more by it.
        """

        def change(connection: Connection) -> tuple[T, KeyRows, str]:
            lock_keys(connection)
            result = write(connection, load_rows(connection))
            workers.wake_others(connection)
            return result, load_rows(connection), workers.number_of(connection)

        result, _, number = await self._writer.execute(
            change, after_commit=lambda done: self._follower.take(done[1])
        )
        if is_end:
            await self._fleet.keys_taken(number)
        return result

    def _tell(
        self, connection: Connection, actor: str, action: str, subject: str, reason: str
    ) -> None:
        record(connection, [Entry(self._now(), actor, action, subject, reason=reason)])

    def _shown(self, key: StoredKey) -> Listed:
        # The .env may give a key that was made here.
        given = next(
            (g for g in self._given.values() if key.key_id == g.key_id or key.digest == g.digest),
            None,
        )
        return Listed(
            key.key_id, key.scope, key.label if given is None else given.name, key.holder,
            "database" if given is None else "env",
            rules.state_of(key, self._given, self._now()), key.created_at, key.expires_at,
            key.revoked_at, rules.last_use_of(key),
        )  # fmt: skip

    def _shown_secret(self, row: StoredSecret) -> Listed:
        is_given = row.key_id == self._sources.opener.given_id
        return Listed(
            row.key_id, EVIDENCE, "EVIDENCE_SECRET" if is_given else "", "",
            "env" if is_given else "database", keys.state_of(row), row.created_at,
            row.retired_at, row.compromised_since, None,
        )  # fmt: skip


def _find_secret(rows: KeyRows, key_id: str) -> StoredSecret:
    for row in rows.secrets:
        if row.key_id == key_id:
            return row
    raise rules.key_not_found(key_id)


def _require_kind(key_id: str, found: str, kind: str | None) -> None:
    """Check that a key is of the kind that was said, if any was."""
    if kind not in (None, found):
        words = Text(
            f"{with_particle(key_id, '은/는')} {kind} 키가 아니라 {found} 키입니다.",
            f"{key_id} is a key of {found}, not of {kind}.",
        )
        raise _invalid(words, "scope")


def _not_for(kind: str, name: str) -> DomainError:
    words = Text(f"{kind} 키에는 없는 것입니다.", f"A key of {kind} does not have that.")
    return _invalid(words, name)


def _in_the_future() -> DomainError:
    words = Text("아직 오지 않은 시각입니다.", "That moment is still to come.")
    return _invalid(words, "compromisedSince")


def _invalid(words: Text, name: str) -> DomainError:
    return refusal(ErrorCode.INVALID_REQUEST, words, path=f"$.{name}")
