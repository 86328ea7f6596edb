"""The knowledge that is shipped: the first version of every installation."""

import json
from datetime import datetime
from importlib.resources import files

import msgspec
from sqlalchemy import Connection

from kis.audit import store as audit_store
from kis.db.locks import lock_installation
from kis.knowledge import golden_store, store
from kis.knowledge.content import encode_tables, pack
from kis.knowledge.formats import parse_upload
from kis.knowledge.snapshot import Tables

FIRST_LABEL = "v2025-09-24-01"
"""The version that the runbook's examples start from and roll back to."""

ACTOR = "shipped"


def shipped_tables() -> Tables:
    """Return the shipped tables, read as an owner's upload would be."""
    seed = files("kis") / "seed"
    catalogue = parse_upload("json", (seed / "catalogue.json").read_bytes())
    rules = catalogue.rules
    if rules is None:
        message = "catalogue.json has no rules"
        raise ValueError(message)
    breakers = parse_upload("csv", (seed / "breakers.csv").read_bytes(), brands=rules.brands)
    return Tables(
        breakers.breakers or (), catalogue.enclosures or (), catalogue.accessories or (), rules
    )


def shipped_golden(at: datetime) -> list[golden_store.GoldenCase]:
    """Return the boards that a maker sells, which the rules must reproduce."""
    cases = json.loads((files("kis") / "seed" / "golden.json").read_text())
    return [
        golden_store.GoldenCase(
            name=case["name"],
            width_mm=case["expected"]["W"],
            height_mm=case["expected"]["H"],
            depth_mm=case["expected"]["D"],
            note=case["note"],
            created_at=at,
            created_by=ACTOR,
            request=msgspec.json.encode(case["request"]),
        )
        for case in cases
    ]


def load_first_version(connection: Connection, at: datetime) -> None:
    """Make the shipped tables the active version of an empty database; else do nothing."""
    lock_installation(connection)
    if store.load_pointer(connection) is not None:
        return
    tables = shipped_tables()
    documents = encode_tables(tables)
    version_id = store.insert_version(
        connection, label=FIRST_LABEL, mode="replace", upload_digest=documents.digest,
        created_at=at, created_by=ACTOR,
    )  # fmt: skip
    brands = {row.brand for row in tables.breakers}
    counts = (len(brands), len(tables.breakers))
    store.mark_validated(connection, version_id, None, pack(documents), counts, at)
    store.record_activation(
        connection,
        store.Activation(
            version_id, FIRST_LABEL, documents.digest, None, "initial", "", ACTOR, False, at, None
        ),
    )
    for case in shipped_golden(at):
        golden_store.add_golden(connection, case)
    entry = audit_store.Entry(at, ACTOR, "knowledge.activate", FIRST_LABEL, digest=documents.digest)
    audit_store.record(connection, [entry])
