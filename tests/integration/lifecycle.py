"""Steps of the knowledge life cycle for tests: each sends one request as the owner would."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import httpx

from tests import sql
from tests.services import ADMIN_API_KEY, API_KEY, Client, board

HEADER = "brand,series,model,af,poles,width_mm,height_mm,depth_mm,meta"
TABLES = "/v1/knowledge/tables"
VERSIONS = "/v1/knowledge/versions"
FIRST = "v2025-09-24-01"


class Sender(Protocol):
    """The client in this process, or a server of its own."""

    def request(
        self, method: str, path: str, *, key: str | None = API_KEY, **more: Any
    ) -> httpx.Response:
        """Send one request."""


def row(model: str, *, af: int = 100, poles: int = 3, width: float = 90, **meta: Any) -> str:
    """Return a plausible CSV line of a new LS breaker; `meta` beside its type."""
    cells = "".join(f',""{name}"":""{value}""' for name, value in meta.items())
    return f'LS,TEST,{model},{af},{poles}P,{width},155,60,"{{""type"":""MCCB""{cells}}}"'


def table(*rows: str) -> str:
    """Return the rows below the runbook's header."""
    return "\n".join((HEADER, *rows)) + "\n"


def import_table(to: Sender, label: str, content: object, **more: str) -> httpx.Response:
    """Import in the runbook's JSON body."""
    body = {"format": "csv", "content": content, "versionLabel": label, **more}
    return to.request("POST", f"{TABLES}/import", key=ADMIN_API_KEY, json=body)


def import_raw(to: Sender, label: str, raw: bytes, **query: str) -> httpx.Response:
    """Import a table as it is, as the body."""
    return to.request(
        "POST", f"{TABLES}/import", key=ADMIN_API_KEY, content=raw,
        headers={"Content-Type": "text/csv"}, params={"versionLabel": label, **query},
    )  # fmt: skip


def validate(to: Sender, label: str, sample_size: int = 10) -> Any:
    """Validate; the answer whatever it says, as long as it is one."""
    body = {"versionLabel": label, "sampleSize": sample_size}
    return good(to.request("POST", f"{TABLES}/validate", key=ADMIN_API_KEY, json=body))


def activate(to: Sender, label: str, **more: Any) -> httpx.Response:
    """Activate."""
    body = {"versionLabel": label, **more}
    return to.request("POST", f"{TABLES}/activate", key=ADMIN_API_KEY, json=body)


def roll_back(to: Sender, label: str, reason: str = "for a test") -> httpx.Response:
    """Roll back."""
    body = {"targetVersionLabel": label, "reason": reason}
    return to.request("POST", f"{TABLES}/rollback", key=ADMIN_API_KEY, json=body)


def stage(to: Sender, label: str, *rows: str) -> Any:
    """Import and validate; the validation's answer."""
    good(import_table(to, label, table(*rows)), 201)
    return validate(to, label)


def publish(to: Sender, label: str, *rows: str) -> Any:
    """Import, validate and activate; the activation's answer."""
    assert stage(to, label, *rows)["valid"]
    return good(activate(to, label))


def active_label(to: Sender) -> str:
    """Return which version is active."""
    label: str = ask(to, f"{VERSIONS}/active")["label"]
    return label


def version(to: Sender, label: str) -> Any:
    """Return one line of the list of versions."""
    return next(line for line in ask(to, VERSIONS) if line["label"] == label)


def ask(to: Sender, path: str, **query: str) -> Any:
    """GET as the owner."""
    return good(to.request("GET", path, key=ADMIN_API_KEY, params=query))


def main_only(model: str, **changes: Any) -> dict[str, Any]:
    """Return a board with this LS main and no branches."""
    return board(brand="LS", main={"model": model, "poles": "3P"}, branches=[], **changes)


def estimate(to: Sender, request: dict[str, Any]) -> httpx.Response:
    """Create an estimate."""
    return to.request("POST", "/v1/estimate/create", json=request)


def verify_evidence(to: Sender, estimate_id: str) -> Any:
    """Fetch an estimate's evidence and have it verified."""
    package = good(to.request("GET", f"/v1/evidence/{estimate_id}"))
    return good(to.request("POST", "/v1/evidence/verify", json=package))


def good(response: httpx.Response, status: int = 200) -> Any:
    """Return the answer of a request that succeeded."""
    assert response.status_code == status, response.text
    return response.json()


def refused(response: httpx.Response, status: int, code: str) -> Any:
    """Return the problem of a request that was refused so."""
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    return response.json()


def rows_of(home: Path, statement: str, parameters: Iterable[object] = ()) -> list[Any]:
    """Ask the database itself, beside the service."""
    return sql.run(home, statement, parameters)


def everything_stored(client: Client) -> list[Any]:
    """Return every row that an estimate can leave."""
    tables = ("Estimate", "evidence", "audit_entry", "idempotency_record", "knowledge_question")
    return [rows_of(client.settings.home, f'SELECT * FROM "{name}"') for name in tables]


def audit_of(home: Path, subject: str) -> list[tuple[str, ...]]:
    """Return actor, action, reason and digest of what happened to `subject`, oldest first."""
    asked = "SELECT actor, action, reason, digest FROM audit_entry WHERE subject = ? ORDER BY id"
    return rows_of(home, asked, [subject])


def staged_files(home: Path) -> dict[str, bytes]:
    """Return the raw uploads that are kept."""
    return {path.name: path.read_bytes() for path in (home / "knowledge-staging").iterdir()}
