"""Follow-up rules: cron expressions on a customer's calendar, right across changes of the clocks, with an end."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.core.times.cron import CronExpression, MalformedCron
from schemas.core.times.cron_moments import moment_of, next_moment
from tools.recurrence.rule import (
    FollowupRule,
    OrderFollowupRule,
    next_after,
    read_order_followup_rule,
    read_rule,
)

ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe")
zones = st.sampled_from([ZoneInfo(name) for name in ZONES])
SPAN = datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2035-01-01")
moments = st.datetimes(*SPAN, timezones=st.just(UTC))
walls = st.datetimes(*SPAN).map(lambda at: at.replace(second=0, microsecond=0))
expressions = st.builds(
    "{} {} {} * {}".format,
    st.sampled_from(["0", "30", "*/15", "5,45", "*"]),
    st.sampled_from(["*", "1", "2", "0-3", "1,2,3", "10", "23"]),
    st.sampled_from(["*", "1", "L", "*/2"]),
    st.sampled_from(["*", "0", "1-5", "SUN"]),
).map(CronExpression.read)


def rule(cron: str = "0 10 * * 1", zone: str = "Asia/Shanghai", **changes: Any) -> FollowupRule:
    values: dict[str, Any] = {"until_signal": "part_arrived", "most_rounds": 12} | changes
    return FollowupRule(cron=cron, zone=zone, **values)


def local(zone: str, *fields: int) -> datetime:
    """This wall time's moment; in UTC, since moments in zones are unequal where a clock shows them twice."""
    year, month, day, hour, minute = (*fields, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@given(expression=expressions, zone=zones, moment=moments)
def test_the_next_moment_is_later_and_nothing_that_fits_lies_between(
    expression: CronExpression, zone: ZoneInfo, moment: datetime
) -> None:
    found = next_moment(expression, zone, moment)
    assert found is not None
    assert found > moment
    between = moment.astimezone(zone).replace(tzinfo=None, fold=0) - timedelta(hours=3)
    for wall in expression.after(between):
        due = moment_of(wall, zone)
        assert due <= moment or due >= found
        if due > found:
            return


@settings(max_examples=40)
@given(expression=expressions, zone=zones, moment=moments)
def test_asked_again_and_again_a_rule_never_goes_back_and_names_no_moment_twice(
    expression: CronExpression, zone: ZoneInfo, moment: datetime
) -> None:
    due = [moment]
    for _ in range(8):
        following = next_moment(expression, zone, due[-1])
        assert following is not None
        due.append(following)
    assert all(earlier < later for earlier, later in pairwise(due))


@given(wall=walls, zone=zones)
def test_a_time_the_clocks_show_is_due_when_they_first_show_it(wall: datetime, zone: ZoneInfo) -> None:
    moment = moment_of(wall, zone)
    shown = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    assert shown >= wall
    if shown == wall:
        assert moment.astimezone(zone).fold == 0
    else:
        minute_before = (moment - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None, fold=0)
        assert minute_before < wall


@given(zone=zones, year=st.integers(2020, 2034), minute=st.integers(0, 24 * 60 - 1))
@settings(max_examples=15)
def test_a_daily_rule_is_due_once_on_every_day_of_a_year(zone: ZoneInfo, year: int, minute: int) -> None:
    expression = CronExpression.read(f"{minute % 60} {minute // 60} * * *")
    moment = datetime(year, 1, 1, tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
    days: list[date] = []
    while True:
        following = next_moment(expression, zone, moment)
        assert following is not None
        moment = following
        if moment.astimezone(zone).year > year:
            break
        days.append(moment.astimezone(zone).date())
    assert days == sorted(set(days))
    assert len(days) == (date(year + 1, 1, 1) - date(year, 1, 1)).days


@pytest.mark.parametrize(
    ("zone", "cron", "after", "due"),
    [
        ("America/New_York", "30 2 * * *", (2026, 3, 8, 0, 0), (2026, 3, 8, 3, 0)),
        ("America/New_York", "30 1 * * *", (2026, 11, 1, 0, 0), (2026, 11, 1, 1, 30)),
        ("Australia/Lord_Howe", "15 2 * * *", (2026, 10, 4, 0, 0), (2026, 10, 4, 2, 30)),
        ("Asia/Shanghai", "0 10 * * 1", (2026, 3, 13, 21, 0), (2026, 3, 16, 10, 0)),
        ("Asia/Shanghai", "0 10 L * *", (2026, 2, 1, 0, 0), (2026, 2, 28, 10, 0)),
    ],
)
def test_a_time_that_is_leapt_over_moves_forward_and_one_shown_twice_is_taken_first(
    zone: str, cron: str, after: tuple[int, ...], due: tuple[int, ...]
) -> None:
    assert next_after(rule(cron, zone), local(zone, *after)) == local(zone, *due)


def test_a_time_shown_twice_is_not_due_again_in_the_repeated_hour() -> None:
    repeated = datetime(2026, 11, 1, 1, 0, fold=1, tzinfo=ZoneInfo("America/New_York"))
    due = next_after(rule("30 1 * * *", "America/New_York"), repeated)
    assert due == local("America/New_York", 2026, 11, 2, 1, 30)


def test_a_rule_ends_after_its_last_day() -> None:
    until = rule(until_signal=None, until_date=date(2026, 3, 16))
    assert next_after(until, local("Asia/Shanghai", 2026, 3, 16, 9, 59)) is not None
    assert next_after(until, local("Asia/Shanghai", 2026, 3, 16, 10, 0)) is None


def test_a_rule_ends_when_its_count_is_used() -> None:
    standing = OrderFollowupRule(rule=rule(until_signal=None, until_count=2))
    now = local("Asia/Shanghai", 2026, 3, 13)
    assert standing.leading(by_its_time=True).due_after(now) is not None
    assert standing.leading(by_its_time=True).leading(by_its_time=True).due_after(now) is None


def test_a_rule_that_a_signal_ended_is_due_no_more() -> None:
    standing = OrderFollowupRule(rule=rule()).ended("part_arrived")
    assert standing.due_after(local("Asia/Shanghai", 2026, 3, 13)) is None


@pytest.mark.parametrize(
    "end", [{"until_date": date(2026, 6, 30)}, {"until_count": 3}, {"until_signal": "part_arrived"}]
)
def test_a_stored_rule_is_read_back_as_it_was(end: dict[str, Any]) -> None:
    standing = OrderFollowupRule(rule=rule(**({"until_signal": None} | end)), used=1)
    assert read_order_followup_rule(standing.as_document()) == standing


def test_a_rule_that_names_no_zone_is_on_the_customers_clock() -> None:
    document = {"cron": "0 10 * * 1", "until": {"count": 1}, "most_rounds": 3}
    assert read_rule(document, "America/New_York").zone == "America/New_York"


def test_a_rule_says_what_it_means() -> None:
    assert rule().words == (
        "At 10:00 on Monday (Asia/Shanghai) until the signal part_arrived, 12 rounds at most"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 10 * *", "has 4 fields"),
        ("0 0 10 * * 1", "has 6 fields"),
        ("60 10 * * 1", "its minute"),
        ("0 25 * * 1", "its hour"),
        ("0 10 * 13 *", "its month"),
        ("0 10 * * MOO", "its day-of-week"),
        ("0 0 31 2 *", "its day-of-month"),
        ("*/0 * * * *", "its minute"),
    ],
)
def test_a_malformed_expression_is_refused_naming_the_field(text: str, told: str) -> None:
    with pytest.raises(MalformedCron, match=told):
        CronExpression.read(text)


@given(st.text(max_size=40) | st.from_regex(r"[0-9*/,LW#-]{1,6}( [0-9*/,LW#A-Z-]{1,6}){4}", fullmatch=True))
def test_whatever_is_written_is_read_or_refused_in_words(text: str) -> None:
    try:
        read = CronExpression.read(text)
    except MalformedCron:
        return
    assert CronExpression.read(read.text) == read
