"""What is shown of backups, for people and for programs."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from kis.ops.backup.archive import Backup
    from kis.ops.backup.folder import Stored
    from kis.ops.backup.manifest import Contents
    from kis.ops.backup.verifying import Verified

MIB = 1 << 20


def words_of_backup(made: "Backup") -> Iterator[str]:
    """Yield what was made, and what was deleted."""
    manifest = made.manifest
    packed = manifest.packed
    yield f"백업했습니다 Backed up: {manifest.file}"
    yield (
        f"  {_size(packed.content_size)} → {_size(packed.size)}, {manifest.seconds:.1f} s,"
        f" {contents_words(manifest.contents)}"
    )
    if made.logs:
        yield f"  로그 logs: {made.logs}"
    for name in made.forgotten:
        yield f"  오래되어 지움 old, deleted: {name}"


def words_of_list(stored: "Sequence[Stored]") -> Iterator[str]:
    """Yield a line for each backup."""
    for each in stored:
        at = each.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        mark = "*" if each.is_latest else " "
        about = contents_words(each.manifest.contents) if each.manifest else "목록 없음 no manifest"
        yield f"{mark} {each.path.name}  {at}  {_size(each.path.stat().st_size)}  {about}"
    if not stored:
        yield "백업이 없습니다. There are no backups."


def words_of_verified(found: "Verified") -> str:
    """Return a line about a backup that was verified."""
    if found.trouble is not None:
        return f"문제 {found.file}: {found.trouble.ko} / {found.trouble.en}"
    assert found.contents is not None  # noqa: S101 - it is sound
    return f"OK   {found.file}: {contents_words(found.contents)}, {found.seconds:.1f} s"


def verified_answer(found: "Verified") -> dict[str, Any]:
    """Return what programs are told of a backup that was verified."""
    trouble = found.trouble
    return {
        "file": found.file,
        "isGood": trouble is None,
        "ko": trouble.ko if trouble else "",
        "en": trouble.en if trouble else "",
        "seconds": found.seconds,
        "contents": msgspec.to_builtins(found.contents),
    }


def contents_words(contents: "Contents") -> str:
    """Return what is in a database, in a few words."""
    estimates = contents.rows.get("Estimate", 0)
    text = f"견적 {estimates:,} estimates, {contents.active_version or contents.schema}"
    evidence = contents.evidence
    if evidence is not None:
        text += f", 증거 evidence {evidence.verified - evidence.invalid:,}/{evidence.verified:,}"
    return text


def _size(size: int) -> str:
    return f"{size / MIB:,.1f} MiB"
