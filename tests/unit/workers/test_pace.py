"""When a worker begins its next message: at once after a pause, a little later while few rows come fast."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.pace import FEW, Pace


@dataclass(slots=True)
class Clock:
    """A clock that stands still but for what is slept."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def pace(clock: Clock, seconds: float = 0.1) -> Pace:
    return Pace(seconds, clock=clock, sleep=clock.pass_by)


def test_the_first_message_is_begun_at_once() -> None:
    clock = Clock()
    pace(clock).keep(1)
    assert clock.slept == []


def test_a_message_of_few_rows_waits_for_the_rest_of_the_time_since_the_last_began() -> None:
    clock = Clock()
    paced = pace(clock)
    paced.keep(1)
    clock.now += 0.03
    paced.keep(FEW - 1)
    assert clock.slept == [pytest.approx(0.07)]


def test_a_message_after_a_pause_is_begun_at_once() -> None:
    clock = Clock()
    paced = pace(clock)
    paced.keep(1)
    clock.now += 0.1
    paced.keep(1)
    assert clock.slept == []


def test_a_message_of_many_rows_is_begun_at_once() -> None:
    clock = Clock()
    paced = pace(clock)
    paced.keep(1)
    paced.keep(FEW)
    assert clock.slept == []


def test_without_a_time_nothing_waits() -> None:
    clock = Clock()
    paced = pace(clock, seconds=0)
    for _ in range(5):
        paced.keep(1)
    assert clock.slept == []


@given(st.lists(st.floats(0, 0.5), max_size=30))
def test_two_small_messages_are_never_begun_closer_together_and_never_held_up_longer(
    pauses: list[float],
) -> None:
    clock = Clock()
    paced = pace(clock)
    begun: list[float] = []
    for passed in pauses:
        clock.now += passed
        came = clock.now
        paced.keep(1)
        assert clock.now - came <= 0.1 + 1e-9
        begun.append(clock.now)
    assert all(later - earlier >= 0.1 - 1e-9 for earlier, later in pairwise(begun))
