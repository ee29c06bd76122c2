"""When a customer who postponed is contacted again, and the rule that says so round after round.

What a caller or a person named wins, then the customer's own date for its round, then the order's rule, then the
intent's default days. Where the order has a rule, its limit of rounds stands in place of the policy's; either limit
ends automatic postponements only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from engine.outcomes import Failed
from schemas.orders.step_inputs import ActionInput
from schemas.people.why import Why, WhyCode
from storage.orders.order import Order
from tasks.orders.rules.agreement import postponed
from tasks.orders.rules.context import Context
from tasks.orders.rules.reasons import failed
from tools.recurrence.rule import OrderFollowupRule, read_order_followup_rule, read_rule

ROUNDS_EXHAUSTED: Final = "rounds_exhausted"
"""The code of a failure by either limit of rounds."""
USED_UP: Final = "used_up"
"""What ended a rule whose date has passed or whose count is used."""

_DEFAULT_DAYS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Followup:
    """When the customer is contacted again.

    Attributes:
        at: The moment: of an order that the fleet drives always one at which the customer may be contacted.
        asked: The moment as it was named.
        rule: The order's rule as it stands from here on, where it has one.
        given: What was asked for beside a date, as it is recorded with the action.
    """

    at: datetime
    asked: datetime
    rule: OrderFollowupRule | None = None
    given: Mapping[str, object] = field(default_factory=dict)

    def changes(self) -> dict[str, object]:
        """The columns of the order that follow from it."""
        rule = {} if self.rule is None else {"followup_rule": self.rule.as_document()}
        return {"next_contact_time": self.at, **rule}


def rule_of(order: Order) -> OrderFollowupRule | None:
    """The rule of an order, also one that has ended."""
    return None if order.followup_rule is None else read_order_followup_rule(order.followup_rule)


def plan(context: Context, given: ActionInput, order: Order, now: datetime) -> Followup | Failed:
    """When to contact this customer again; refused when the rounds are used up (SPEC.md §1).

    A postponement that a person decided is never refused: it was the person who was asked how to go on.
    """
    wanted = given.call.followup_rule or given.followup_rule
    rule = rule_of(order)
    if wanted is not None:
        read = read_rule(wanted, context.zone(order).key)
        rule = OrderFollowupRule(rule=read, led_before=rule.rounds_led if rule else 0)
    due = rule.due_after(now) if rule else None
    refused = _exhausted(context, order, rule, holds=due is not None)
    if refused and not given.decided_by:
        return refused
    named = _named(context, given, order, now)
    if rule and due is not None:
        rule, asked = rule.leading(by_its_time=named is None), named or due
    else:
        rule = rule.ended(USED_UP) if rule and not rule.ended_by else rule
        asked = named or given.followup_at or now + timedelta(days=_DEFAULT_DAYS)
    return Followup(
        at=_permitted(context, order, asked, now), asked=asked, rule=rule, given=given.call.asked_followup()
    )


def rounds_of_policy(order: Order, round_number: int) -> int:
    """Which of the rounds that the policy limits this is: those that a rule led have a limit of their own."""
    rule = rule_of(order)
    return round_number - (rule.rounds_led if rule else 0)


def _permitted(context: Context, order: Order, asked: datetime, now: datetime) -> datetime:
    """When the customer is contacted who was to be contacted then; the caller of a manual order owns the timing."""
    if order.mode == "manual":
        return asked
    past = [order.last_contact_time] if order.last_contact_time else []
    return context.next_contact(order, max(asked, now), past)


def _named(context: Context, given: ActionInput, order: Order, now: datetime) -> datetime | None:
    """The moment that somebody named: the caller, a person, or the customer."""
    called = given.call
    if called.followup_date is not None:
        return called.followup_date
    if called.followup_days is not None:
        return postponed(context, order, called.followup_days, now, [])
    return given.named_followup


def _exhausted(
    context: Context, order: Order, rule: OrderFollowupRule | None, *, holds: bool
) -> Failed | None:
    if rule is not None and holds:
        led, most = rule.led, rule.rule.most_rounds
        why = Why(WhyCode.RULE_ROUNDS_EXHAUSTED, {"rounds": led, "most": most})
    else:
        led, most = rounds_of_policy(order, order.round), context.policy.max_rounds
        why = Why(WhyCode.ROUNDS_EXHAUSTED, {"rounds": order.round})
    return failed(why, code=ROUNDS_EXHAUSTED) if led >= most else None
