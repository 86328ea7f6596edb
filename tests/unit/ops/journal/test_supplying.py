"""Moments that nobody knows are told with the ones beside them that somebody does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kis.errors import DomainError, ErrorCode
from kis.ops.journal.rebuilding import Span
from kis.ops.journal.supplying import require_known

AT = datetime(2026, 11, 22, 10, 15, 0, 123_456, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPANS = [Span("a", AT, AT + HOUR, False), Span("b", AT + 3 * HOUR, AT + 4 * HOUR, True)]


@pytest.mark.parametrize("hours", [0, 0.5, 1, 3, 4])
def test_known(hours: float) -> None:
    require_known(Path("journal"), AT + hours * HOUR, SPANS)


@pytest.mark.parametrize(
    ("hours", "last"),
    [
        (1.001, "2026-11-22T11:15:00.123456Z"),
        (2.999, "2026-11-22T11:15:00.123456Z"),
        (4.001, "2026-11-22T14:15:00.123456Z"),
        (90, "2026-11-22T14:15:00.123456Z"),
    ],
)
def test_unknown(hours: float, last: str) -> None:
    with pytest.raises(DomainError) as refused:
        require_known(Path("journal"), AT + hours * HOUR, SPANS)
    main = refused.value.main
    assert main.code is ErrorCode.NOT_FOUND
    assert last in main.message.ko
    assert last in main.message.en
    assert f"restore --at {last}" in main.hint.ko


def test_before_the_first_one() -> None:
    with pytest.raises(
        DomainError, match=r"first moment .* 2026-11-22T10:15:00\.123456Z"
    ) as refused:
        require_known(Path("journal"), AT - HOUR, SPANS)
    assert "backup list" in refused.value.main.hint.en


def test_no_journal() -> None:
    with pytest.raises(DomainError, match="no journal") as refused:
        require_known(Path("journal"), AT, [])
    assert "backup list" in refused.value.main.hint.en
