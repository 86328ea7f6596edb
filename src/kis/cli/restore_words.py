"""What is shown of a restore, for people and for programs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from kis.cli.backup_words import contents_words
from kis.moments import moment_text

if TYPE_CHECKING:
    from kis.ops.backup.losing import Losses
    from kis.ops.backup.restoring import Prepared, Restored
    from kis.ops.keys.carrying import Carried

ESTIMATE = "Estimate"
KEYS_IN_LOG = 'zgrep "POST /v1/keys" $KIS_HOME/logs/kis-backend.log*'
"""What became of keys is in the log as well, which another disk may still have."""


def words_of_plan(prepared: "Prepared") -> Iterator[str]:
    """Yield what would be restored, and what would be lost."""
    supplied = prepared.supplied
    at = supplied.at.astimezone().strftime(" (%Y-%m-%d %H:%M:%S)") if supplied.at else ""
    yield f"복구할 것 To restore: {supplied.name}{at}, {contents_words(prepared.contents)}"
    if prepared.schema_before != prepared.contents.schema:
        yield f"  스키마 schema: {prepared.schema_before} → {prepared.contents.schema}"
    yield from _keys(prepared.keys)
    if prepared.losses is None:
        yield "  지금의 데이터베이스는 없거나 읽을 수 없어 비교하지 못했습니다."
        yield "  The present database is missing or cannot be read: nothing to compare with."
        return
    yield from _losses(prepared.losses)


def _keys(keys: "Carried") -> Iterator[str]:
    if keys.trouble is not None:
        yield f"  주의: {keys.trouble.ko}. 그 뒤에 폐기한 키가 다시 통하고, 만든 키는 없어집니다."
        yield f"  Warning: {keys.trouble.en}. Keys revoked since open again, those made are gone."
        yield f"    확인 Check: kis-backend keys list, {KEYS_IN_LOG}"
    if keys.made:
        yield f"  그 뒤에 만든 키도 남습니다. Keys made since stay: {', '.join(keys.made)}"
    if keys.ended:
        yield (
            "  그 뒤에 폐기, 교체, 유출 처리한 것은 그대로입니다."
            f" Keys revoked, replaced or compromised since stay so: {', '.join(keys.ended)}"
        )


def _losses(losses: "Losses") -> Iterator[str]:
    before, after = losses.active_before, losses.active_after
    if before != after:
        yield f"  활성 지식 active version: {before} → {after}"
    if losses.estimates:
        yield f"  사라지는 견적 {losses.estimates:,}건. Estimates that will be lost:"
        for lost in losses.newest:
            yield f"    {lost.created_at}  {lost.id}"
        if losses.estimates > len(losses.newest):
            yield f"    … {losses.estimates - len(losses.newest):,}"
    if losses.returning:
        yield f"  지금은 없는 견적이 돌아옵니다. Estimates that come back: {losses.returning:,}"
    for table in losses.tables:
        if table.table != ESTIMATE:
            yield f"  {table.table}: {table.before:,} → {table.after:,}"
    if not (losses.estimates or losses.returning or losses.tables or before != after):
        yield "  사라지는 것이 없습니다. Nothing will be lost."


def words_of_restored(restored: "Restored") -> Iterator[str]:
    """Yield what was done."""
    yield f"복구했습니다 Restored: {restored.prepared.supplied.name}, {restored.seconds:.1f} s"
    if restored.kept is not None:
        yield f"  전의 데이터베이스 The one before: {restored.kept}"
    yield "다음 Next: kis-backend serve, kis-backend selftest"


def answer_of(restored: "Restored") -> dict[str, Any]:
    """Return what programs are told."""
    answer = answer_of_prepared(restored.prepared)
    return {**answer, "seconds": restored.seconds, "kept": restored.kept}


def answer_of_prepared(prepared: "Prepared") -> dict[str, Any]:
    """Return what programs are told of what was only tried."""
    at = prepared.supplied.at
    return {
        "restored": prepared.supplied.name,
        "takenAt": None if at is None else moment_text(at),
        "seconds": round(prepared.seconds, 3),
        "schemaBefore": prepared.schema_before,
        "contents": msgspec.to_builtins(prepared.contents),
        "keys": msgspec.to_builtins(prepared.keys),
        "losses": msgspec.to_builtins(prepared.losses),
    }


def words_of_drill(prepared: "Prepared") -> Iterator[str]:
    """Yield what a restore would have done."""
    yield f"OK 복구할 수 있습니다. It can be restored: {prepared.seconds:.1f} s"
    yield from words_of_plan(prepared)
