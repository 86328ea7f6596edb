"""Rotation as a table of cases: which keys open, and what may be done with one."""

from datetime import UTC, datetime, timedelta

import pytest

from kis.access import rules
from kis.access.keys import EnvKey, Scope
from kis.access.rules import State, StoredKey, state_of, valid_keys
from kis.errors import DomainError, ErrorCode

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
DAY = timedelta(days=1)
ENV = EnvKey("API_KEY", Scope.API, "the-key-of-the-environment")
OLD_ENV = EnvKey("API_KEY", Scope.API, "what-it-was-before")
GIVEN = {ENV.key_id: ENV}


def key(
    key_id: str = "api-b", *, ends: timedelta | None = None, revoked: timedelta | None = None,
    digest: bytes | None = b"d", holder: str = "api-b",
) -> StoredKey:  # fmt: skip
    return StoredKey(
        key_id.partition("-")[0], key_id, holder, "ERP", NOW - 9 * DAY,
        None if ends is None else NOW + ends, None if revoked is None else NOW + revoked, None,
        digest,
    )  # fmt: skip


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("stored", "state"),
    [
        (key(), State.ACTIVE),
        (key(ends=SECOND), State.ENDING),
        (key(ends=0 * DAY), State.EXPIRED),
        (key(ends=-SECOND), State.EXPIRED),
        (key(revoked=0 * DAY), State.REVOKED),
        (key(ends=DAY, revoked=-DAY), State.REVOKED),
        (key(ends=-DAY, revoked=-DAY), State.REVOKED),
        # of the environment: without a digest it lives and dies with its value there
        (key(ENV.key_id, digest=None), State.ACTIVE),
        (key(ENV.key_id, digest=None, ends=DAY), State.ENDING),
        (key(ENV.key_id, digest=None, revoked=-DAY), State.REVOKED),
        (key(ENV.key_id, digest=None, ends=-DAY), State.EXPIRED),
        (key(OLD_ENV.key_id, digest=None), State.GONE),
        # rotated: it opens until its end, whatever becomes of the environment
        (key(OLD_ENV.key_id, digest=OLD_ENV.digest, ends=DAY), State.ENDING),
        (key(OLD_ENV.key_id, digest=OLD_ENV.digest, ends=-DAY), State.EXPIRED),
    ],
)
def test_state(stored: StoredKey, state: State) -> None:
    assert state_of(stored, GIVEN, NOW) is state
    assert bool(valid_keys([stored], GIVEN, NOW)) is state.is_usable
    assert state.is_usable is (state in (State.ACTIVE, State.ENDING))


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (key(), NOW),
        (key(ends=DAY), NOW),
        (key(ends=-SECOND), NOW - SECOND),
        (key(ends=DAY, revoked=-SECOND), NOW - SECOND),
        (key(ends=-DAY, revoked=-SECOND), NOW - DAY),
    ],
)
def test_last_use(stored: StoredKey, told: datetime) -> None:
    assert rules.last_use_of(stored._replace(last_used_at=NOW)) == told
    assert rules.last_use_of(stored) is None


def test_key_of_the_environment_opens_with_its_value() -> None:
    (valid,) = valid_keys([key(ENV.key_id, digest=None, holder=ENV.holder)], GIVEN, NOW)
    assert (valid.digest, valid.holder, valid.scope) == (ENV.digest, "api-env", Scope.API)


@pytest.mark.parametrize(
    ("stored", "unknown"),
    [
        ([], [ENV]),
        ([key(OLD_ENV.key_id, digest=None)], [ENV]),
        ([key(ENV.key_id, digest=None)], []),
        ([key(ENV.key_id, digest=None, revoked=-DAY)], []),
        ([key("api-made", digest=ENV.digest)], []),  # made here, then put into the .env
    ],
)
def test_unknown_env_keys(stored: list[StoredKey], unknown: list[EnvKey]) -> None:
    assert rules.unknown_env_keys(stored, [ENV]) == unknown


@pytest.mark.parametrize(
    ("ends", "overlap", "expected"),
    [
        (None, 7, 7 * DAY),
        (None, 0, 0 * DAY),
        (None, 90, 90 * DAY),
        (3 * DAY, 7, 3 * DAY),
        (30 * DAY, 7, 7 * DAY),
        (3 * DAY, 0, 0 * DAY),
    ],
)
def test_end_of_the_key_before(ends: timedelta | None, overlap: int, expected: timedelta) -> None:
    assert rules.end_of(key(ends=ends), overlap, NOW) == NOW + expected


@pytest.mark.parametrize(
    "stored", [key(ends=-DAY), key(revoked=-DAY), key(OLD_ENV.key_id, digest=None)]
)
def test_what_has_ended_is_not_replaced(stored: StoredKey) -> None:
    with pytest.raises(DomainError) as refused:
        rules.require_usable(stored, GIVEN, NOW)
    assert refused.value.main.code is ErrorCode.KEY_ENDED
    rules.require_usable(key(ends=DAY), GIVEN, NOW)


ADMIN_ENV = EnvKey("ADMIN_API_KEY", Scope.ADMIN, "the-admin-key-of-the-environment")


@pytest.mark.parametrize(
    ("others", "may"),
    [
        ([], False),
        ([key("api-x")], False),
        ([key("admin-x")], True),
        ([key("admin-x", ends=DAY)], False),  # soon nobody could administer
        ([key("admin-x", ends=-DAY)], False),
        ([key("admin-x", revoked=-DAY)], False),
        ([key("admin-x", revoked=-DAY), key("admin-y")], True),
        ([key(ADMIN_ENV.key_id, digest=None)], True),
        ([key("admin-gone", digest=None)], False),
    ],
)
def test_last_admin_key_stays(others: list[StoredKey], may: bool) -> None:
    given = {ADMIN_ENV.key_id: ADMIN_ENV}
    last = key("admin-last")
    if may:
        rules.require_other_admin([last, *others], last, given, NOW)
        return
    with pytest.raises(DomainError) as refused:
        rules.require_other_admin([last, *others], last, given, NOW)
    assert refused.value.main.code is ErrorCode.KEY_LAST_ADMIN


def test_last_key_that_may_estimate_may_go() -> None:
    rules.require_other_admin([key()], key(), {}, NOW)


def test_find() -> None:
    assert rules.find_key([key("api-a"), key("api-b")], "api-b").key_id == "api-b"
    with pytest.raises(DomainError) as refused:
        rules.find_key([key("api-a")], "api-b")
    assert refused.value.main.code is ErrorCode.KEY_NOT_FOUND
