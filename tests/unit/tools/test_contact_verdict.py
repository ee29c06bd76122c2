"""Whether a customer may be contacted now, and by which channel."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.orders.contact import Channel, ContactResult
from tools.calendar import Calendar, DayKind, Override
from tools.contact_policy.ladder import channel_for
from tools.contact_policy.permission import (
    SENTENCES,
    Attempt,
    ContactPermission,
    Deferred,
    Forbidden,
    ForbiddenReason,
    Permitted,
    Withheld,
    budget_of,
    may_contact_now,
)
from tools.contact_policy.policy import ALWAYS_OPEN, STANDARD, ContactPolicy, DailyBudget
from tools.contact_policy.stops import EmergencyStop
from tools.contact_policy.window import Obstacle

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINA = Calendar()
BY_PHONE = Permitted(Channel.PHONE)
EVERYTHING = EmergencyStop(None, None, "线路故障")


def shanghai(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def verdict(
    at: datetime,
    *own: datetime,
    policy: ContactPolicy = STANDARD,
    calendar: Calendar = CHINA,
    **facts: Any,
) -> ContactPermission:
    attempt = Attempt(at=at, zone=SHANGHAI, own=own, **facts)
    return may_contact_now(attempt, policy=policy, calendar=calendar)


WORKING_MORNING = shanghai(3, 16, 10)


def test_an_open_moment_is_permitted() -> None:
    assert verdict(WORKING_MORNING) == BY_PHONE


@pytest.mark.parametrize(
    ("at", "history", "reason", "until"),
    [
        (shanghai(3, 16, 13), (), Obstacle.OUTSIDE_WINDOW, shanghai(3, 16, 14)),
        (shanghai(2, 17, 10), (), Obstacle.HOLIDAY, shanghai(2, 24, 9)),
        (shanghai(3, 16, 11), (shanghai(3, 16, 9),), Obstacle.GAP, shanghai(3, 16, 14)),
        (
            shanghai(3, 16, 19),
            (shanghai(3, 16, 9), shanghai(3, 16, 14)),
            Obstacle.DAILY_CAP,
            shanghai(3, 17, 9),
        ),
    ],
)
def test_what_only_waiting_mends_is_deferred(
    at: datetime,
    history: tuple[datetime, ...],
    reason: Obstacle,
    until: datetime,
) -> None:
    assert verdict(at, *history) == Deferred(Channel.PHONE, until, reason)


def test_a_number_just_called_for_another_order_is_deferred_a_minute() -> None:
    answer = verdict(WORKING_MORNING, of_number=[WORKING_MORNING])
    assert answer == Deferred(Channel.PHONE, shanghai(3, 16, 10, 1), Obstacle.NUMBER_CAP)


def test_a_channel_whose_budget_is_used_waits_for_the_next_day() -> None:
    frugal = replace(STANDARD, daily_budgets=(DailyBudget(Channel.PHONE, 3),))
    assert verdict(WORKING_MORNING, policy=frugal, spent={Channel.PHONE: 2}) == BY_PHONE
    assert verdict(WORKING_MORNING, policy=frugal, spent={Channel.PHONE: 3}) == Deferred(
        Channel.PHONE, shanghai(3, 17, 9), Obstacle.BUDGET
    )
    assert verdict(WORKING_MORNING, policy=frugal, spent={Channel.SMS: 9}) == BY_PHONE


@pytest.mark.parametrize(
    ("barred", "wanted", "expected"),
    [
        ({Channel.PHONE}, None, Permitted(Channel.SMS)),
        ({Channel.PHONE, Channel.SMS}, None, Permitted(Channel.IM)),
        ({Channel.SMS}, None, BY_PHONE),
        ({Channel.SMS}, Channel.SMS, Forbidden(ForbiddenReason.DO_NOT_CALL, Channel.SMS)),
        ({Channel.PHONE}, Channel.IM, Permitted(Channel.IM)),
        (set(Channel), None, Forbidden(ForbiddenReason.DO_NOT_CALL, Channel.PHONE)),
        ({None}, None, Forbidden(ForbiddenReason.DO_NOT_CALL, Channel.PHONE)),
        ({None, Channel.SMS}, Channel.IM, Forbidden(ForbiddenReason.DO_NOT_CALL, Channel.IM)),
    ],
)
def test_what_the_do_not_call_list_bars_is_not_used(
    barred: set[Channel | None], wanted: Channel | None, expected: ContactPermission
) -> None:
    assert verdict(WORKING_MORNING, barred=frozenset(barred), wanted=wanted) == expected


def test_a_fifth_attempt_of_four_is_forbidden() -> None:
    assert verdict(WORKING_MORNING, number=4) == Permitted(Channel.IM)
    assert verdict(WORKING_MORNING, number=5) == Forbidden(ForbiddenReason.ATTEMPTS_EXHAUSTED, Channel.IM)


def test_no_channel_is_left_when_voice_ended_and_there_is_nothing_else() -> None:
    calls_only = replace(STANDARD, channels=(Channel.PHONE,) * 4)
    answer = verdict(WORKING_MORNING, policy=calls_only, results=[ContactResult.INVALID_NUMBER])
    assert answer == Forbidden(ForbiddenReason.NO_CHANNEL_LEFT)


def test_a_policy_that_permits_no_time_at_all_is_told_and_not_an_error() -> None:
    closed = [Override(WORKING_MORNING.date() + timedelta(days=n), DayKind.OFF, "closed") for n in range(99)]
    answer = verdict(WORKING_MORNING, calendar=Calendar(overrides=closed))
    assert answer == Forbidden(ForbiddenReason.NO_PERMITTED_TIME, Channel.PHONE)


def test_what_forbids_is_told_before_what_defers_and_that_before_a_stop() -> None:
    night, everyone = shanghai(2, 17, 3), frozenset({None})
    assert verdict(night, barred=everyone, stops=[EVERYTHING]) == Forbidden(
        ForbiddenReason.DO_NOT_CALL, Channel.PHONE
    )
    assert isinstance(verdict(night, stops=[EVERYTHING]), Deferred)
    assert verdict(WORKING_MORNING, stops=[EVERYTHING]) == Withheld(Channel.PHONE, EVERYTHING)


def test_timing_by_the_caller_keeps_the_caps() -> None:
    night = shanghai(2, 17, 3)
    by_caller = STANDARD.with_timing_by_caller()
    assert verdict(night, night, policy=by_caller) == BY_PHONE
    assert verdict(night, night, night, policy=by_caller) == Deferred(
        Channel.PHONE, shanghai(2, 18), Obstacle.DAILY_CAP
    )


@pytest.mark.parametrize("reason", [*Obstacle, *ForbiddenReason])
def test_every_reason_has_a_sentence_for_people(reason: Obstacle | ForbiddenReason) -> None:
    assert len(SENTENCES[reason].split()) > 3


@pytest.mark.parametrize(
    ("stopped", "region", "held"),
    [
        (None, None, True),
        ("上海市", None, False),
        ("上海市", "上海", True),
        ("上海", "上海市", True),
        ("上海市", "上海市浦东新区", True),
        ("上海市", "上海浦东新区", True),
        ("上海市浦东新区", "上海市", False),
        ("上海市", " 上海 ", True),
        ("广西壮族自治区", "广西", True),
        ("广西", "广西壮族自治区南宁市", True),
        ("内蒙古自治区", "内蒙古呼和浩特市", True),
        ("浦东新区", "浦东", True),
        ("吉林市", "吉林省长春市", False),
        ("朝阳区", "朝阳市", False),
        ("上海市", "北京市", False),
        ("市区", "市", False),
    ],
)
def test_a_stop_of_a_region_holds(stopped: str | None, region: str | None, held: bool) -> None:
    assert EmergencyStop(None, stopped, "x").covers_region(region) is held


def test_a_stop_of_a_channel_holds_that_channel_only() -> None:
    stop = EmergencyStop(Channel.SMS, None, "x")
    assert [stop.covers(channel, None) for channel in Channel] == [
        channel is Channel.SMS for channel in Channel
    ]


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
DISTANCES = st.lists(st.timedeltas(timedelta(days=-2), timedelta(0)), max_size=6)
CHANNELS = st.sampled_from(Channel)
POLICIES = st.sampled_from(
    [
        STANDARD,
        ALWAYS_OPEN,
        STANDARD.with_timing_by_caller(),
        replace(STANDARD, daily_budgets=(DailyBudget(Channel.PHONE, 2), DailyBudget(Channel.SMS, 0))),
    ]
)
STOPS = st.lists(
    st.builds(
        EmergencyStop,
        st.none() | CHANNELS,
        st.none() | st.sampled_from(["上海", "北京市", "广西"]),
        st.just("x"),
    ),
    max_size=2,
)


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    """Attempts with anything against them."""
    at = draw(MOMENTS)
    return Attempt(
        at=at,
        zone=draw(st.sampled_from([SHANGHAI, ZoneInfo("Asia/Urumqi"), ZoneInfo("America/New_York")])),
        number=draw(st.integers(1, 6)),
        results=draw(st.lists(st.sampled_from(ContactResult), max_size=3)),
        own=[at + distance for distance in draw(DISTANCES)],
        of_number=[at + distance for distance in draw(DISTANCES)],
        wanted=draw(st.none() | CHANNELS),
        barred=draw(st.frozensets(st.none() | CHANNELS, max_size=3)),
        stops=draw(STOPS),
        region=draw(st.none() | st.sampled_from(["上海市", "北京", "广西壮族自治区桂林市"])),
        spent=draw(st.dictionaries(CHANNELS, st.integers(0, 3))),
    )


@settings(max_examples=400, deadline=None)
@given(attempt=attempts(), policy=POLICIES)
def test_what_is_permitted_keeps_every_rule(attempt: Attempt, policy: ContactPolicy) -> None:
    answer = may_contact_now(attempt, policy=policy, calendar=CHINA)
    if not isinstance(answer, Permitted):
        return
    local = attempt.at.astimezone(attempt.zone)
    weekend = local.weekday() >= 5 and not CHINA.is_working_weekend(local.date())
    windows = policy.weekend_windows if weekend else policy.working_day_windows
    budget = budget_of(policy, answer.channel)
    assert attempt.barred.isdisjoint({None, answer.channel})
    assert attempt.wanted in (None, answer.channel)
    assert attempt.number <= attempt.most
    assert not any(stop.covers(answer.channel, attempt.region) for stop in attempt.stops)
    assert budget is None or attempt.spent.get(answer.channel, 0) < budget
    assert all(attempt.at - contact >= policy.gap for contact in attempt.own)
    assert policy.contact_on_holidays or not CHINA.is_holiday(local.date())
    assert any(w.opens <= local.time() and (w.closes == time(0) or local.time() < w.closes) for w in windows)
    for cap in policy.number_caps:
        assert sum(call > attempt.at - cap.period for call in attempt.of_number) < cap.limit
    if policy.max_per_day is not None:
        assert (
            sum(c.astimezone(attempt.zone).date() == local.date() for c in attempt.own) < policy.max_per_day
        )


@settings(max_examples=400, deadline=None)
@given(attempt=attempts(), policy=POLICIES)
def test_what_is_deferred_is_permitted_at_its_time_unless_a_stop_holds_it(
    attempt: Attempt, policy: ContactPolicy
) -> None:
    answer = may_contact_now(attempt, policy=policy, calendar=CHINA)
    if not isinstance(answer, Deferred):
        return
    assert answer.until > attempt.at
    spent = {} if answer.reason is Obstacle.BUDGET or attempt.spent else attempt.spent
    later = may_contact_now(replace(attempt, at=answer.until, spent=spent), policy=policy, calendar=CHINA)
    if budget_of(policy, answer.channel) == 0:
        assert isinstance(later, Deferred)
    else:
        assert isinstance(later, Permitted | Withheld)
        assert later.channel is answer.channel


@settings(max_examples=200, deadline=None)
@given(attempt=attempts(), policy=POLICIES, later_by=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_what_is_forbidden_stays_so_however_long_one_waits(
    attempt: Attempt, policy: ContactPolicy, later_by: timedelta
) -> None:
    answer = may_contact_now(attempt, policy=policy, calendar=CHINA)
    if isinstance(answer, Forbidden):
        later = replace(attempt, at=attempt.at + later_by)
        assert may_contact_now(later, policy=policy, calendar=CHINA) == answer


@pytest.mark.parametrize(
    ("attempt", "outcomes", "expected"),
    [
        (1, [], Channel.PHONE),
        (2, [ContactResult.NO_ANSWER], Channel.PHONE),
        (3, [ContactResult.NO_ANSWER, ContactResult.BUSY], Channel.SMS),
        (4, [ContactResult.NO_ANSWER, ContactResult.BUSY, ContactResult.DELIVERED], Channel.IM),
        (2, [ContactResult.INVALID_NUMBER], Channel.SMS),
        (1, [ContactResult.SUSPENDED_NUMBER], Channel.SMS),
        (9, [], Channel.IM),
    ],
)
def test_the_channel_of_an_attempt_is(attempt: int, outcomes: list[ContactResult], expected: Channel) -> None:
    assert channel_for(attempt, outcomes) is expected


def test_a_masked_number_leaves_im_alone() -> None:
    assert channel_for(1, barred={Channel.PHONE, Channel.SMS}) is Channel.IM


def test_a_barred_last_rung_falls_back_to_the_one_before() -> None:
    assert channel_for(4, barred={Channel.IM}) is Channel.SMS


def test_no_channel_is_left_when_all_are_barred() -> None:
    assert channel_for(1, barred=set(Channel)) is None


def test_attempts_count_from_one() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        channel_for(0)
