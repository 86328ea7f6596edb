"""A realistic evidence package, and a stand-in for the engine."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from hypothesis import strategies as st

from kis.errors import DomainError, ErrorCode, Finding, Text
from kis.evidence.encoding import canonical, canonical_strict
from kis.evidence.envelope import Keyring, seal
from kis.evidence.statement import (
    CallerReference,
    KnowledgeReference,
    Statement,
    build_statement,
    document_digest,
    evidence_id,
    row_evidence,
)
from kis.evidence.verification import Outcome, Verification, verify
from kis.knowledge.model import Accessory, Breaker, StockEnclosure
from kis.units import to_mm

PATH = "$.statement.request.main.model"
Json = dict[str, Any]
Path = tuple[str | int, ...]

ESTIMATE_ID = "0199c0de-0000-7000-8000-000000000001"
KEYRING = Keyring.of(b"current secret of 32 bytes or so", b"a secret that was retired before")
OTHER_KEYRING = Keyring.of(b"the secret of another installation")

BREAKERS = (
    Breaker("SANGDO", "SBE-104", 4, 100, "MCCB", 1000, 1300, 600, grade="economy"),
    Breaker(
        "SANGDO", "SIE-32", 2, 30, "ELCB", 178, 700, 420,
        rated_currents_a=(15, 20, 30), breaking_capacity_ka=2.5, warning="폭 확인 필요",
        extra={"whole": 1.0, "tiny": 1e-6, "열": "값"},
    ),
)  # fmt: skip
ACCESSORIES = (Accessory("MC-22", "CONTACTOR", 450, 850, None),)
ENCLOSURES = (
    StockEnclosure("HB 30x40", "HB", "STEEL", "INDOOR", "SURFACE", 3000, 4000, 1500),
    StockEnclosure("HB 60x70", "HB", "STEEL", "INDOOR", "SURFACE", 6000, 7000, 1500),
)
RULES: Json = {
    "version": "2026-11-22",
    "economic": {"heightAllowanceDmm": 2000, "confirmed": True, "note": None, "kinds": []},
}
REQUEST: Json = {
    "brand": "SANGDO",
    "form": "ECONOMIC",
    "installation": {"location": "INDOOR", "mount": "WALL", "material": "STEEL"},
    "main": {"brand": "SANGDO", "model": "SBE-104", "poles": "4P", "quantity": 1},
    "branches": [{"brand": "SANGDO", "model": "SIE-32", "poles": "2P", "quantity": 2}],
    "accessories": [{"code": "MC-22", "quantity": 1}],
    "label": "LP-1 “전등”",
    "customer": "",
    "note": "\u2028\u007f\U0001f600",
}


def recompute(statement: Json, documents: Json) -> object:
    """Stand in for the engine: an estimate that follows from rows and documents."""
    rows = [e["row"] for table in ("breakers", "accessories") for e in statement["rows"][table]]
    width = sum(row["widthDmm"] for row in rows)
    allowance = documents["rules"]["economic"]["heightAllowanceDmm"]
    height = max(row["heightDmm"] for row in rows) + allowance
    fitting = [stock for stock in documents["enclosures"] if stock["widthDmm"] > 2 * width]
    if not fitting:
        text = Text("맞는 함이 없습니다", "no enclosure fits")
        raise DomainError(Finding(ErrorCode.NEED_KNOWLEDGE_UPDATE, PATH, text))
    return {
        "enclosure": {
            "W": to_mm(fitting[0]["widthDmm"]),
            "H": to_mm(fitting[0]["heightDmm"]),
            "D": to_mm(fitting[0]["depthDmm"]),
            "source": "stock",
            "model": fitting[0]["model"],
        },
        "required": {"W": to_mm(width), "H": to_mm(height), "D": 150},
        "layout": {
            "placements": [_placement(index, row) for index, row in enumerate(rows)],
            "busbars": [],
            "utilisation": 0.123,
        },
        "billOfMaterials": [{"category": "main", "name": "주차단기", "quantity": 1}],
        "rejected": [{"model": "HB 30x40", "W": 300, "reason": "narrower than required"}],
        "warnings": [],
    }


def _placement(index: int, row: Json) -> Json:
    return {
        "device": f"d{index}",
        "x": 10,
        "y": to_mm(index * 105 + 1),
        "w": to_mm(row["widthDmm"]),
        "h": to_mm(row["heightDmm"]),
        "rotated": index > 0,
    }


def make_statement() -> Statement:
    """Build the statement as the service does, from structs."""
    breakers = [row_evidence(row) for row in BREAKERS]
    accessories = [row_evidence(row) for row in ACCESSORIES]
    tables = {"breakers": breakers, "accessories": accessories}
    rows = {
        name: [{"row": json.loads(bytes(entry.row))} for entry in entries]
        for name, entries in tables.items()
    }
    return build_statement(
        estimate_id=ESTIMATE_ID,
        created_at="2026-11-23T00:00:00.000Z",
        caller=CallerReference("api-bcdfghjk", "cd" * 32),
        engine_version="1",
        knowledge=KnowledgeReference("2026-11-22", "ab" * 32),
        rules_version="2026-11-22",
        request=REQUEST,
        result=recompute({"rows": rows}, _documents()),
        breakers=breakers,
        accessories=accessories,
        enclosures_digest=document_digest(ENCLOSURES),
        rules_digest=document_digest(RULES),
    )


def make_package(keyring: Keyring = KEYRING) -> Json:
    """Return a fresh genuine package, as parsed from JSON."""
    statement_bytes = canonical(make_statement())
    package = {
        "evidenceId": evidence_id(ESTIMATE_ID),
        "statement": json.loads(statement_bytes),
        "documents": _documents(),
        "envelope": msgspec.to_builtins(seal(statement_bytes, keyring)),
    }
    return copy.deepcopy(package)


def reseal(package: Json, keyring: Keyring = KEYRING) -> Json:
    """Make everything in `package` agree again, as one who holds the key could."""
    statement = package["statement"]
    for table in ("breakers", "accessories"):
        for entry in statement["rows"][table]:
            entry["digest"] = document_digest(entry["row"])
    for name, document in package["documents"].items():
        statement["rows"][name]["digest"] = document_digest(document)
    package["evidenceId"] = evidence_id(statement["estimateId"])
    package["envelope"] = msgspec.to_builtins(seal(canonical_strict(statement), keyring))
    return package


def leaves(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each scalar and each empty container in `value`."""
    for key, child in _members(value):
        yield from leaves(child, (*path, key))
    if not _members(value):
        yield path


