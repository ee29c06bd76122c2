"""The last moments of a cron line in a span: those that walking forward names, whatever the clocks of a zone do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.core.times.cron import CronExpression
from schemas.core.times.cron_moments import last_moments, next_moment

ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia")
SPAN = datetime.fromisoformat("2005-01-01"), datetime.fromisoformat("2035-01-01")
expressions = st.builds(
    "{} {} {} * {}".format,
    st.sampled_from(["0", "30", "*/15", "5,45", "*"]),
    st.sampled_from(["*", "1", "2", "0-3", "1,2,3", "10", "23"]),
    st.sampled_from(["*", "1", "L", "*/2"]),
    st.sampled_from(["*", "0", "1-5", "SUN"]),
).map(CronExpression.read)


@settings(max_examples=200)
@given(
    expression=expressions,
    zone=st.sampled_from([ZoneInfo(name) for name in ZONES]),
    start=st.datetimes(*SPAN, timezones=st.just(UTC)),
    hours=st.integers(0, 60),
    most=st.integers(1, 40),
)
def test_the_last_moments_of_a_span_are_the_end_of_those_walked_forward(
    expression: CronExpression, zone: ZoneInfo, start: datetime, hours: int, most: int
) -> None:
    until = start + timedelta(hours=hours)
    walked: list[datetime] = []
    moment = next_moment(expression, zone, start)
    while moment is not None and moment <= until:
        walked.append(moment)
        moment = next_moment(expression, zone, moment)
    assert last_moments(expression, zone, after=start, until=until, most=most) == walked[-most:]


@pytest.mark.parametrize(
    ("zone", "cron", "day", "due"),
    [
        # 02:30 does not exist: due as the clocks leap from 02:00 to 03:00, that is at 07:00 UTC.
        ("America/New_York", "30 2 * * *", (2026, 3, 8), [(2026, 3, 8, 7, 0)]),
        # The whole hour does not exist: its four times are one.
        ("America/New_York", "*/15 2 * * *", (2026, 3, 8), [(2026, 3, 8, 7, 0)]),
        # 01:30 is shown twice, at 05:30 and at 06:30 UTC: due the first time.
        ("America/New_York", "30 1 * * *", (2026, 11, 1), [(2026, 11, 1, 5, 30)]),
        # A whole day that Samoa left out: due as the clocks leap over it, and on the next day.
        ("Pacific/Apia", "0 10 * * *", (2011, 12, 30), [(2011, 12, 30, 10, 0), (2011, 12, 30, 20, 0)]),
    ],
)
def test_a_time_that_does_not_exist_is_due_at_the_leap_and_one_shown_twice_the_first_time(
    zone: str, cron: str, day: tuple[int, int, int], due: list[tuple[int, int, int, int, int]]
) -> None:
    start = datetime(*day, tzinfo=UTC) + timedelta(minutes=30)
    found = last_moments(
        CronExpression.read(cron), ZoneInfo(zone), after=start, until=start + timedelta(days=1), most=10
    )
    assert found == [datetime(*moment, tzinfo=UTC) for moment in due]
