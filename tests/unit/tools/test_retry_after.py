"""Retry-After as other sides write it, and as nobody should."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.retry_after import moment_of, seconds_of

NUMBERS = st.integers(min_value=-(10**22), max_value=10**22) | st.integers(-99, 99)
DATES = st.builds(
    "{}{} {} {} {}:{}:{} {}".format,
    st.sampled_from(["", "Wed, "]),
    NUMBERS,
    st.sampled_from(["Jan", "Dec", "xyz", ""]),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.sampled_from(["GMT", "", "+0800"]) | NUMBERS.map(str),
)
"""Dates in their form and beyond their bounds."""


@given(st.text() | DATES)
def test_whatever_is_written_is_a_bounded_wait_or_none(value: str) -> None:
    seconds = seconds_of(value, at_most=60.0)
    assert seconds is None or 0.0 <= seconds <= 60.0


@pytest.mark.parametrize(
    "value", ["1 Jan 99999999999999999999 00:00:00 GMT", "1 Jan 2000 00:00:00 +99999999999999999999", "", "x"]
)
def test_a_date_that_no_clock_shows_is_no_moment(value: str) -> None:
    assert moment_of(value) is None


@given(st.integers(1, 3000))
def test_a_moment_to_come_is_as_long_a_wait(minutes: int) -> None:
    value = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    seconds = seconds_of(value, at_most=1e9)
    assert seconds is not None
    assert minutes * 60 - 30 <= seconds <= minutes * 60
