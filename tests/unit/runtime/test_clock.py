"""The business clock: laws of an anchor."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runtime.clock import Anchor

EPOCH = datetime(2026, 3, 13, tzinfo=UTC)
MOMENTS = st.integers(-(10**6), 10**6).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
RATES = st.sampled_from([1.0, 2.0, 0.5, 60.0, 3600.0])
ANCHORS = st.builds(Anchor, MOMENTS, MOMENTS, RATES)
SLACK = timedelta(milliseconds=1)


@given(ANCHORS)
def test_the_anchor_itself_is_one_moment_on_both_clocks(anchor: Anchor) -> None:
    assert anchor.business(anchor.database_time) == anchor.business_time
    assert anchor.database(anchor.business_time) == anchor.database_time


@given(ANCHORS, MOMENTS)
def test_there_and_back_is_the_same_moment(anchor: Anchor, moment: datetime) -> None:
    assert abs(anchor.business(anchor.database(moment)) - moment) <= SLACK * anchor.rate


@given(ANCHORS, MOMENTS, MOMENTS)
def test_neither_clock_runs_backwards(anchor: Anchor, one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    assert anchor.business(earlier) <= anchor.business(later)
    assert anchor.database(earlier) <= anchor.database(later)


@given(ANCHORS, MOMENTS, st.integers(0, 10**6))
def test_the_business_clock_goes_rate_times_as_fast(anchor: Anchor, moment: datetime, seconds: int) -> None:
    passed = anchor.business(moment + timedelta(seconds=seconds)) - anchor.business(moment)
    assert abs(passed - timedelta(seconds=seconds) * anchor.rate) <= SLACK


@given(MOMENTS, MOMENTS)
def test_at_rate_one_the_clocks_keep_their_distance(moment: datetime, start: datetime) -> None:
    assert Anchor(start, start, 1.0).business(moment) == moment
