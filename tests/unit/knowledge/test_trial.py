"""A version tried out: each changed row in a board, and what is told of it."""

import msgspec

from kis.errors import DomainError, ErrorCode, Finding, Text
from kis.estimate.rerun import resize
from kis.knowledge.diff import Mode, lay_changes
from kis.knowledge.model import Accessory
from kis.knowledge.snapshot import Snapshot, Tables
from kis.knowledge.trial import Trial, try_out
from kis.knowledge.upload import Upload
from kis.units import Size

from .rows import breaker, seed_tables

SEED = seed_tables()
NEW = breaker("T-1", 4)
METER = Accessory("T-METER", "meter", 1300, 1300)
BOX = msgspec.structs.replace(SEED.enclosures[0], model="T-BOX", width_dmm=4500)


def trial_of(upload: Upload, mode: Mode = "add", sample_size: int = 10) -> Trial:
    return try_out(SEED, lay_changes(SEED, upload, mode), sample_size, resize, "v-t")


def test_every_changed_part_is_tried_by_the_engine() -> None:
    trial = trial_of(Upload(breakers=(NEW,), enclosures=(BOX,), accessories=(METER,)))
    assert all(sample.succeeded for sample in trial.samples)
    assert {(sample.part, sample.row) for sample in trial.samples} == {
        ("breakers", NEW.key), ("accessories", ("T-METER",)), ("enclosures", ("T-BOX",)),
    }  # fmt: skip
    assert (trial.counts.added, trial.counts.changed, len(trial.samples)) == (3, 0, 10)


def test_sample_names_its_part_in_json() -> None:
    trial = trial_of(Upload(accessories=(METER,)), sample_size=1)
    plain = msgspec.to_builtins(trial.samples[0])
    assert (plain["part"], plain["row"], plain["role"]) == (
        "accessories", ("T-METER",), "accessory",
    )  # fmt: skip


def test_refusal_is_told_in_the_sample() -> None:
    def refuse(_: object, __: Snapshot) -> Size:
        message = Text("모름", "unknown")
        raise DomainError(Finding(ErrorCode.NEED_KNOWLEDGE_UPDATE, "$.main", message))

    tables: Tables = lay_changes(SEED, Upload(enclosures=(BOX,)), "add")
    (sample,) = try_out(SEED, tables, 1, refuse, "v-t").samples
    assert (sample.succeeded, sample.part, sample.code) == (
        False, "enclosures", "NEED_KNOWLEDGE_UPDATE",
    )  # fmt: skip
    assert (sample.path, sample.message_ko, sample.message_en) == ("$.main", "모름", "unknown")
