"""What the contact policy says of an order now: read in one go, told as a value and in lines for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.contact import Channel, ContactResult
from statemachine.states import State
from storage.contact import PastContact
from storage.lawfulness import Found
from storage.order import Order
from storage.unit_of_work import UnitOfWork
from tasks.context import Context
from tasks.withholding import asked_for_orders, budget_of, budget_renews, covers, number_of, region_of
from tools.contact_policy.caps import free_again
from tools.contact_policy.ladder import channel_for
from tools.contact_policy.policy import ContactPolicy, NumberCap
from tools.contact_policy.verdict import SENTENCES
from tools.contact_policy.window import Obstacle, next_permitted, obstacle

DAYS_SHOWN: Final = 7
_RESULTS: Final = frozenset(ContactResult)


@dataclass(frozen=True, slots=True)
class DayOutlook:
    """A day of the customer's calendar and the hours in which contacts are permitted; none on a holiday."""

    day: date
    kind: str
    windows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CapOutlook:
    """How far one cap of the number is used."""

    cap: NumberCap
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What holds for the next contact of an order at `now`, by the business clock.

    Attributes:
        earliest: The earliest permitted moment; None when no waiting helps.
        reason: Why not now; None when it is permitted now.
        agreed_at: When the order itself wants its customer contacted next.
        warning: That plans reach beyond official holidays.
    """

    task_id: str
    policy: str
    state: State
    mode: str
    now: datetime
    zone: str
    round: int
    max_rounds: int
    attempt: int
    max_attempts: int
    channel: Channel | None
    days: tuple[DayOutlook, ...]
    last_contact: datetime | None
    gap: timedelta
    contacts_today: int
    max_per_day: int | None
    number_known: bool
    caps: tuple[CapOutlook, ...]
    do_not_call: bool
    stops: tuple[str, ...]
    budget: int | None
    budget_spent: int
    earliest: datetime | None
    reason: str | None
    agreed_at: datetime | None
    warning: str | None


def outlook_of(work: UnitOfWork, context: Context, task_id: str) -> Outlook | None:
    """What the policy says of this order; `None` when there is none."""
    order = work.orders.find([task_id]).get(task_id)
    if order is None:
        return None
    history = work.contacts.history([task_id])[task_id]
    return _outlook(context, order, history, work.lawfulness.look(asked_for_orders(context, [order])))


def _outlook(context: Context, order: Order, history: Sequence[PastContact], found: Found) -> Outlook:
    policy = context.policy.with_timing_by_caller() if order.mode == "manual" else context.policy
    zone, now = context.zone(order), found.now
    attempt, round_number = _next_attempt(order)
    channel = channel_for(
        attempt,
        [ContactResult(past.result) for past in history if past.result in _RESULTS],
        policy=policy,
    )
    own, of_number = [past.at for past in history], list(found.past.get(number_of(context, order) or b"", ()))
    barred = found.barred.get(number_of(context, order) or b"", frozenset())
    stops = [stop for stop in found.stops if channel and covers(stop, channel, region_of(order))]
    why = _why_never(
        order,
        policy,
        attempt,
        channel,
        barred=not barred.isdisjoint({None, channel}),
    )
    budget, spent = (budget_of(policy, channel), found.spent.get(channel, 0)) if channel else (None, 0)
    used_up = budget is not None and spent >= budget
    earliest, reason = None, why
    if why is None:
        begin = budget_renews(now) if used_up else now
        earliest = next_permitted(
            begin, history=own, zone=zone, policy=policy, calendar=context.calendar, number_history=of_number
        )
        reason = _why_not_now(
            context, policy, zone, now, own, of_number, used_up=used_up, stopped=bool(stops)
        )
    furthest = max(moment for moment in (earliest, order.next_contact_time, now) if moment is not None)
    warning = context.calendar.horizon_warning(furthest.astimezone(zone).date())
    return Outlook(
        task_id=order.task_id,
        policy=policy.name,
        state=order.status,
        mode=order.mode,
        now=now,
        zone=zone.key,
        round=round_number,
        max_rounds=policy.max_rounds,
        attempt=attempt,
        max_attempts=order.max_contacts,
        channel=channel,
        days=tuple(_days(context, policy, now.astimezone(zone).date())),
        last_contact=max(own, default=None),
        gap=policy.gap,
        contacts_today=sum(at.astimezone(zone).date() == now.astimezone(zone).date() for at in own),
        max_per_day=policy.max_per_day,
        number_known=number_of(context, order) is not None,
        caps=tuple(
            CapOutlook(cap, sum(at > now - cap.period for at in of_number)) for cap in policy.number_caps
        ),
        do_not_call=bool(barred),
        stops=tuple(stop.reason for stop in stops),
        budget=budget,
        budget_spent=spent,
        earliest=earliest,
        reason=reason,
        agreed_at=order.next_contact_time,
        warning=warning.sentence if warning else None,
    )


def _next_attempt(order: Order) -> tuple[int, int]:
    """The next attempt's number in its round, and the round's."""
    if order.status is State.CONTACTING:
        return max(order.contact_count, 1), max(order.round, 1)
    if order.status is State.WAITING_FOLLOWUP:
        return 1, order.round + 1
    return order.contact_count + 1, max(order.round, 1)


def _why_never(
    order: Order,
    policy: ContactPolicy,
    attempt: int,
    channel: Channel | None,
    *,
    barred: bool,
) -> str | None:
    reasons = (
        (order.status is State.CLOSED, "the order is closed"),
        (barred, "the number is on the do-not-call list"),
        (attempt > order.max_contacts, "all attempts of this round are used up"),
        (channel is None, "no channel is left for this attempt"),
    )
    return next((sentence for holds, sentence in reasons if holds), None)


def _why_not_now(
    context: Context,
    policy: ContactPolicy,
    zone: ZoneInfo,
    now: datetime,
    own: Sequence[datetime],
    of_number: Sequence[datetime],
    *,
    used_up: bool,
    stopped: bool,
) -> str | None:
    if stopped:
        return "outbound contact is stopped; it goes on when the stop is lifted"
    found = obstacle(
        now, history=own, zone=zone, policy=policy, calendar=context.calendar, number_history=of_number
    )
    if found is not None:
        return SENTENCES[found]
    free = free_again(of_number, policy.number_caps)
    if free is not None and free > now:
        return SENTENCES[Obstacle.NUMBER_CAP]
    return "today's budget of the channel is used up" if used_up else None


def _days(context: Context, policy: ContactPolicy, first: date) -> list[DayOutlook]:
    days = []
    for distance in range(DAYS_SHOWN):
        day = first + timedelta(days=distance)
        calendar = context.calendar
        weekend = calendar.is_weekend(day) and not calendar.is_working_weekend(day)
        windows = policy.weekend_windows if weekend else policy.working_day_windows
        kind = "weekend" if weekend else "working day"
        if calendar.is_working_weekend(day):
            kind = "make-up working day (调休)"
        if calendar.is_holiday(day):
            kind, windows = "public holiday", windows if policy.contact_on_holidays else ()
        days.append(DayOutlook(day, kind, tuple(map(str, windows))))
    return days
