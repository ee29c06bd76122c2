"""How long the supervisor waits before it starts a dead process again."""

from hypothesis import given
from hypothesis import strategies as st

from fleet.supervisor.backoff import FAILING_DEATHS, LONGEST_DELAY, STEADY_AFTER, Backoff


@given(st.lists(st.floats(min_value=0.0, max_value=29.0), min_size=1, max_size=40))
def test_the_wait_never_shrinks_in_a_row_of_deaths_and_never_passes_ten_seconds(lives: list[float]) -> None:
    backoff, now, waits = Backoff(), 0.0, []
    for alive_for in lives:
        now += alive_for
        waits.append(backoff.died(now, alive_for))
        now += waits[-1]
    assert waits == sorted(waits)
    assert waits[0] == 0.2
    assert waits[-1] <= LONGEST_DELAY


def test_eight_deaths_in_a_row_within_a_minute_are_failing_until_it_is_steady() -> None:
    backoff, now = Backoff(), 0.0
    states: list[bool] = []
    for _ in range(FAILING_DEATHS):
        now += backoff.died(now, 0.1)
        states.append(backoff.failing)
    assert states == [False] * 7 + [True]
    assert backoff.died(now, STEADY_AFTER) == 0.2
    assert not backoff.failing


def test_eight_slow_deaths_are_not_failing() -> None:
    backoff = Backoff()
    for death in range(FAILING_DEATHS):
        backoff.died(20.0 * death, 10.0)
    assert not backoff.failing
