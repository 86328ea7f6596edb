"""Which versions nobody has used for long, and which stay all the same. Pure."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from kis.errors import Text

_UPLOAD = re.compile(r"(.+)-([0-9a-f]{12})\.(?:csv|json)")
DIGEST_SHOWN = 12


class Known(NamedTuple):
    """A version in its `state`; `made_at` is its import or last validation, whichever is later."""

    id: int
    label: str
    state: str
    made_at: datetime


class Activation(NamedTuple):
    """That a version became active, at first or again."""

    version_id: int
    at: datetime


class Use(NamedTuple):
    """What becomes of a version: `unused_since` is None for the active one."""

    label: str
    state: str
    unused_since: datetime | None
    goes: bool
    why: Text


ACTIVE = Text("활성 버전", "it is active")
PREVIOUS = Text("직전 활성 버전: 되돌리기에 쓴다", "active before this one: a roll back goes to it")
RECENT = Text("아직 오래되지 않음", "not old enough")
NEVER_ACTIVE = Text("활성이었던 적 없음", "it was never active")
RETIRED = Text("활성에서 물러남", "it is not active any more")


def uses_of(
    versions: Sequence[Known], history: Sequence[Activation], active_id: int, before: datetime
) -> list[Use]:
    """Return what becomes of each version, in their order.

    One goes that was retired, or never became active, before the moment `before`. The
    active one stays, and so does that which was active last before it and is still there.
    `history` has the activations in their order.
    """
    ids = {version.id for version in versions}
    previous = _previous(history, active_id, ids)
    return [_use_of(version, history, (active_id, previous), before) for version in versions]


def _previous(history: Sequence[Activation], active_id: int, there: Collection[int]) -> int | None:
    """Return the id of the version that was active last before the active one."""
    for activation in reversed(history):
        if activation.version_id != active_id and activation.version_id in there:
            return activation.version_id
    return None


def _use_of(
    version: Known, history: Sequence[Activation], kept: tuple[int, int | None], before: datetime
) -> Use:
    active_id, previous = kept
    if version.id == active_id:
        return Use(version.label, version.state, None, goes=False, why=ACTIVE)
    retired_at = _retired_at(version, history)
    since = version.made_at if retired_at is None else retired_at
    if version.id == previous:
        why = PREVIOUS
    elif since >= before:
        why = RECENT
    else:
        why = NEVER_ACTIVE if retired_at is None else RETIRED
    return Use(version.label, version.state, since, goes=why in (NEVER_ACTIVE, RETIRED), why=why)


def _retired_at(version: Known, history: Sequence[Activation]) -> datetime | None:
    """Return when another version took its place for the last time; None if it never had one."""
    last = max(
        (n for n, activation in enumerate(history) if activation.version_id == version.id),
        default=None,
    )
    if last is None:
        return None
    after = history[last + 1 : last + 2]
    return after[0].at if after else history[last].at


def upload_of(name: str) -> tuple[str, str] | None:
    """Return label and digest in the name of a kept upload; None for any other file."""
    match = _UPLOAD.fullmatch(name)
    return None if match is None else (match[1], match[2])
