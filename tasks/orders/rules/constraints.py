"""Checks the contact constraints at the moment of sending: do-not-call, stops, caps, budgets (SPEC.md §8).

Read under locks that hold until the intents are committed; what is let through counts against what follows.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from engine.outcomes import Outcome
from runtime.blind_index import BlindIndex
from runtime.cipher import UnreadableCiphertext
from runtime.clock import Clock
from runtime.phone import Phone, normalise
from schemas.orders.contact import Channel, ContactResult
from schemas.orders.effects import ContactNoted
from schemas.people.why import Why, WhyCode
from storage.orders.contacts.constraints import ConstraintQuery, Found
from storage.orders.contacts.contact import Contact, PastContact
from storage.orders.order import Order
from tasks.orders.rules.case import Case
from tasks.orders.rules.context import Context
from tasks.orders.rules.reasons import deferred, failed
from tools.contact_policy.permission import (
    Attempt,
    ContactPermission,
    Deferred,
    Forbidden,
    Withheld,
    may_contact_now,
)
from tools.contact_policy.policy import ContactPolicy
from tools.contact_policy.stops import EmergencyStop

STOP_LOOK_AGAIN: Final = timedelta(seconds=15)
"""How soon a contact that an emergency stop withholds is looked at again."""

_KNOWN_RESULTS: Final = frozenset(ContactResult)


def asked_for(context: Context, cases: Sequence[Case]) -> ConstraintQuery:
    """What must be looked up before these customers are contacted."""
    return asked_for_orders(context, [case.order for case in cases], keys=[case.key for case in cases])


def asked_for_orders(
    context: Context, orders: Sequence[Order], *, keys: Sequence[str] = ()
) -> ConstraintQuery:
    """What must be looked up of these orders; the attempts with these keys do not count."""
    policy = context.policy
    numbers = (number_of(context, order) for order in orders)
    return ConstraintQuery(
        numbers=frozenset(number for number in numbers if number is not None),
        former=_former(context.blind_index, orders),
        keys=keys,
        longest=max((cap.period for cap in policy.number_caps), default=None),
        most=max((cap.limit for cap in policy.number_caps), default=0),
        budgeted=[budget.channel for budget in policy.daily_budgets],
    )


def number_of(context: Context, order: Order) -> bytes | None:
    """The blind index of the order's number under the current key; of an order without one it is made now."""
    is_current = order.phone_index is not None and not context.blind_index.has_former
    if is_current or order.sealed_phone is None:
        return order.phone_index
    phone = _phone_of(order)
    return order.phone_index if phone is None else context.blind_index.mark(phone)


def _former(index: BlindIndex, orders: Sequence[Order]) -> dict[bytes, bytes]:
    """The blind indexes of the orders' numbers under former keys, each with that of the current key."""
    if not index.has_former:
        return {}
    marks = (index.marks(phone) for order in orders if (phone := _phone_of(order)) is not None)
    return {old: current for current, *former in marks for old in former}


def _phone_of(order: Order) -> Phone | None:
    """The order's number; None where no key of ours opens it."""
    try:
        return normalise(order.phone or "")
    except UnreadableCiphertext:
        return None


def region_of(order: Order) -> str | None:
    """The order's region, by which stops are chosen."""
    region = order.metadata.get("region")
    return region.strip() if isinstance(region, str) else None


def attempt_of(
    context: Context,
    order: Order,
    history: Sequence[PastContact],
    found: Found,
    *,
    number: int,
    wanted: Channel | None = None,
) -> Attempt:
    """The order's contact as it would be made now, with all that was found against it."""
    of_number = number_of(context, order)
    return Attempt(
        at=found.now,
        zone=context.zone(order),
        number=number,
        most=order.max_contacts,
        # One that is still open has come to nothing yet.
        results=[ContactResult(past.result) for past in history if past.result in _KNOWN_RESULTS],
        own=[past.at for past in history],
        of_number=() if of_number is None else found.past.get(of_number, ()),
        wanted=wanted,
        barred=frozenset() if of_number is None else found.barred.get(of_number, frozenset()),
        stops=[EmergencyStop(stop.channel, stop.region, stop.reason) for stop in found.stops],
        region=region_of(order),
        spent=found.spent,
    )


def policy_for(context: Context, order: Order) -> ContactPolicy:
    """The policy for an order: the caller of a manual one owns the timing, caps and budgets hold all the same."""
    return context.policy.with_timing_by_caller() if order.mode == "manual" else context.policy


@dataclass(slots=True)
class Withholding:
    """Checks the contacts of a batch one after another, at one moment."""

    context: Context
    found: Found
    database_now: datetime
    _let_through: defaultdict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    _spent: defaultdict[Channel, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def now(self) -> datetime:
        """The moment of the contacts, on the business clock."""
        return self.found.now

    def judge(self, case: Case, wanted: Channel | None) -> ContactPermission:
        """Whether the case's contact may be made now, what was let through in this batch counted."""
        order = case.order
        attempt = attempt_of(
            self.context, order, case.history, self.found, number=order.contact_count, wanted=wanted
        )
        number = number_of(self.context, order)
        ahead = [] if number is None else [self.now] * self._let_through[number]
        spent = {channel: attempt.spent.get(channel, 0) + self._spent[channel] for channel in Channel}
        attempt = replace(attempt, of_number=[*attempt.of_number, *ahead], spent=spent)
        return may_contact_now(
            attempt, policy=policy_for(self.context, order), calendar=self.context.calendar
        )

    def outcome(self, case: Case, verdict: Deferred | Withheld | Forbidden) -> Outcome:
        """What becomes of a step whose contact may not be made now; what no waiting helps goes to a person."""
        if isinstance(verdict, Deferred):
            return deferred(Why(WhyCode(verdict.reason)), until=verdict.until, clock=Clock.BUSINESS)
        if isinstance(verdict, Withheld):
            again = self.database_now + STOP_LOOK_AGAIN
            stopped = Why(WhyCode.CONTACT_STOPPED, {"said": verdict.stop.reason})
            return deferred(stopped, until=again, clock=Clock.DATABASE)
        return failed(Why(WhyCode(verdict.reason)), effects=came_to_nothing(case))

    def let_through(self, case: Case, channel: Channel) -> None:
        """The contact is made: it counts against what follows in this batch."""
        number = number_of(self.context, case.order)
        if number is not None:
            self._let_through[number] += 1
        self._spent[channel] += 1


def came_to_nothing(case: Case) -> tuple[ContactNoted, ...]:
    """Return the effect for an attempt that was begun, sent nothing, and is given up."""
    if case.begun is None or case.begun.status != "sending":
        return ()
    return nothing_left(case.begun)


def nothing_left(contact: Contact) -> tuple[ContactNoted, ...]:
    """Return the effect for an attempt that certainly sent nothing this time."""
    return (ContactNoted(contact_id=contact.contact_id, status="refused", begun_at=contact.created_at),)
