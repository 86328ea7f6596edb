"""The columns beside an answer, for search and statistics: they say what the answer says."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Text, select, type_coerce

from kis.estimate.answer import Answer
from kis.estimate.bare import bare_request
from kis.estimate.model import Board
from kis.estimate.tables import estimate_table
from kis.evidence.envelope import Keyring, client_digest
from kis.evidence.tables import evidence_table

Columns = dict[str, Any]
"""The columns of an estimate and its evidence that are compared, by name."""

PLACES = {
    "brand": ("request", "brand"),
    "form": ("request", "form"),
    "label": ("request", "label"),
    "customer": ("request", "customer"),
    "width_mm": ("enclosure", "W"),
    "height_mm": ("enclosure", "H"),
    "depth_mm": ("enclosure", "D"),
    "enclosure_model": ("enclosure", "model"),
    "knowledge_version": ("knowledgeVersion",),
}
"""Where in the answer the value of a column stands."""

SEALED = {
    "evidence_id": "evidenceId",
    "knowledge_version": "knowledgeVersion",
    "engine_version": "engineVersion",
}
"""Columns of the evidence that fields of the answer repeat."""

MILLISECONDS = len("2025-09-24T08:00:00.000")


def first_contradiction(connection: Connection, estimate_id: str, keyring: Keyring) -> str | None:
    """Return the column, as `table.column`, that does not say what answer and evidence say.

    It is `Estimate.answer` itself when it is not as we write it: no reader may
    take it for something else than the evidence does.
    """
    row = load_columns(connection, [estimate_id]).get(estimate_id)
    return None if row is None else contradiction_in(row, decode_answer(row["answer"]), keyring)


def contradiction_in(row: Columns, answer: dict[str, Any], keyring: Keyring) -> str | None:
    """Return the column of `row` that `first_contradiction` names; `answer` is its answer."""
    repeated = all(row[f"sealed_{name}"] == answer.get(field) for name, field in SEALED.items())
    agrees = {
        "Estimate.answer": _is_ours(row["answer"], answer) and repeated,
        **{f"Estimate.{name}": row[name] == _at(answer, path) for name, path in PLACES.items()},
        "Estimate.request": row["request"] == _bare_request(answer),
        "Estimate.main_model": row["main_model"] == _main_model(answer),
        "Estimate.created_at": _moment(row["created_at"]) == answer.get("createdAt"),
        "evidence.created_at": row["sealed_at"] == row["created_at"],
        "Estimate.client": _is_sealed_client(row["id"], row, keyring),
    }
    return next((column for column in agrees if not agrees[column]), None)


def load_columns(connection: Connection, ids: Sequence[str]) -> dict[str, Columns]:
    """Return what stands beside the answers and evidence of `ids`, and the answers, by id."""
    estimate, evidence = estimate_table.c, evidence_table.c
    # Moments as text: one that was changed by hand may not be a moment any more.
    columns = (
        *(estimate[name] for name in ("id", "owner", *PLACES, "main_model", "request", "answer")),
        estimate.client,
        evidence.client_digest,
        evidence.key_id,
        *(evidence[name].label(f"sealed_{name}") for name in SEALED),
        type_coerce(estimate.created_at, Text).label("created_at"),
        type_coerce(evidence.created_at, Text).label("sealed_at"),
    )
    rows = connection.execute(
        select(*columns)
        .join_from(estimate_table, evidence_table, evidence.estimate_id == estimate.id)
        .where(estimate.id.in_(ids))
    )
    return {row["id"]: dict(row) for row in rows.mappings()}


def decode_answer(stored: bytes | None) -> dict[str, Any]:
    """Return a stored answer as builtins; {} when it is damaged."""
    answer = decode_stored(stored)
    return answer if isinstance(answer, dict) else {}


def decode_stored(stored: bytes | None) -> object:
    """Return stored JSON as builtins; None when it is damaged or missing."""
    try:
        return None if stored is None else msgspec.json.decode(stored)
    except msgspec.DecodeError:
        return None


def _is_ours(stored: object, answer: dict[str, Any]) -> bool:
    """Whether `stored` is the one spelling of `answer`, without fields that no answer has."""
    fields = set(Answer.__struct_encode_fields__)
    return answer.keys() <= fields and msgspec.json.encode(answer) == stored


def _is_sealed_client(estimate_id: str, row: dict[str, Any], keyring: Keyring) -> bool:
    """Whether the address is the sealed one; without the key nothing can be said against it."""
    secret = keyring.secrets.get(row["key_id"])
    if secret is None:
        return True
    client = row["client"]
    return (
        isinstance(client, str)
        and client_digest(estimate_id, client, secret) == row["client_digest"]
    )


def _at(value: Any, path: tuple[str, ...]) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _bare_request(answer: dict[str, Any]) -> bytes | None:
    """Return the request that a replay reads, as it follows from the answer."""
    try:
        return bare_request(msgspec.convert(answer.get("request"), Board))
    except msgspec.ValidationError:
        return None


def _main_model(answer: dict[str, Any]) -> object:
    placements = _at(answer, ("layout", "placements"))
    for placement in placements if isinstance(placements, list) else ():
        if _at(placement, ("role",)) == "main":
            return _at(placement, ("model",))
    return None


def _moment(stored: object) -> str:
    return f"{stored}"[:MILLISECONDS].replace(" ", "T") + "Z"
