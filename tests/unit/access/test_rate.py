"""The rate limit, on a clock that the test turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis.access.rate import MAX_CLIENTS, Allowance, Client, RateLimiter


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class Limit:
    """A limiter, asked from ordinary functions."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self.limiter = RateLimiter(per_minute, clock)

    def take(self, address: str, key_id: str = "key") -> Allowance:
        asked = self.limiter.take(Client(key_id, address))
        with pytest.raises(StopIteration) as ended:
            asked.send(None)  # it waits for nothing: no event loop is needed
        allowance: Allowance = ended.value.value
        return allowance


def limiter(per_minute: int) -> tuple[Limit, Clock]:
    clock = Clock()
    return Limit(per_minute, clock), clock


@pytest.mark.parametrize("per_minute", [1, 2, 3, 7, 60, 6000])
def test_as_many_as_allowed_pass_at_once(per_minute: int) -> None:
    limit, _ = limiter(per_minute)
    allowances = [limit.take("a") for _ in range(per_minute)]
    assert all(allowance.allowed for allowance in allowances)
    assert [allowance.remaining for allowance in allowances] == list(range(per_minute))[::-1]
    refused = limit.take("a")
    assert (refused.allowed, refused.remaining, refused.limit) == (False, 0, per_minute)


def test_refill_is_steady() -> None:
    limit, clock = limiter(6)
    for _ in range(6):
        limit.take("a")
    for _ in range(20):
        assert not limit.take("a").allowed
        clock.seconds += 10
        assert limit.take("a").allowed


def test_retry_after_is_when_one_more_passes() -> None:
    limit, clock = limiter(2)
    limit.take("a"), limit.take("a")
    refused = limit.take("a")
    assert refused.retry_after_s == 30
    clock.seconds += refused.retry_after_s - 1
    assert not limit.take("a").allowed
    clock.seconds += 1
    assert limit.take("a").allowed


def test_refused_requests_do_not_prolong_the_wait() -> None:
    limit, clock = limiter(1)
    limit.take("a")
    for _ in range(100):
        assert limit.take("a").retry_after_s == 60
    clock.seconds += 60
    assert limit.take("a").allowed


def test_clients_do_not_share() -> None:
    limit, _ = limiter(1)
    assert limit.take("10.0.0.1").allowed
    assert limit.take("10.0.0.2").allowed
    assert limit.take("10.0.0.1", "other").allowed
    assert not limit.take("10.0.0.1").allowed


def test_no_limit() -> None:
    limit, _ = limiter(0)
    assert not limit.limiter.is_on
    assert limiter(1)[0].limiter.is_on


def test_idle_clients_are_forgotten() -> None:
    limit, clock = limiter(1)
    for number in range(MAX_CLIENTS):
        limit.take(str(number))
    clock.seconds += 61
    limit.take("one more")
    assert len(limit.limiter._empty_at) == 1


@given(st.integers(1, 50), st.lists(st.floats(0, 90), max_size=60))
def test_no_minute_sees_more_than_twice_the_limit(per_minute: int, pauses: list[float]) -> None:
    """A full bucket and what refills while it is used, and never a request more."""
    limit, clock = limiter(per_minute)
    passed = []
    for pause in pauses:
        clock.seconds += pause
        for _ in range(per_minute + 1):
            allowance = limit.take("a")
            assert 0 <= allowance.remaining < per_minute
            assert allowance.allowed == (allowance.retry_after_s == 0)
            if allowance.allowed:
                passed.append(clock.seconds)
    for begin in passed:
        within = [moment for moment in passed if begin <= moment < begin + 60]
        assert len(within) <= 2 * per_minute
