"""What stands against a contact at the moment of sending: do-not-call, emergency stops, caps, budgets (SPEC.md §8).

Read under locks that hold until the intents are committed; what is let through counts against what follows.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.outcomes import Failed, Outcome, Snooze
from runtime.clock import Clock
from runtime.phone import normalise
from schemas.contact import Channel
from schemas.effects import ContactNoted
from storage.contact import Contact
from storage.lawfulness import Asked, Found, OpenStop
from storage.order import Order
from tasks.case import Case
from tasks.context import Context
from tools.contact_policy.caps import free_again
from tools.contact_policy.policy import ContactPolicy
from tools.contact_policy.verdict import SENTENCES
from tools.contact_policy.window import Obstacle
from tools.contact_policy.zone import DEFAULT_ZONE

STOP_LOOK_AGAIN: Final = timedelta(seconds=15)
"""How soon a contact that an emergency stop withholds is looked at again."""


def asked_for(context: Context, cases: Sequence[Case]) -> Asked:
    """What must be looked up before these customers are contacted."""
    return asked_for_orders(context, [case.order for case in cases], keys=[case.key for case in cases])


def asked_for_orders(context: Context, orders: Sequence[Order], *, keys: Sequence[str] = ()) -> Asked:
    """What must be looked up of these orders; the attempts with these keys do not count."""
    policy = context.policy
    numbers = (number_of(context, order) for order in orders)
    return Asked(
        numbers=frozenset(number for number in numbers if number is not None),
        keys=keys,
        longest=max((cap.period for cap in policy.number_caps), default=None),
        most=max((cap.limit for cap in policy.number_caps), default=0),
        budgeted=[budget.channel for budget in policy.daily_budgets],
        zone=DEFAULT_ZONE,
    )


def number_of(context: Context, order: Order) -> bytes | None:
    """The blind index of the order's number; of an order from before there was one it is made now."""
    if order.phone_index is not None or order.sealed_phone is None:
        return order.phone_index
    phone = normalise(order.phone or "")
    return None if phone is None else context.blind_index.mark(phone)


def covers(stop: OpenStop, channel: Channel, region: str | None) -> bool:
    """Whether a stop holds for a contact; 上海市 covers 上海市浦东新区, an order without a region has none."""
    if stop.channel not in (None, channel):
        return False
    return stop.region is None or (region is not None and region.startswith(stop.region))


def region_of(order: Order) -> str | None:
    """The order's region, as upstream names it."""
    region = order.metadata.get("region")
    return region.strip() if isinstance(region, str) else None


def budget_renews(at: datetime) -> datetime:
    """When the day ends whose budgets are used at this moment."""
    zone = ZoneInfo(DEFAULT_ZONE)
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), tzinfo=zone)


@dataclass(slots=True)
class Withholding:
    """Judges the contacts of a batch one after another, at one moment."""

    context: Context
    found: Found
    database_now: datetime
    _let_through: defaultdict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    _spent: defaultdict[Channel, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def now(self) -> datetime:
        """The moment of the contacts, on the business clock."""
        return self.found.now

    def past_of(self, order: Order) -> list[datetime]:
        """Recent contacts of the order's number over all orders, with those of this batch that were let through."""
        number = number_of(self.context, order)
        if number is None:
            return []
        return [*self.found.past.get(number, ()), *[self.now] * self._let_through[number]]

    def forbidden(self, case: Case, channel: Channel) -> Failed | None:
        """What no waiting helps against: the number is on the do-not-call list. A person is asked."""
        number = number_of(self.context, case.order)
        bars = self.found.barred.get(number, frozenset()) if number is not None else frozenset()
        if bars.isdisjoint({None, channel}):
            return None
        return Failed(
            code="do_not_call", message="号码在免打扰名单中, 不再联系客户", effects=came_to_nothing(case)
        )

    def deferred(self, case: Case, channel: Channel) -> Outcome | None:
        """Not now: an emergency stop, a cap of the number, or the channel's budget."""
        order, policy = case.order, self.context.policy
        stop = next((s for s in self.found.stops if covers(s, channel, region_of(order))), None)
        if stop is not None:
            return Snooze(
                until=self.database_now + STOP_LOOK_AGAIN,
                clock=Clock.DATABASE,
                reason=f"outbound contact is stopped: {stop.reason}",
            )
        free = free_again(self.past_of(order), policy.number_caps)
        if free is not None and free > self.now:
            return Snooze(until=free, clock=Clock.BUSINESS, reason=SENTENCES[Obstacle.NUMBER_CAP])
        budget = budget_of(policy, channel)
        if budget is None or self.found.spent.get(channel, 0) + self._spent[channel] < budget:
            return None
        return Snooze(
            until=self._after_budget(case),
            clock=Clock.BUSINESS,
            reason=f"today's budget of {budget} contacts by {channel} is used up",
        )

    def let_through(self, case: Case, channel: Channel) -> None:
        """The contact is made: it counts against what follows in this batch."""
        number = number_of(self.context, case.order)
        if number is not None:
            self._let_through[number] += 1
        self._spent[channel] += 1

    def _after_budget(self, case: Case) -> datetime:
        renews = budget_renews(self.now)
        if case.order.mode == "manual":
            return renews
        return self.context.next_contact(case.order, renews, case.past)


def budget_of(policy: ContactPolicy, channel: Channel) -> int | None:
    """The most contacts a day by this channel; `None` for no limit."""
    return next((budget.most for budget in policy.daily_budgets if budget.channel is channel), None)


def came_to_nothing(case: Case) -> tuple[ContactNoted, ...]:
    """What is noted of an attempt that was begun, of which nothing left, and which is now given up."""
    if case.begun is None or case.begun.status != "sending":
        return ()
    return nothing_left(case.begun)


def nothing_left(contact: Contact) -> tuple[ContactNoted, ...]:
    """What is noted of an attempt of which, as it was begun this time, certainly nothing left."""
    return (ContactNoted(contact_id=contact.contact_id, status="refused", begun_at=contact.created_at),)
