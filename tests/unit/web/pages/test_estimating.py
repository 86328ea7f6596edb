from kis.errors import ErrorCode, Finding, Text
from kis.estimate.model import BoardDraft, DeviceDraft
from kis.web.pages.estimating import at_each_line

CODE = ErrorCode.POLES_MISMATCH


def paths(findings: list[Finding], draft: BoardDraft | None) -> list[str]:
    return [finding.path for finding in at_each_line(findings, draft)]


def finding(path: str) -> Finding:
    return Finding(CODE, path, Text("", ""))


def test_what_is_wrong_with_a_line_is_told_of_all_that_are_alike() -> None:
    one, other = DeviceDraft(model="A", poles="3P"), DeviceDraft(model="B")
    alike = DeviceDraft(model="A", poles="3P", quantity=4)
    draft = BoardDraft(branches=(one, other, alike))
    assert paths([finding("$.branches[0].poles"), finding("$.main.poles")], draft) == [
        "$.branches[0].poles", "$.branches[2].poles", "$.main.poles",
    ]  # fmt: skip
    assert paths([finding("$.branches[1].poles")], draft) == ["$.branches[1].poles"]


def test_what_was_told_of_each_line_is_told_once() -> None:
    line = DeviceDraft(model="A")
    draft = BoardDraft(branches=(line, line))
    each = [finding("$.branches[0].poles"), finding("$.branches[1].poles")]
    assert paths(each, draft) == ["$.branches[0].poles", "$.branches[1].poles"]
    assert paths(each, None) == ["$.branches[0].poles", "$.branches[1].poles"]
