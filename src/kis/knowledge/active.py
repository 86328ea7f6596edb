"""The knowledge that estimates use now: one reference, swapped whole."""

import time

from kis.evidence.statement import RowEvidence, row_evidence
from kis.knowledge.model import Accessory, Breaker
from kis.knowledge.model_search import ModelIndex
from kis.knowledge.snapshot import Snapshot
from kis.knowledge.workers import Failure


class Active:
    """A snapshot in use, with the digests that evidence names.

    Rows are made evidence once and kept: the same few are used all day. `models` is made
    when somebody looks for one first.
    """

    __slots__ = (
        "_accessories", "_breakers", "enclosures_digest", "models", "rules_digest", "snapshot",
    )  # fmt: skip

    def __init__(self, snapshot: Snapshot, *, enclosures_digest: str, rules_digest: str) -> None:
        """Take `snapshot` into use."""
        self.snapshot = snapshot
        self.enclosures_digest = enclosures_digest
        self.rules_digest = rules_digest
        self.models: ModelIndex | None = None
        self._breakers: dict[tuple[str, str, int], RowEvidence] = {}
        self._accessories: dict[str, RowEvidence] = {}

    def breaker_evidence(self, row: Breaker) -> RowEvidence:
        """Return `row` of this snapshot as evidence."""
        evidence = self._breakers.get(row.key)
        if evidence is None:
            evidence = self._breakers[row.key] = row_evidence(row)
        return evidence

    def accessory_evidence(self, row: Accessory) -> RowEvidence:
        """Return `row` of this snapshot as evidence."""
        evidence = self._accessories.get(row.code)
        if evidence is None:
            evidence = self._accessories[row.code] = row_evidence(row)
        return evidence


class Stale(Exception):  # noqa: N818 - not a fault: the estimate is made again
    """Another version became active while an estimate was made; nothing was stored."""


PAUSE_S = 0.001


def give_way() -> None:
    """Let requests be answered while a version is loaded beside them."""
    time.sleep(PAUSE_S)


class ActiveKnowledge:
    """Holds the one `Active`. A swap is one assignment: requests that run keep theirs.

    `failure` says why it is not of the active version, where that cannot be loaded.
    """

    def __init__(self, active: Active) -> None:
        """Begin with `active`."""
        self.current = active
        self.failure: Failure | None = None

    def swap(self, active: Active) -> None:
        """Put `active` in place for all requests that begin from now on."""
        self.current = active
        self.failure = None