def containers(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each object and array in `value`, itself included."""
    if isinstance(value, dict | list):
        yield path
    for key, child in _members(value):
        yield from containers(child, (*path, key))


def at(value: Any, path: Path) -> Any:
    """Return what is at `path` in `value`."""
    for key in path:
        value = value[key]
    return value


def changed(package: Json, path: Path, change: Callable[[Any], Any]) -> Json:
    """Return a copy of `package` with `change` applied to what is at `path`."""
    package = copy.deepcopy(package)
    parent = at(package, path[:-1])
    parent[path[-1]] = change(parent[path[-1]])
    return package


def json_path(path: Path) -> str:
    """Write `path` the way the checks name it."""
    return "$" + "".join(
        f"[{json.dumps(key)}]" if isinstance(key, int) or not key.isascii() else f".{key}"
        for key in path
    )


def _documents() -> Json:
    return {"enclosures": msgspec.to_builtins(list(ENCLOSURES)), "rules": RULES}


def _members(value: object) -> list[tuple[str | int, object]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


GENUINE = make_package()


def check(
    package: object, *, keyring: Keyring = KEYRING, stored: Json | None = GENUINE
) -> Verification:
    """Verify `package` with the stand-in engine, where the genuine one is stored."""
    return verify(package, keyring=keyring, recompute=recompute, stored=stored)


def failed(verification: Verification) -> dict[str, str | None]:
    """Return the failed steps, with the path that each names."""
    return {c.name: c.path for c in verification.checks if c.outcome is Outcome.FAILED}


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
