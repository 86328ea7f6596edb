"""The columns beside an answer, for search and statistics: they say what the answer says."""

from typing import Any

from sqlalchemy import Connection, Text, select, type_coerce

from kis.estimate.tables import estimate_table
from kis.evidence.tables import evidence_table

PLACES = {
    "brand": ("request", "brand"),
    "form": ("request", "form"),
    "label": ("request", "label"),
    "customer": ("request", "customer"),
    "width_mm": ("enclosure", "W"),
    "height_mm": ("enclosure", "H"),
    "depth_mm": ("enclosure", "D"),
    "knowledge_version": ("knowledgeVersion",),
}
"""Where in the answer the value of a column stands."""

MILLISECONDS = len("2025-09-24T08:00:00.000")


def first_contradiction(
    connection: Connection, estimate_id: str, answer: dict[str, Any]
) -> str | None:
    """Return the column, as `table.column`, that does not say what `answer` says.

    `answer` is the stored one, decoded, and may be damaged.
    """
    estimate, evidence = estimate_table.c, evidence_table.c
    # As text: a moment that was changed by hand may not be one any more.
    created_at = type_coerce(estimate.created_at, Text)
    row = connection.execute(
        select(
            *(estimate[name] for name in (*PLACES, "main_model")),
            created_at.label("created_at"),
            type_coerce(evidence.created_at, Text).label("sealed_at"),
        )
        .join_from(estimate_table, evidence_table, evidence.estimate_id == estimate.id)
        .where(estimate.id == estimate_id)
    ).one_or_none()
    if row is None:
        return None
    stored = row._asdict()
    for name, path in PLACES.items():
        if stored[name] != _at(answer, path):
            return f"Estimate.{name}"
    if stored["main_model"] != _main_model(answer):
        return "Estimate.main_model"
    if _moment(stored["created_at"]) != answer.get("createdAt"):
        return "Estimate.created_at"
    return None if stored["sealed_at"] == stored["created_at"] else "evidence.created_at"


def _at(value: Any, path: tuple[str, ...]) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _main_model(answer: dict[str, Any]) -> object:
    placements = _at(answer, ("layout", "placements"))
    for placement in placements if isinstance(placements, list) else ():
        if _at(placement, ("role",)) == "main":
            return _at(placement, ("model",))
    return None


def _moment(stored: object) -> str:
    return f"{stored}"[:MILLISECONDS].replace(" ", "T") + "Z"
