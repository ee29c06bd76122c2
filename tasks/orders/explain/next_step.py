"""What the contact policy says of an order now: as a value, and as lines for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schemas.orders.contact import Channel
from schemas.people.why import Why, WhyCode
from statemachine.orders.states import State
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.constraints import ContactConstraints, Found
from storage.orders.contacts.contact import PastContact
from storage.orders.contacts.contacts import Contacts
from storage.orders.contacts.do_not_call import DoNotCall, Entry
from storage.orders.order import Order
from storage.orders.orders import Orders
from tasks.orders.rules.constraints import asked_for_orders, attempt_of, number_of, policy_for
from tasks.orders.rules.context import Context
from tools.contact_policy.days import DayWindows, day_windows
from tools.contact_policy.permission import (
    Attempt,
    ContactPermission,
    Deferred,
    Permitted,
    Withheld,
    budget_of,
    may_contact_now,
)
from tools.contact_policy.policy import NumberCap

DAYS_SHOWN: Final = 7


@dataclass(frozen=True, slots=True)
class CapUse:
    """How far one cap of the number is used."""

    cap: NumberCap
    used: int


@dataclass(frozen=True, slots=True)
class DoNotCallInForce:
    """An entry of the do-not-call list: by which channel (None for all), who said so, why, until when."""

    entry_id: str
    channel: str | None
    added_by: str
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What holds for the next contact of an order at `now`, by the business clock.

    Attributes:
        channel: The next contact's, or the one it would have taken if that may not be.
        do_not_call: The entries in force of the order's number.
        stops: Reasons of the emergency stops that hold the next contact.
        withheld: Whether an emergency stop is all that stands against it.
        earliest: The earliest permitted moment; None when no waiting helps, or only the end of a stop.
        reason: Why not now; None when it is permitted now.
        why: The same as a code; None for a closed order too.
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
    days: tuple[DayWindows, ...]
    last_contact: datetime | None
    gap: timedelta
    contacts_today: int
    max_per_day: int | None
    number_known: bool
    caps: tuple[CapUse, ...]
    do_not_call: tuple[DoNotCallInForce, ...]
    stops: tuple[str, ...]
    budget: int | None
    budget_spent: int
    withheld: bool
    earliest: datetime | None
    reason: str | None
    why: Why | None
    agreed_at: datetime | None
    warning: str | None


def next_step_of(work: UnitOfWork, context: Context, task_id: str) -> NextStep | None:
    """What the policy says of this order; `None` when there is none."""
    order = Orders(work).find([task_id]).get(task_id)
    if order is None:
        return None
    history, asked = Contacts(work).history([task_id])[task_id], asked_for_orders(context, [order])
    entries = DoNotCall(work).list(marks=asked.marks) if asked.marks else []
    found = ContactConstraints(work).look(asked)
    return _next_step(context, order, history, found, entries)


def _next_step(
    context: Context,
    order: Order,
    history: Sequence[PastContact],
    found: Found,
    entries: Sequence[Entry],
) -> NextStep:
    policy = policy_for(context, order)
    number, round_number = _next_attempt(order)
    attempt = attempt_of(context, order, history, found, number=number)
    verdict = may_contact_now(attempt, policy=policy, calendar=context.calendar)
    closed = order.status is State.CLOSED
    earliest, reason = (None, "the order is closed") if closed else _when(verdict, attempt)
    channel, zone, now = verdict.channel, attempt.zone, attempt.at
    today = now.astimezone(zone).date()
    furthest = max(moment for moment in (earliest, order.next_contact_time, now) if moment is not None)
    warning = context.calendar.horizon_warning(furthest.astimezone(zone).date())
    return NextStep(
        task_id=order.task_id,
        policy=policy.name,
        state=order.status,
        mode=order.mode,
        now=now,
        zone=zone.key,
        round=round_number,
        max_rounds=policy.max_rounds,
        attempt=number,
        max_attempts=order.max_contacts,
        channel=channel,
        days=day_windows(context.calendar, policy, today, DAYS_SHOWN),
        last_contact=max(attempt.own, default=None),
        gap=policy.gap,
        contacts_today=sum(at.astimezone(zone).date() == today for at in attempt.own),
        max_per_day=policy.max_per_day,
        number_known=number_of(context, order) is not None,
        caps=tuple(
            CapUse(cap, sum(at > now - cap.period for at in attempt.of_number)) for cap in policy.number_caps
        ),
        do_not_call=tuple(
            DoNotCallInForce(entry.entry_id, entry.channel, entry.added_by, entry.reason, entry.until)
            for entry in entries
        ),
        stops=tuple(
            stop.reason for stop in attempt.stops if channel and stop.covers(channel, attempt.region)
        ),
        budget=budget_of(policy, channel) if channel else None,
        budget_spent=attempt.spent.get(channel, 0) if channel else 0,
        withheld=isinstance(verdict, Withheld) and not closed,
        earliest=earliest,
        reason=reason,
        why=None if closed else _why(verdict),
        agreed_at=order.next_contact_time,
        warning=warning.sentence if warning else None,
    )


def _when(verdict: ContactPermission, attempt: Attempt) -> tuple[datetime | None, str | None]:
    """The earliest permitted moment, and why it is not now."""
    match verdict:
        case Permitted():
            return attempt.at, None
        case Deferred(until=until):
            return until, verdict.sentence
        case _:
            return None, verdict.sentence


def _why(verdict: ContactPermission) -> Why | None:
    match verdict:
        case Permitted():
            return None
        case Withheld(stop=stop):
            return Why(WhyCode.CONTACT_STOPPED, {"said": stop.reason})
        case _:
            return Why(WhyCode(verdict.reason))


def _next_attempt(order: Order) -> tuple[int, int]:
    """The next attempt's number in its round, and the round's."""
    if order.status is State.CONTACTING:
        return max(order.contact_count, 1), max(order.round, 1)
    if order.status is State.WAITING_FOLLOWUP:
        return 1, order.round + 1
    return order.contact_count + 1, max(order.round, 1)
