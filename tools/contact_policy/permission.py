"""Decides whether a customer may be contacted now, and by which channel; for sending and for explaining."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum, unique
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from schemas.orders.contact import Channel, ContactResult
from tools.calendar import Calendar
from tools.contact_policy.ladder import channel_for
from tools.contact_policy.policy import ContactPolicy
from tools.contact_policy.stops import EmergencyStop
from tools.contact_policy.window import Obstacle, next_permitted, obstacle
from tools.contact_policy.zone import DEFAULT_ZONE


@unique
class ForbiddenReason(StrEnum):
    """Why a contact is forbidden in this round, however long one waits."""

    DO_NOT_CALL = "do_not_call"
    NO_CHANNEL_LEFT = "no_channel_left"
    ATTEMPTS_EXHAUSTED = "contact_attempts_exhausted"
    NO_PERMITTED_TIME = "contact_no_permitted_time"


SENTENCES: Final = {
    Obstacle.GAP: "the gap since the last contact has not passed",
    Obstacle.NUMBER_CAP: "the phone number has been contacted too often lately, all orders counted",
    Obstacle.DAILY_CAP: "the customer has been contacted as often as one day allows",
    Obstacle.HOLIDAY: "it is a public holiday",
    Obstacle.OUTSIDE_WINDOW: "it is outside the hours in which customers are contacted",
    Obstacle.BUDGET: "today's budget of the channel is used up",
    ForbiddenReason.DO_NOT_CALL: "the number is on the do-not-call list",
    ForbiddenReason.NO_CHANNEL_LEFT: "no channel is left for this attempt",
    ForbiddenReason.ATTEMPTS_EXHAUSTED: "all attempts of this round are used up",
    ForbiddenReason.NO_PERMITTED_TIME: "the policy and the calendar permit no time within the policy's horizon",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A planned contact, with everything the decision depends on.

    Attributes:
        at: The moment of sending, aware.
        zone: The customer's time zone.
        number: Which attempt of its round it is, from 1.
        most: How many attempts a round of this order has.
        results: What came of the order's earlier contacts.
        own: Moments of the order's earlier contacts.
        of_number: Moments of all contacts of the same phone number over all orders, this one not included.
        wanted: The channel that a caller chose; None for the policy's ladder.
        barred: Channels that the do-not-call list bars for the number; None in it for all of them.
        stops: Emergency stops in force.
        region: The order's region.
        spent: Contacts of all orders by channel on the day of `at`, in the installation's zone.
    """

    at: datetime
    zone: ZoneInfo
    number: int = 1
    most: int = 4
    results: Sequence[ContactResult] = ()
    own: Sequence[datetime] = ()
    of_number: Sequence[datetime] = ()
    wanted: Channel | None = None
    barred: frozenset[Channel | None] = frozenset()
    stops: Sequence[EmergencyStop] = ()
    region: str | None = None
    spent: Mapping[Channel, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permitted:
    """The contact may be made now, by this channel."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; `until` (UTC) is the earliest moment that is permitted."""

    channel: Channel
    until: datetime
    reason: Obstacle

    @property
    def sentence(self) -> str:
        """The reason for operators."""
        return SENTENCES[self.reason]


@dataclass(frozen=True, slots=True)
class Withheld:
    """Not before people lift the emergency stop."""

    channel: Channel
    stop: EmergencyStop

    @property
    def sentence(self) -> str:
        """The reason for operators."""
        return f"outbound contact is stopped: {self.stop.reason}"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Not at all in this round; waiting does not help. `channel` is the one it would have taken, where there is one."""

    reason: ForbiddenReason
    channel: Channel | None = None

    @property
    def sentence(self) -> str:
        """The reason for operators."""
        return SENTENCES[self.reason]


ContactPermission: TypeAlias = Permitted | Deferred | Withheld | Forbidden


def may_contact_now(attempt: Attempt, *, policy: ContactPolicy, calendar: Calendar) -> ContactPermission:
    """Return whether the attempt may be made at its moment, and by which channel.

    What forbids outright is told before what only defers, and what ends by itself before a stop. Channels that the
    do-not-call list bars give way to the others on the ladder; a channel that a caller chose does not.

    Raises:
        ValueError: a moment is naive.
    """
    channel = _channel(attempt, policy, barred=attempt.barred)
    if channel is None:
        wished = _channel(attempt, policy, barred=frozenset())
        return Forbidden(
            ForbiddenReason.NO_CHANNEL_LEFT if wished is None else ForbiddenReason.DO_NOT_CALL, wished
        )
    if attempt.number > attempt.most:
        return Forbidden(ForbiddenReason.ATTEMPTS_EXHAUSTED, channel)
    renews = budget_renews(attempt.at) if _budget_is_used(attempt, policy, channel) else None
    found = obstacle(
        attempt.at,
        history=attempt.own,
        zone=attempt.zone,
        policy=policy,
        calendar=calendar,
        number_history=attempt.of_number,
    )
    reason = found or (Obstacle.BUDGET if renews else None)
    if reason is not None:
        until = _earliest(attempt, renews or attempt.at, policy, calendar)
        return (
            Forbidden(ForbiddenReason.NO_PERMITTED_TIME, channel)
            if until is None
            else Deferred(channel, until, reason)
        )
    stop = next((each for each in attempt.stops if each.covers(channel, attempt.region)), None)
    return Permitted(channel) if stop is None else Withheld(channel, stop)


def budget_of(policy: ContactPolicy, channel: Channel) -> int | None:
    """Return the daily limit of contacts by this channel; `None` for no limit."""
    return next((budget.most for budget in policy.daily_budgets if budget.channel is channel), None)


def budget_renews(at: datetime) -> datetime:
    """Return the end of the day whose budgets are used at this moment."""
    zone = ZoneInfo(DEFAULT_ZONE)
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=zone)


def _channel(attempt: Attempt, policy: ContactPolicy, *, barred: frozenset[Channel | None]) -> Channel | None:
    if None in barred:
        return None
    if attempt.wanted is not None:
        return None if attempt.wanted in barred else attempt.wanted
    unusable = {channel for channel in barred if channel is not None}
    return channel_for(attempt.number, attempt.results, policy=policy, barred=unusable)


def _budget_is_used(attempt: Attempt, policy: ContactPolicy, channel: Channel) -> bool:
    budget = budget_of(policy, channel)
    return budget is not None and attempt.spent.get(channel, 0) >= budget


def _earliest(
    attempt: Attempt, begin: datetime, policy: ContactPolicy, calendar: Calendar
) -> datetime | None:
    return next_permitted(
        begin,
        history=attempt.own,
        zone=attempt.zone,
        policy=policy,
        calendar=calendar,
        number_history=attempt.of_number,
    )
