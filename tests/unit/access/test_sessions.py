from datetime import UTC, datetime, timedelta

import pytest

from kis.access.sessions import (
    SESSION_HOURS,
    Failures,
    counted_as,
    csrf_token_of,
    locked_for_s,
    open_session,
    session_id_of,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "seconds"), [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (10, 900), (5_000, 900)]
)
def test_each_further_wrong_key_locks_for_longer(times: int, seconds: int) -> None:
    assert locked_for_s(Failures(times, NOW), NOW) == seconds


def test_a_lock_ends() -> None:
    failures = Failures(5, NOW)
    assert locked_for_s(failures, NOW + timedelta(seconds=29.5)) == 1
    assert locked_for_s(failures, NOW + timedelta(seconds=30)) == 0
    assert locked_for_s(None, NOW) == 0


def test_a_session_lasts_a_working_day_and_keeps_no_token() -> None:
    session = open_session("token", "api-abc", NOW)
    assert session.expires_at - session.created_at == timedelta(hours=SESSION_HOURS)
    assert "token" not in str(session)
    assert session.session_id == session_id_of("token")


def test_no_two_sessions_share_what_pages_send() -> None:
    assert csrf_token_of("a") != csrf_token_of("b")
    assert csrf_token_of("a") != session_id_of("a")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("-", "-"),
    ],
)
def test_an_ipv6_network_is_one(address: str, counted: str) -> None:
    assert counted_as(address) == counted
