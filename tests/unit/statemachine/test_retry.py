"""When a failed try is repeated."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from statemachine.workflow.options.retry import NO_RETRY, RetryPolicy


def waits(policy: RetryPolicy, tries: int) -> list[float | None]:
    delays = [policy.delay(number) for number in range(1, tries + 1)]
    return [None if delay is None else delay.total_seconds() for delay in delays]


def test_the_seeds_policy_is_two_more_tries_a_second_apart() -> None:
    assert waits(RetryPolicy(), 4) == [1.0, 1.0, None, None]


def test_without_retries_the_first_failure_is_final() -> None:
    assert NO_RETRY.delay(1) is None


def test_waits_grow_by_the_backoff_to_the_longest() -> None:
    policy = RetryPolicy(max_retries=5, delay_ms=100, backoff=3, longest_delay_ms=1000)
    assert waits(policy, 6) == [0.1, 0.3, 0.9, 1.0, 1.0, None]


def test_a_first_wait_beyond_the_longest_is_kept() -> None:
    policy = RetryPolicy(max_retries=3, delay_ms=3_600_000, backoff=2)
    assert waits(policy, 4) == [3600.0, 3600.0, 3600.0, None]


def test_a_backoff_beyond_every_number_waits_the_longest() -> None:
    assert RetryPolicy(max_retries=1000, backoff=10).delay(400) == timedelta(minutes=5)


@given(st.integers(0, 100), st.integers(1, 86_400_000), st.floats(1, 10), st.integers(1, 10_000_000))
def test_waits_never_shrink_and_end_exactly_when_the_retries_do(
    retries: int, delay_ms: int, backoff: float, longest_ms: int
) -> None:
    policy = RetryPolicy(max_retries=retries, delay_ms=delay_ms, backoff=backoff, longest_delay_ms=longest_ms)
    delays = [policy.delay(tries) for tries in range(1, retries + 3)]
    given_out = [delay for delay in delays if delay is not None]
    assert delays == [*given_out, None, None]
    assert len(given_out) == retries
    assert given_out == sorted(given_out)
    assert all(
        timedelta(milliseconds=delay_ms) <= d <= timedelta(milliseconds=max(delay_ms, longest_ms))
        for d in given_out
    )
