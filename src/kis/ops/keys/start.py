"""What a start does about keys: those of the environment are known, and a changed one is seen.

The runbook rotates by hand: edit .env, restart. An EVIDENCE_SECRET that was never seen
here is such a rotation, and the one before is retired. One that was is none: after
`keys rotate evidence` the .env still holds a retired secret, which does not come back.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from kis.access import store
from kis.access.keys import EnvKey, Scope
from kis.access.rules import StoredKey, unknown_env_keys
from kis.access.tokens import PREFIX
from kis.audit.store import Entry, record
from kis.db.locks import lock_keys
from kis.errors import Text
from kis.evidence import key_store
from kis.evidence.envelope import key_id_for
from kis.evidence.key_store import StoredSecret
from kis.evidence.keys import CurrentLockedError, Opener
from kis.evidence.master import NONCE_BYTES, MasterKey
from kis.ops.keys.rows import KeyRows, load_rows
from kis.settings import Settings, SettingsError

SECRET_BYTES = 32
ACTOR = "env"
"""In the audit trail: whoever edited the environment."""


class KeySources(NamedTuple):
    """What the environment gives: keys of the API, and what opens the evidence's keyring."""

    given: tuple[EnvKey, ...]
    opener: Opener

    @classmethod
    def of(cls, settings: Settings) -> "KeySources":
        """Return those of `settings`; an ADMIN_API_KEY that equals API_KEY is no other key."""
        given = [EnvKey("API_KEY", Scope.API, settings.api_key)]
        if settings.admin_key_usable:
            given.append(EnvKey("ADMIN_API_KEY", Scope.ADMIN, settings.admin_api_key))
        return cls(tuple(given), Opener(settings.master_key, settings.evidence_secret))


def begin(
    connection: Connection,
    sources: KeySources,
    now: datetime,
    random_bytes: Callable[[int], bytes],
) -> KeyRows:
    """Store what the environment gives and nobody knows yet; return all keys.

    Raises:
        SettingsError: the stored secrets are encrypted under another master key, or a key of
            the environment is one of the other scope.

    """
    trouble = trouble_with_scopes(sources.given)
    if trouble is not None:
        raise SettingsError(trouble)
    lock_keys(connection)
    rows = load_rows(connection)
    try:
        sources.opener.open(rows.secrets)
    except CurrentLockedError as locked:
        raise _other_master(str(locked)) from None
    entries = []
    for key in unknown_env_keys(rows.keys, sources.given):
        stored = StoredKey(key.scope, key.key_id, key.holder, key.name, now, None, None, None, None)
        store.add_keys(connection, [stored])
        entries.append(Entry(now, ACTOR, "key.appear", key.key_id, reason=key.name))
    opener = sources.opener
    if opener.given_id not in {row.key_id for row in rows.secrets}:
        key_store.make_current(
            connection, locked_secret(opener, opener.given, now, random_bytes(NONCE_BYTES))
        )
        entries.append(
            Entry(now, ACTOR, "evidence_key.rotate", opener.given_id, reason="EVIDENCE_SECRET")
        )
    if any(rows):
        record(connection, entries)  # a first start changes nothing
    return load_rows(connection) if entries else rows


def trouble_with_scopes(given: Iterable[EnvKey]) -> Text | None:
    """Return which of the keys `given` was made here for the other scope, as in swapped lines."""
    for key in given:
        other = Scope.ADMIN if key.scope is Scope.API else Scope.API
        if key.secret.startswith(f"{PREFIX}{other}_"):
            return Text(
                f"{key.name}: {PREFIX}{other}_로 시작하는 값은 {other} 키입니다."
                f" {PREFIX}{key.scope}_ 키를 넣으십시오.",
                f"{key.name}: what begins with {PREFIX}{other}_ is a key of {other}."
                f" Put one of {PREFIX}{key.scope}_ there.",
            )
    return None


def new_secret(random_bytes: Callable[[int], bytes]) -> bytes:
    """Return a secret that seals, as text, as the environment gives them."""
    return random_bytes(SECRET_BYTES).hex().encode()


def locked_secret(opener: Opener, secret: bytes, now: datetime, nonce: bytes) -> StoredSecret:
    """Return the row of a secret that seals from now on."""
    master = MasterKey(opener.master)
    key_id = key_id_for(secret)
    return StoredSecret(
        key_id, master.master_id, now, None, None, master.lock(key_id, secret, nonce)
    )


def _other_master(key_id: str) -> SettingsError:
    return SettingsError(
        Text(
            f"KIS_MASTER_KEY: 증거 키 {key_id}의 비밀값이 다른 마스터 키로 암호화되어 있습니다."
            " 이 설치가 쓰던 KIS_MASTER_KEY를 .env에 넣으십시오. 일부러 바꾸었으면:"
            " kis-backend keys master",
            f"KIS_MASTER_KEY: the secret of the evidence key {key_id} is encrypted under another"
            " master key. Put the one of this installation into .env. If it was changed on"
            " purpose: kis-backend keys master.",
        )
    )
