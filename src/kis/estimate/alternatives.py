"""What could stand in the place of a breaker that is not what was asked for. Pure."""

from kis.knowledge.model import Breaker, BreakerType
from kis.knowledge.snapshot import Snapshot

MAX_ALTERNATIVES = 3


def alternatives(snapshot: Snapshot, row: Breaker, poles: int, kind: BreakerType) -> list[str]:
    """Return the models that are like `row`, but have `poles` and are of `kind`; likest first.

    They are of its brand and frame; those of its grade, then of its series come first.
    """
    rows = snapshot.breakers_by_frame(row.brand, row.frame_size_a, poles, kind)
    ranked = sorted(
        rows, key=lambda other: (other.grade != row.grade, other.series != row.series, other.model)
    )
    return [other.model for other in ranked if other.key != row.key][:MAX_ALTERNATIVES]
