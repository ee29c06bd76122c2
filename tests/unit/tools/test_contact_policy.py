"""When a customer may be contacted: samples of the next permitted moment, and the laws it keeps."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.calendar import Calendar, DayKind, Override
from tools.contact_policy.policy import ALL_DAY, ALWAYS_OPEN, STANDARD, ContactPolicy
from tools.contact_policy.window import next_permitted, obstacle

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINA = Calendar()
AMERICA = Calendar("US")


def shanghai(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def permitted_from(
    at: datetime,
    *history: datetime,
    zone: ZoneInfo = SHANGHAI,
    policy: ContactPolicy = STANDARD,
    calendar: Calendar = CHINA,
    number_history: tuple[datetime, ...] = (),
) -> datetime:
    found = next_permitted(
        at,
        history=history,
        zone=zone,
        policy=policy,
        calendar=calendar,
        number_history=number_history,
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(
            shanghai(3, 13, 21), shanghai(3, 14, 10), id="Friday evening waits for Saturday's window"
        ),
        pytest.param(shanghai(2, 15, 11), shanghai(2, 24, 9), id="the Spring Festival is skipped whole"),
        pytest.param(shanghai(9, 30, 21), shanghai(10, 8, 9), id="the National Day's week is skipped whole"),
        pytest.param(shanghai(10, 10, 9), shanghai(10, 10, 9), id="a make-up Saturday opens at nine"),
        pytest.param(
            shanghai(10, 10, 19), shanghai(10, 10, 19), id="a make-up Saturday is open in the evening"
        ),
        pytest.param(shanghai(3, 14, 19), shanghai(3, 15, 10), id="a plain Saturday closes at six"),
        pytest.param(shanghai(3, 16, 9), shanghai(3, 16, 9), id="a window holds its first moment"),
        pytest.param(shanghai(3, 16, 12), shanghai(3, 16, 14), id="a window does not hold its last moment"),
        pytest.param(shanghai(3, 16, 13), shanghai(3, 16, 14), id="lunch is left alone"),
        pytest.param(shanghai(3, 16, 20), shanghai(3, 17, 9), id="the evening ends at eight"),
        pytest.param(
            shanghai(6, 21, 11), shanghai(6, 22, 9), id="a Sunday that joins a holiday belongs to it"
        ),
    ],
)
def test_the_next_permitted_moment_is(at: datetime, expected: datetime) -> None:
    assert permitted_from(at) == expected


def test_the_answer_is_in_utc() -> None:
    assert permitted_from(shanghai(3, 16, 8)).tzinfo is UTC


def test_a_second_contact_waits_for_the_gap() -> None:
    assert permitted_from(shanghai(3, 16, 10), shanghai(3, 16, 10)) == shanghai(3, 16, 14)


def test_a_gap_that_ends_within_a_window_is_not_rounded_up() -> None:
    assert permitted_from(shanghai(3, 16, 11), shanghai(3, 16, 11, 30)) == shanghai(3, 16, 15, 30)


def test_a_third_contact_waits_for_the_next_day() -> None:
    assert permitted_from(shanghai(3, 16, 15), shanghai(3, 16, 9), shanghai(3, 16, 14)) == shanghai(3, 17, 9)


def test_the_daily_cap_counts_the_customers_days() -> None:
    late_in_utc = (datetime(2026, 3, 15, 23, tzinfo=UTC), datetime(2026, 3, 16, 3, tzinfo=UTC))
    assert permitted_from(shanghai(3, 16, 16), *late_in_utc) == shanghai(3, 17, 9)


def test_a_number_called_five_times_in_an_hour_rests() -> None:
    calls = tuple(shanghai(3, 16, 9, minute) for minute in (0, 10, 20, 30, 40))
    assert permitted_from(shanghai(3, 16, 9, 45), number_history=calls) == shanghai(3, 16, 10)


def test_a_number_called_twenty_times_rests_a_day() -> None:
    calls = tuple(shanghai(3, 16, 9) + timedelta(minutes=15 * number) for number in range(20))
    assert permitted_from(shanghai(3, 16, 19), number_history=calls) == shanghai(3, 17, 9)


def test_an_override_closes_a_working_day() -> None:
    closed = Calendar(overrides=[Override(date(2026, 3, 16), DayKind.OFF, "company day")])
    assert permitted_from(shanghai(3, 16, 9), calendar=closed) == shanghai(3, 17, 9)


def test_weekends_without_windows_are_skipped() -> None:
    weekdays_only = replace(STANDARD, weekend_windows=())
    assert permitted_from(shanghai(3, 13, 21), policy=weekdays_only) == shanghai(3, 16, 9)


def test_always_open_permits_a_holidays_midnight_right_after_a_contact() -> None:
    midnight = shanghai(2, 17)
    assert permitted_from(midnight, midnight, midnight, midnight, policy=ALWAYS_OPEN) == midnight


def test_a_year_of_holidays_permits_no_moment_and_is_no_endless_search() -> None:
    closed = [Override(date(2026, 3, 1) + timedelta(days=n), DayKind.OFF, "closed") for n in range(200)]
    calendar = Calendar(overrides=closed)
    assert (
        next_permitted(shanghai(3, 16), history=(), zone=SHANGHAI, policy=STANDARD, calendar=calendar) is None
    )


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        permitted_from(datetime(2026, 3, 16, 9))  # noqa: DTZ001 - a naive moment is the point


def test_the_gap_is_four_real_hours_over_the_change_to_summer_time() -> None:
    new_york = ZoneInfo("America/New_York")
    before = datetime(2026, 3, 8, 1, 30, tzinfo=new_york)
    open_nights = replace(STANDARD, weekend_windows=ALL_DAY)
    after = next_permitted(before, history=[before], zone=new_york, policy=open_nights, calendar=AMERICA)
    assert after == datetime(2026, 3, 8, 6, 30, tzinfo=new_york)


ZONES = st.sampled_from(
    [
        (ZoneInfo("Asia/Shanghai"), CHINA),
        (ZoneInfo("Asia/Urumqi"), CHINA),
        (ZoneInfo("America/New_York"), AMERICA),
        (ZoneInfo("Australia/Lord_Howe"), AMERICA),
        (ZoneInfo("America/Santiago"), AMERICA),
    ]
)
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
HISTORIES = st.lists(st.timedeltas(timedelta(days=-3), timedelta(hours=12)), max_size=8)
POLICIES = st.sampled_from(
    [STANDARD, ALWAYS_OPEN, replace(STANDARD, weekend_windows=()), STANDARD.with_timing_by_caller()]
)


def history_around(at: datetime, distances: list[timedelta]) -> list[datetime]:
    return [at + distance for distance in distances]


@settings(max_examples=300, deadline=None)
@given(at=MOMENTS, distances=HISTORIES, of_number=HISTORIES, where=ZONES, policy=POLICIES)
def test_the_next_permitted_moment_keeps_every_rule(
    at: datetime,
    distances: list[timedelta],
    of_number: list[timedelta],
    where: tuple[ZoneInfo, Calendar],
    policy: ContactPolicy,
) -> None:
    zone, calendar = where
    history, calls = history_around(at, distances), history_around(at, of_number)

    def answer(moment: datetime) -> datetime:
        return permitted_from(
            moment,
            *history,
            zone=zone,
            policy=policy,
            calendar=calendar,
            number_history=tuple(calls),
        )

    found = answer(at)
    local = found.astimezone(zone)
    assert found >= at
    assert answer(found) == found
    assert all(found - contact >= policy.gap for contact in history)
    if policy.max_per_day is not None:
        assert (
            sum(contact.astimezone(zone).date() == local.date() for contact in history) < policy.max_per_day
        )
    for cap in policy.number_caps:
        assert sum(call > found - cap.period for call in calls) < cap.limit
    assert policy.contact_on_holidays or not calendar.is_holiday(local.date())
    weekend = local.weekday() >= 5 and not calendar.is_working_weekend(local.date())
    windows = policy.weekend_windows if weekend else policy.working_day_windows
    assert any(w.opens <= local.time() and (w.closes == time(0) or local.time() < w.closes) for w in windows)


@settings(max_examples=150, deadline=None)
@given(at=MOMENTS, later_by=st.timedeltas(timedelta(0), timedelta(days=20)), distances=HISTORIES, where=ZONES)
def test_a_later_wish_never_has_an_earlier_answer(
    at: datetime,
    later_by: timedelta,
    distances: list[timedelta],
    where: tuple[ZoneInfo, Calendar],
) -> None:
    zone, calendar = where
    history = history_around(at, distances)
    first, second = (
        permitted_from(moment, *history, zone=zone, calendar=calendar) for moment in (at, at + later_by)
    )
    assert first <= second


@settings(max_examples=150, deadline=None)
@given(at=MOMENTS, distances=HISTORIES, where=ZONES)
def test_a_moment_has_an_obstacle_exactly_when_it_is_not_its_own_answer(
    at: datetime,
    distances: list[timedelta],
    where: tuple[ZoneInfo, Calendar],
) -> None:
    zone, calendar = where
    history = history_around(at, distances)
    found = permitted_from(at, *history, zone=zone, calendar=calendar)
    reason = obstacle(at, history=history, zone=zone, policy=STANDARD, calendar=calendar)
    assert (reason is None) == (found == at)


@settings(max_examples=150, deadline=None)
@given(at=MOMENTS, distances=HISTORIES, where=ZONES, minutes=st.integers(1, 6 * 24 * 60))
def test_no_earlier_moment_is_permitted(
    at: datetime,
    distances: list[timedelta],
    where: tuple[ZoneInfo, Calendar],
    minutes: int,
) -> None:
    zone, calendar = where
    history = history_around(at, distances)
    found = permitted_from(at, *history, zone=zone, calendar=calendar)
    earlier = found - timedelta(minutes=minutes)
    if earlier >= at:
        assert obstacle(earlier, history=history, zone=zone, policy=STANDARD, calendar=calendar) is not None
