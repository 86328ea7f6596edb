"""The one shape of every error, checked wherever a test meets one."""

import re
from typing import Any

import httpx

PROBLEM_FIELDS = {
    "type", "title", "status", "detail", "detailEn", "code", "path", "hint", "hintEn",
    "requestId", "findings",
}  # fmt: skip
FINDING_FIELDS = {"code", "path", "detail", "detailEn", "hint", "hintEn", "data"}
HANGUL = re.compile("[\uac00-\ud7a3]")
INSIDES = re.compile(
    r"Traceback|site-packages|\.py\b|sqlite|SQLAlchemy|Exception|0x[0-9a-f]{6}|/src/|/home/"
)
"""What only we know. No answer to anyone shows any of it."""


def problem_of(response: httpx.Response, status: int | None = None, code: str = "") -> Any:
    """Return the problem in `response`, which is of the one shape, whatever went wrong."""
    assert status in (None, response.status_code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert code in ("", problem["code"]), problem
    assert set(problem) == PROBLEM_FIELDS
    assert problem["status"] == response.status_code
    assert problem["requestId"] == response.headers["x-request-id"]
    assert problem["type"] == "urn:kis:problem:" + problem["code"].lower().replace("_", "-")
    assert problem["findings"]
    first = problem["findings"][0]
    for finding in problem["findings"]:
        assert set(finding) == FINDING_FIELDS
    for name in FINDING_FIELDS - {"data"}:
        assert problem[name] == first[name]
    assert HANGUL.search(problem["detail"])
    assert problem["detailEn"]
    assert not INSIDES.search(response.text), response.text
    return problem


def codes_and_paths(problem: Any) -> list[tuple[str, str]]:
    """Return code and path of each finding, in order."""
    return [(finding["code"], finding["path"]) for finding in problem["findings"]]
