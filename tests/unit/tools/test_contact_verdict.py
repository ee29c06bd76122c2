"""Whether a customer may be contacted now, and by which channel."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from schemas.contact import Channel, ContactResult
from tools.calendar import Calendar
from tools.contact_policy.ladder import channel_for
from tools.contact_policy.policy import STANDARD
from tools.contact_policy.verdict import (
    SENTENCES,
    Bar,
    Deferred,
    Forbidden,
    NumberStanding,
    Permitted,
    Verdict,
    may_contact_now,
)
from tools.contact_policy.window import Obstacle

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINA = Calendar()


def shanghai(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def verdict(at: datetime, *history: datetime, **facts: object) -> Verdict:
    ask: Callable[..., Verdict] = may_contact_now
    given_facts = {"channel": Channel.PHONE, "zone": SHANGHAI, "policy": STANDARD, "calendar": CHINA} | facts
    return ask(at, history=history, **given_facts)


WORKING_MORNING = shanghai(3, 16, 10)


def test_an_open_moment_is_permitted() -> None:
    assert verdict(WORKING_MORNING) == Permitted()


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
    assert verdict(at, *history) == Deferred(until, reason)


def test_a_number_just_called_for_another_order_is_deferred_a_minute() -> None:
    answer = verdict(WORKING_MORNING, number_history=[WORKING_MORNING])
    assert answer == Deferred(shanghai(3, 16, 10, 1), Obstacle.NUMBER_CAP)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"do_not_call": True}, Bar.DO_NOT_CALL),
        ({"do_not_call": True, "channel": Channel.IM}, Bar.DO_NOT_CALL),
        ({"number": NumberStanding.NO_VOICE}, Bar.NO_VOICE),
        ({"number": NumberStanding.NOT_CALLABLE}, Bar.NOT_CALLABLE),
        ({"number": NumberStanding.NOT_CALLABLE, "channel": Channel.SMS}, Bar.NOT_CALLABLE),
        ({"attempt": 5}, Bar.ATTEMPTS_EXHAUSTED),
    ],
)
def test_what_waiting_does_not_mend_is_forbidden(facts: dict[str, object], reason: Bar) -> None:
    assert verdict(WORKING_MORNING, **facts) == Forbidden(reason)


@pytest.mark.parametrize(
    "facts",
    [
        {"number": NumberStanding.NO_VOICE, "channel": Channel.SMS},
        {"number": NumberStanding.NOT_CALLABLE, "channel": Channel.IM},
        {"attempt": 4},
    ],
)
def test_a_bar_holds_only_where_it_matters(facts: dict[str, object]) -> None:
    assert verdict(WORKING_MORNING, **facts) == Permitted()


def test_what_forbids_is_told_before_what_defers() -> None:
    assert verdict(shanghai(2, 17, 3), do_not_call=True) == Forbidden(Bar.DO_NOT_CALL)


def test_timing_by_the_caller_keeps_the_caps() -> None:
    night = shanghai(2, 17, 3)
    by_caller = STANDARD.with_timing_by_caller()
    assert verdict(night, night, policy=by_caller) == Permitted()
    assert verdict(night, night, night, policy=by_caller) == Deferred(shanghai(2, 18), Obstacle.DAILY_CAP)


@pytest.mark.parametrize("reason", [*Obstacle, *Bar])
def test_every_reason_has_a_sentence_for_people(reason: Obstacle | Bar) -> None:
    assert len(SENTENCES[reason].split()) > 3


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
