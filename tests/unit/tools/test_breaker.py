"""The circuit breaker before the language model's endpoint."""

import pytest

from tools.language_model.breaker import FAILURES_TO_OPEN, OPEN_SECONDS, CircuitBreaker


class Clock:
    """Monotonic seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def admitted(breaker: CircuitBreaker, times: int) -> list[bool]:
    return [breaker.admits() for _ in range(times)]


def fail(breaker: CircuitBreaker, times: int = FAILURES_TO_OPEN) -> None:
    for _ in range(times):
        breaker.note(answered=False)


def test_a_breaker_stays_shut_while_failures_are_not_in_a_row() -> None:
    breaker = CircuitBreaker(Clock())
    for _ in range(3):
        fail(breaker, FAILURES_TO_OPEN - 1)
        breaker.note(answered=True)
    assert (admitted(breaker, 2), breaker.is_open) == ([True, True], False)


def test_an_open_breaker_lets_one_question_through_when_its_time_is_over() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    fail(breaker)
    clock.now += OPEN_SECONDS - 0.1
    assert (admitted(breaker, 1), breaker.is_open) == ([False], True)
    clock.now += 0.1
    assert admitted(breaker, 3) == [True, False, False]


@pytest.mark.parametrize(("answered", "then"), [(True, True), (False, False)])
def test_the_trial_decides_whether_the_breaker_shuts(answered: bool, then: bool) -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    fail(breaker)
    clock.now += OPEN_SECONDS
    assert admitted(breaker, 1) == [True]
    breaker.note(answered=answered)
    assert admitted(breaker, 2) == [then, then]
