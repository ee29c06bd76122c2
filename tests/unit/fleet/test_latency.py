"""The load's arithmetic: percentiles, counts of answers, and when requests are due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.arrivals import arrivals
from bench.latency import Answers, percentile

SOME = st.lists(st.floats(0, 1e6), min_size=1).map(sorted)
SHARES = st.floats(0, 1, exclude_min=True)


@given(SOME, SHARES)
def test_a_percentile_is_reached_by_its_share_of_the_figures(figures: list[float], share: float) -> None:
    found = percentile(figures, share)
    assert sum(figure <= found for figure in figures) >= share * len(figures)


@given(SOME, SHARES)
def test_fewer_than_its_share_lie_below_a_percentile(figures: list[float], share: float) -> None:
    found = percentile(figures, share)
    assert sum(figure < found for figure in figures) < share * len(figures)


def test_the_99th_percentile_of_a_hundred_figures_is_the_99th() -> None:
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0


@pytest.mark.parametrize(("figures", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_a_percentile_of_nothing_or_of_an_impossible_share_is_refused(
    figures: list[float], share: float
) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(figures, share)


def test_answers_tell_their_times_in_milliseconds_whatever_their_order() -> None:
    answers = Answers()
    for seconds in (0.004, 0.001, 0.003, 0.002):
        answers.note(seconds, "200")
    assert answers.milliseconds() == pytest.approx((2.0, 4.0, 4.0, 4.0))


def test_answers_that_were_not_expected_are_counted_by_code() -> None:
    answers = Answers()
    for code in ("200", "503", "broken", "503"):
        answers.note(0.001, code)
    assert answers.others() == {"503": 2, "broken": 1}


@given(st.floats(1, 500), st.floats(0.1, 20), st.integers(0, 2**32))
def test_requests_are_due_in_order_and_within_the_time(rate: float, seconds: float, seed: int) -> None:
    moments = list(arrivals(rate, seconds, seed=seed))
    assert moments == sorted(moments)
    assert all(0 < moment < seconds for moment in moments)


def test_the_same_seed_makes_the_same_load() -> None:
    assert list(arrivals(100, 5, seed=3)) == list(arrivals(100, 5, seed=3))


def test_another_seed_makes_another_load() -> None:
    assert list(arrivals(100, 5, seed=3)) != list(arrivals(100, 5, seed=4))


def test_as_many_requests_are_due_as_the_rate_says() -> None:
    # Ten thousand expected: the count of a Poisson process strays from it by a hundred, rarely by four.
    assert abs(len(list(arrivals(200, 50, seed=1))) - 10_000) < 400
