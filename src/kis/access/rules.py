"""Which keys are valid, and what may be done with one: pure rules over stored keys."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from kis.access.keys import EnvKey, Key, Scope
from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.korean import with_particle

OVERLAP_DAYS = 7
MAX_OVERLAP_DAYS = 90
MAX_EXPIRY_DAYS = 3_650


class State(StrEnum):
    """What has become of a key.

    `ENDING` opens until its end; `GONE` is one that the environment gave and gives no more.
    """

    ACTIVE = "active"
    ENDING = "ending"
    EXPIRED = "expired"
    REVOKED = "revoked"
    GONE = "gone"

    @property
    def is_usable(self) -> bool:
        """Whether such a key opens anything."""
        return self in (State.ACTIVE, State.ENDING)


class StoredKey(NamedTuple):
    """A row of `api_key`. `digest` None: the environment has its secret, or nobody."""

    scope: str
    key_id: str
    holder: str
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    digest: bytes | None


def state_of(key: StoredKey, given: Mapping[str, EnvKey], now: datetime) -> State:
    """Return the state of `key`; `given` are the keys of the environment by their ids."""
    if key.revoked_at is not None:
        return State.REVOKED
    if key.expires_at is not None and key.expires_at <= now:
        return State.EXPIRED
    if key.digest is None and key.key_id not in given:
        return State.GONE
    return State.ACTIVE if key.expires_at is None else State.ENDING


def valid_keys(
    stored: Iterable[StoredKey], given: Mapping[str, EnvKey], now: datetime
) -> list[Key]:
    """Return the keys that open something now.

    Each key of the environment is among the stored ones: there it says when it ends.
    """
    return [
        Key(key.key_id, Scope(key.scope), key.digest or given[key.key_id].digest, key.holder)
        for key in stored
        if state_of(key, given, now).is_usable
    ]


def unknown_env_keys(stored: Iterable[StoredKey], given: Iterable[EnvKey]) -> list[EnvKey]:
    """Return those of the environment that are not stored yet.

    The environment may give a key that was made here: then it is that key.
    """
    known = {key.key_id for key in stored} | {key.digest for key in stored}
    return [key for key in given if key.key_id not in known and key.digest not in known]


def find_key(stored: Iterable[StoredKey], key_id: str) -> StoredKey:
    """Return the key of that id.

    Raises:
        DomainError: KEY_NOT_FOUND.

    """
    for key in stored:
        if key.key_id == key_id:
            return key
    raise key_not_found(key_id)


def end_of(key: StoredKey, overlap_days: int, now: datetime) -> datetime:
    """Return when `key`, which is being replaced, ends: never later than it would have."""
    end = now + timedelta(days=overlap_days)
    return end if key.expires_at is None else min(end, key.expires_at)


def last_use_of(key: StoredKey) -> datetime | None:
    """Return when `key` was used last. It is noted each minute, which may be after its end."""
    if key.last_used_at is None:
        return None
    ends = [end for end in (key.expires_at, key.revoked_at) if end is not None]
    return min([key.last_used_at, *ends])


def require_usable(key: StoredKey, given: Mapping[str, EnvKey], now: datetime) -> None:
    """Check that `key` opens something, so that there is something to replace.

    Raises:
        DomainError: KEY_ENDED.

    """
    state = state_of(key, given, now)
    if not state.is_usable:
        raise key_ended(key.key_id, state)


def require_other_admin(
    stored: Sequence[StoredKey], key: StoredKey, given: Mapping[str, EnvKey], now: datetime
) -> None:
    """Check that without `key` somebody can still administer, with a key that has no end.

    Raises:
        DomainError: KEY_LAST_ADMIN.

    """
    if Scope(key.scope) is not Scope.ADMIN:
        return
    others = [other for other in stored if other.key_id != key.key_id]
    if not any(
        Scope(other.scope) is Scope.ADMIN and state_of(other, given, now) is State.ACTIVE
        for other in others
    ):
        raise refusal(
            ErrorCode.KEY_LAST_ADMIN,
            Text(
                f"{key.key_id} 말고는 계속 쓸 수 있는(끝이 없는) 관리자 키가 없습니다.",
                f"But for {key.key_id} no usable admin key is without an end.",
            ),
            Text(
                "먼저 다른 관리자 키를 만드십시오: 콘솔의 키, kis-backend keys create admin",
                "First make another one: Keys on the console, or kis-backend keys create admin",
            ),
        )


def key_not_found(key_id: str) -> DomainError:
    """Return the error that no key has that id."""
    return refusal(
        ErrorCode.KEY_NOT_FOUND,
        Text(f"키 {with_particle(key_id, '이/가')} 없습니다.", f"There is no key {key_id}."),
        Text(
            "키 번호를 확인하십시오: 콘솔의 키, kis-backend keys list",
            "Check its id: Keys on the console, or kis-backend keys list",
        ),
    )


def key_ended(key_id: str, state: str) -> DomainError:
    """Return the error that a key has ended and cannot be replaced."""
    return refusal(
        ErrorCode.KEY_ENDED,
        Text(
            f"키 {with_particle(key_id, '은/는')} 이미 끝났습니다({state}).",
            f"The key {key_id} has ended ({state}).",
        ),
        Text(
            "지금 쓰는 키를 교체하거나 새로 만드십시오: 콘솔의 키, kis-backend keys list",
            "Rotate a key that is in use, or make one: Keys on the console, kis-backend keys list",
        ),
    )
