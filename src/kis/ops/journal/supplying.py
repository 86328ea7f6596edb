"""Hands a database of a moment to whoever restores."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.moments import second_text
from kis.ops.backup.packing import Tell
from kis.ops.backup.restoring import Supplied, Supply
from kis.ops.backup.source import Place
from kis.ops.journal.rebuilding import Span, rebuild, spans

BACKUPS = Text(
    "더 이른 것은 백업에 있습니다: kis-backend backup list",
    "Backups reach further back: kis-backend backup list",
)


def of_moment(folder: Path, moment: datetime) -> Supply:
    """Return what supplies the database of `moment` (aware) from the journal in `folder`."""

    def supply(place: Place, tell: Tell) -> Supplied:
        require_known(folder, moment, spans(folder))
        rebuilt = rebuild(folder, moment, place.file, tell)
        last = rebuilt.committed_at or rebuilt.base_at
        return Supplied(f"{second_text(moment)} (journal)", last, None)

    return supply


def require_known(folder: Path, moment: datetime, known: Sequence[Span]) -> None:
    """Check that one of the spans has `moment`: what came after the last one, nobody knows.

    Raises:
        DomainError: NOT_FOUND, with the last moment before it that is known, or the first one.

    """
    if any(span.first <= moment <= span.last for span in known):
        return
    if not known:
        message = Text(
            f"{folder} 폴더에 되돌릴 수 있는 기록이 없습니다.",
            f"There is no journal to restore from in {folder}.",
        )
        raise _not_found(message, BACKUPS)
    earlier = [span.last for span in known if span.last < moment]
    asked = _shown(moment)
    if not earlier:
        first = _shown(known[0].first)
        message = Text(
            f"{asked} 시점은 기록에 없습니다. 되돌릴 수 있는 가장 이른 시점: {first}",
            f"The journal does not know {asked}. The first moment that it knows is {first}.",
        )
        raise _not_found(message, BACKUPS)
    last = _shown(max(earlier))
    message = Text(
        f"{asked} 시점은 기록에 없습니다. 그 전의 되돌릴 수 있는 마지막 시점: {last}",
        f"The journal does not know {asked}. The last moment before it that it knows is {last}.",
    )
    command = f"kis-backend restore --at {last}"
    raise _not_found(message, Text(f"그 시점으로: {command}", f"To that one: {command}"))


def _not_found(message: Text, hint: Text) -> DomainError:
    return refusal(ErrorCode.NOT_FOUND, message, hint)


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
