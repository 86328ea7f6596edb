from kis.estimate.alternatives import alternatives
from kis.knowledge.model import BreakerType
from kis.knowledge.snapshot import Snapshot


def models(snapshot: Snapshot, model: str, poles: int, kind: BreakerType) -> list[str]:
    (row,) = snapshot.breakers_by_model(model)
    return alternatives(snapshot, row, poles, kind)


def test_the_same_with_other_poles_or_of_the_other_kind(seed_snapshot: Snapshot) -> None:
    assert models(seed_snapshot, "SES-54", 3, "ELCB") == ["SES-53", "SEC-53"]
    assert models(seed_snapshot, "SBS-54", 4, "ELCB") == ["SES-54"]
    assert models(seed_snapshot, "ABN-53", 3, "ELCB") == ["EBN-53", "EBS-53", "EBS53FB"]


def test_where_there_is_none_none_is_made_up(seed_snapshot: Snapshot) -> None:
    assert models(seed_snapshot, "SIE-32", 3, "ELCB") == []
    assert models(seed_snapshot, "SBS-54", 4, "MCCB") == []
