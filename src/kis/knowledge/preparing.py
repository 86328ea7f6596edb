"""An upload laid on the active version and tried out: bytes in, a report out. Pure.

It takes seconds for 100,000 rows, so it can be done in another process: rows stay
there, and documents go in and come out as they are stored.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from kis.knowledge.coherence import KnownRules, check_coherence
from kis.knowledge.content import Documents, Packed, decode_tables, pack
from kis.knowledge.diff import DEFAULT_LIMIT, Counts, Difference, Mode, compare, lay_changes
from kis.knowledge.formats import parse_upload
from kis.knowledge.progress import Progress, Tell, untold
from kis.knowledge.regression import Case, Regression, Resize, join_regressions, rerun_cases
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Snapshot, Tables
from kis.knowledge.trial import Sample, try_out
from kis.knowledge.upload import Upload
from kis.knowledge.validation import Remark


class Kept(NamedTuple):
    """An upload as it is kept until a version is active, and the rules that are known.

    `change_set` is MessagePack: the name of the format, and the bytes that were uploaded.
    """

    change_set: bytes
    mode: Mode
    known_rules: list[KnownRules]


ReplayLatest = Callable[[list[Any], Snapshot, Tell], Regression]
"""Estimates what was stored once more."""
Source = Kept | Documents
"""What a version is made from: its upload, or its content once that is fixed."""


class Tried(NamedTuple):
    """A version as it is to be stored, what it holds, and how its sample boards did."""

    packed: Packed
    brands: int
    rows: int
    rules: RuleSet
    counts: Counts
    samples: tuple[Sample, ...]
    remarks: tuple[Remark, ...]


def size_of(version: Source) -> int:
    """Return how many bytes a version is made from."""
    return version.size if isinstance(version, Documents) else len(version.change_set)


def read_and_compare(
    base: Documents, format_name: str, content: object, mode: Mode,
    known_rules: list[KnownRules], limit: int = DEFAULT_LIMIT, tell: Tell = untold,
) -> Difference:  # fmt: skip
    """Return what an upload changes of `base`; at most `limit` rows of each part are listed.

    Raises:
        DomainError: KNOWLEDGE_INVALID with all findings.

    """
    tell(Progress("load"))
    tables = decode_tables(base)
    upload = parse_upload(format_name, content, brands=tables.rules.brands, tell=tell)
    tell(Progress("compare"))
    return compare(tables, _lay_coherently(tables, upload, mode, known_rules), limit=limit)


def compare_sources(
    base: Documents, other: Source, version: Source, limit: int = DEFAULT_LIMIT, first: int = 0,
    tell: Tell = untold,
) -> Difference:  # fmt: skip
    """Return what `version` has otherwise than `other`, an upload laid on `base`.

    Of each part `limit` rows from `first` on are listed.

    Raises:
        DomainError: KNOWLEDGE_INVALID, an upload does not fit `base`.

    """
    tell(Progress("load"))
    tables = decode_tables(base)
    theirs, ours = _tables_of(tables, other, tell), _tables_of(tables, version, tell)
    tell(Progress("compare"))
    return compare(theirs, ours, limit=limit, first=first)


def lay_and_try(
    base: Documents, version: Source, sample_size: int, resize: Resize, label: str,
    tell: Tell = untold,
) -> Tried:  # fmt: skip
    """Lay a version on `base`, unless its content is fixed, and try `sample_size` boards.

    Raises:
        DomainError: KNOWLEDGE_INVALID, the upload does not fit `base`.

    """
    tell(Progress("load"))
    before = decode_tables(base)
    after = _tables_of(before, version, tell)
    trial = try_out(before, after, sample_size, resize, label, tell)
    return Tried(
        pack(trial.documents), len({row.brand for row in after.breakers}), len(after.breakers),
        after.rules, trial.counts, trial.samples, trial.remarks,
    )  # fmt: skip


def regress(
    documents: Documents, label: str, golden: list[Case], latest: list[Any], resize: Resize,
    replay_latest: ReplayLatest, tell: Tell = untold,
) -> Regression:  # fmt: skip
    """Return what golden cases and the latest estimates come out at under a version."""
    tell(Progress("load"))
    snapshot = Snapshot(decode_tables(documents), label=label, digest=documents.digest)
    pinned = rerun_cases(golden, snapshot, resize, tell)
    return join_regressions(pinned, replay_latest(latest, snapshot, tell))


def _tables_of(base: Tables, version: Source, tell: Tell = untold) -> Tables:
    if isinstance(version, Documents):
        return decode_tables(version)
    return _lay(base, version, tell)


def _lay(base: Tables, upload: Kept, tell: Tell) -> Tables:
    format_name, raw = msgspec.msgpack.decode(upload.change_set, type=tuple[str, bytes])
    parsed = parse_upload(format_name, raw, brands=base.rules.brands, tell=tell)
    return _lay_coherently(base, parsed, upload.mode, upload.known_rules)


def _lay_coherently(
    base: Tables, upload: Upload, mode: Mode, known_rules: list[KnownRules]
) -> Tables:
    """Refuse what fits only by itself; the base may be another one by the validation."""
    tables = lay_changes(base, upload, mode)
    # Rules that are not part of the upload are the base's, and not its fault.
    check_coherence(tables, known_rules if upload.rules is not None else ())
    return tables
