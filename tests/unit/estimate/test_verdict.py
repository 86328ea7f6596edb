"""What becomes of a stored request: a size or a refusal, as bytes between processes."""

from kis.estimate.verdict import Judgement, Verdict, judge, judge_all, pack, unpack
from kis.knowledge.snapshot import Snapshot

from .boards import with_tables
from .stored import bare


def test_size_and_stock_model(seed_snapshot: Snapshot) -> None:
    verdict = judge(bare(seed_snapshot), seed_snapshot)
    assert verdict == Verdict((500, 600, 150), verdict.model)
    assert verdict.model is not None


def test_refusal_has_code_place_and_words(seed_snapshot: Snapshot) -> None:
    rows = tuple(row for row in seed_snapshot.tables.breakers if row.model != "SIE-32")
    verdict = judge(bare(seed_snapshot), with_tables(seed_snapshot, breakers=rows))
    assert (verdict.sides, verdict.code) == (None, "NEED_KNOWLEDGE_UPDATE")
    assert verdict.path == "$.branches[1].model"
    assert "SIE-32" in verdict.message_ko
    assert "SIE-32" in verdict.message_en


def test_damaged_request_is_a_refusal(seed_snapshot: Snapshot) -> None:
    assert judge(b"{", seed_snapshot).code == "INVALID_REQUEST"


def test_two_versions(seed_snapshot: Snapshot) -> None:
    other = with_tables(seed_snapshot, enclosures=())
    (judgement,) = judge_all([bare(seed_snapshot)], other, seed_snapshot)
    assert judgement.after.model is None
    assert judgement.before == judge(bare(seed_snapshot), seed_snapshot)


def test_bytes_between_processes(seed_snapshot: Snapshot) -> None:
    judgements = [
        *judge_all([bare(seed_snapshot), b"{"], seed_snapshot, seed_snapshot),
        Judgement(Verdict((17.8, 600, 150))),
    ]
    assert unpack(pack(judgements)) == judgements
