"""May this customer be contacted now? Asked when an attempt is planned, and again when it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from schemas.contact import Channel
from tools.calendar import Calendar
from tools.contact_policy.ladder import VOICE
from tools.contact_policy.policy import ContactPolicy
from tools.contact_policy.window import Obstacle, next_permitted, obstacle

BY_NUMBER: Final = VOICE | {Channel.SMS}
"""Channels that need a phone number."""


@unique
class NumberStanding(StrEnum):
    """What is known of the customer's phone number."""

    CALLABLE = "callable"
    NO_VOICE = "no_voice"  # a call found it empty or suspended
    NOT_CALLABLE = "not_callable"  # missing, malformed or masked


@unique
class Bar(StrEnum):
    """Why a customer is not contacted however long one waits."""

    DO_NOT_CALL = "do_not_call"
    NO_VOICE = "no_voice"
    NOT_CALLABLE = "not_callable"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"


SENTENCES: Final = {
    Obstacle.GAP: "the gap since the last contact has not passed",
    Obstacle.NUMBER_CAP: "the phone number has been contacted too often lately, all orders counted",
    Obstacle.DAILY_CAP: "the customer has been contacted as often as one day allows",
    Obstacle.HOLIDAY: "it is a public holiday",
    Obstacle.OUTSIDE_WINDOW: "it is outside the hours in which customers are contacted",
    Bar.DO_NOT_CALL: "the number is on the do-not-call list",
    Bar.NO_VOICE: "the number is empty or suspended and cannot be called",
    Bar.NOT_CALLABLE: "the number is missing, masked or malformed",
    Bar.ATTEMPTS_EXHAUSTED: "all attempts of this round are used up",
}


@dataclass(frozen=True, slots=True)
class Permitted:
    """The contact may be made now."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; `until` (UTC) is the earliest moment that is permitted."""

    until: datetime
    reason: Obstacle

    @property
    def sentence(self) -> str:
        """The reason for people."""
        return SENTENCES[self.reason]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Not at all, by this channel in this round; waiting does not help."""

    reason: Bar

    @property
    def sentence(self) -> str:
        """The reason for people."""
        return SENTENCES[self.reason]


Verdict: TypeAlias = Permitted | Deferred | Forbidden


def may_contact_now(
    at: datetime,
    *,
    channel: Channel,
    history: Sequence[datetime],
    zone: ZoneInfo,
    policy: ContactPolicy,
    calendar: Calendar,
    number_history: Sequence[datetime] = (),
    attempt: int = 1,
    number: NumberStanding = NumberStanding.CALLABLE,
    do_not_call: bool = False,
) -> Verdict:
    """Return whether attempt `attempt` of the round may be made at `at` by this channel.

    What forbids outright is told before what only defers. The do-not-call list bars every channel.

    Args:
        at: The moment of sending, aware.
        channel: The channel to be used.
        history: Moments of this task's contacts so far, this attempt not included.
        zone: The customer's time zone.
        policy: The contact policy.
        calendar: The business calendar.
        number_history: Moments of all contacts of the same number over all orders, this one not included.
        attempt: Number of the attempt in its round, from 1.
        number: What is known of the phone number.
        do_not_call: Whether the number is on the do-not-call list.

    Raises:
        NoPermittedTimeError: deferred, but no moment within the policy's horizon is permitted.
        ValueError: a moment is naive.
    """
    bar = _bar(channel, policy, attempt, number, do_not_call=do_not_call)
    if bar is not None:
        return Forbidden(bar)
    reason = obstacle(
        at,
        history=history,
        zone=zone,
        policy=policy,
        calendar=calendar,
        number_history=number_history,
    )
    if reason is None:
        return Permitted()
    until = next_permitted(
        at,
        history=history,
        zone=zone,
        policy=policy,
        calendar=calendar,
        number_history=number_history,
    )
    return Deferred(until, reason)


def _bar(
    channel: Channel,
    policy: ContactPolicy,
    attempt: int,
    number: NumberStanding,
    *,
    do_not_call: bool,
) -> Bar | None:
    checks = (
        (do_not_call, Bar.DO_NOT_CALL),
        (number is NumberStanding.NOT_CALLABLE and channel in BY_NUMBER, Bar.NOT_CALLABLE),
        (number is NumberStanding.NO_VOICE and channel in VOICE, Bar.NO_VOICE),
        (attempt > policy.max_attempts, Bar.ATTEMPTS_EXHAUSTED),
    )
    return next((bar for barred, bar in checks if barred), None)
