"""Signals of upstream about an order: part arrived, number or priority changed, cancelled."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from runtime.mask import mask_text
from schemas.orders.effects import OrderNoted
from schemas.orders.signals import CancelledUpstream, PartArrived, PhoneChanged, PriorityChanged, SignalType
from schemas.orders.step_inputs import ReviewInput
from statemachine.orders.states import State
from storage.orders.contacts.contacts import Contacts
from storage.orders.orders import Orders
from tasks.orders.inbound.consequence import Consequence, ConsequenceKind, closed, refused
from tasks.orders.inbound.occasion import OrderOccasion
from tasks.orders.people.intervention import cancel_within
from tasks.orders.rules.customer_number import customer_number
from tasks.orders.rules.followup import rule_of
from tasks.verbs import VerbResult

NOT_CALLABLE: Final = "not_callable"
"""Why an order without a usable number is in review (`tasks.orders.agents.orchestrator`)."""


def part_arrived(occasion: OrderOccasion[PartArrived]) -> Consequence:
    """Bring a follow-up forward to the next permitted contact time, never put it off; elsewhere only note it.

    A follow-up rule that lasts until the part arrives ends, wherever the order stands.
    """
    consequence, rule = _brought_forward(occasion), rule_of(occasion.order)
    awaited = rule is not None and not rule.ended_by and rule.rule.until_signal == SignalType.PART_ARRIVED
    if rule is None or not awaited or occasion.order.status is State.CLOSED:
        return consequence
    ended = rule.ended(SignalType.PART_ARRIVED.value).as_document()
    occasion.write([OrderNoted(task_id=occasion.order.task_id, changes={"followup_rule": ended})])
    effect = consequence.effect.removeprefix("nothing is changed: ")
    return replace(
        consequence,
        outcome=ConsequenceKind.APPLIED,
        effect=f"the follow-up rule ends; {effect}",
        title="rule_ended",
    )


def _brought_forward(occasion: OrderOccasion[PartArrived]) -> Consequence:
    order = occasion.order
    if order.status is not State.WAITING_FOLLOWUP or order.next_contact_time is None:
        title = None if order.status is State.CLOSED else ""
        effect = f"nothing is changed: the order is {order.status}, it waits for no follow-up"
        return Consequence(outcome=ConsequenceKind.NOTED, effect=effect, title=title)
    earlier = _next_contact(occasion)
    if earlier >= order.next_contact_time:
        effect = "nothing is changed: the agreed time is no later than the next permitted contact time"
        return Consequence(outcome=ConsequenceKind.NOTED, effect=effect, title="", watched="waiting")
    if not occasion.transaction.bring_forward(order.run_id, earlier):
        effect = "nothing is changed: the follow-up is not waiting for its time"
        return Consequence(outcome=ConsequenceKind.NOTED, effect=effect, title="")
    # The guard of the follow-up reads the order's time, and the step has its own: both, or it would be refused.
    occasion.write([OrderNoted(task_id=order.task_id, changes={"next_contact_time": earlier})])
    return Consequence(
        outcome=ConsequenceKind.APPLIED,
        effect=f"the customer is contacted at {_moment(earlier)} instead of {_moment(order.next_contact_time)}",
        title="earlier",
        watched="waiting",
    )


def phone_changed(occasion: OrderOccasion[PhoneChanged]) -> Consequence:
    """Store the number for the next contact; an order that waited for a usable one goes on by itself.

    The number must be callable: whoever takes the signal in has checked it.
    """
    order, phone = occasion.order, occasion.said.phone
    if order.status is State.CLOSED:
        return closed()
    review = occasion.open_review()
    waits = order.status is State.PENDING and review is not None and review.reason == NOT_CALLABLE
    number = customer_number(phone, occasion.context.blind_index)
    # The number that the order has is stored again: the answer tells nobody that it was the right one.
    Orders(occasion.transaction.work).set_phone(order.task_id, number.stored, number.shown, number.index)
    if (
        waits
        and review is not None
        and _validated_again(occasion, str(ReviewInput.of(review.context).origin))
    ):
        effect = "the number is stored, the review is withdrawn and the order is validated again"
        return Consequence(outcome=ConsequenceKind.APPLIED, effect=effect, title="goes_on")
    effect = "the number is stored and used from the next contact on; one that is being placed goes on"
    return Consequence(outcome=ConsequenceKind.APPLIED, effect=effect, title="")


def priority_changed(occasion: OrderOccasion[PriorityChanged]) -> Consequence:
    """Give the order, its run and its open steps the priority; what waits in a queue changes its place."""
    order, priority = occasion.order, occasion.said.priority
    if order.status is State.CLOSED:
        return closed()
    if order.priority == priority:
        return Consequence(
            outcome=ConsequenceKind.NOTED, effect="nothing is changed: the order has this priority"
        )
    Orders(occasion.transaction.work).set_priority(order.task_id, priority)
    occasion.transaction.reprioritise(order.run_id, priority)
    return Consequence(
        outcome=ConsequenceKind.APPLIED,
        effect=f"the priority is {priority}, it was {order.priority}",
        title="",
        parameters={"priority": priority},
    )


def order_cancelled(occasion: OrderOccasion[CancelledUpstream]) -> Consequence:
    """End the order and its run as cancelled, whatever they wait for; work under way is refused when recorded."""
    reason = occasion.said.reason
    because = "cancelled upstream" + (f": {mask_text(reason)}" if reason else "")
    result, order = cancel_within(
        occasion.transaction, occasion.order.task_id, by=occasion.signal.sent_by, reason=because
    )
    if result is VerbResult.NOTHING_TO_DO:
        return Consequence(
            outcome=ConsequenceKind.NOTED, effect="nothing is changed: the order was cancelled before"
        )
    if result is not VerbResult.DONE:
        if order is not None and order.status is State.CLOSED:
            return refused(f"the order has ended otherwise: {order.finish_reason}")
        return refused(f"the order's run is {occasion.run.state.value} and cannot be cancelled")
    effect = "the order is closed as cancelled; nothing of it goes on"
    return Consequence(outcome=ConsequenceKind.APPLIED, effect=effect, title="", watched="ready")


def _next_contact(occasion: OrderOccasion[PartArrived]) -> datetime:
    """The next time at which the customer may be contacted; in manual mode the caller owns the timing."""
    order, now = occasion.order, occasion.transaction.moments.business_now
    if order.mode == "manual":
        return now
    history = Contacts(occasion.transaction.work).history([order.task_id])[order.task_id]
    return occasion.context.next_contact(order, now, [past.at for past in history])


def _validated_again(occasion: OrderOccasion[PhoneChanged], origin: str) -> bool:
    """Enter the step that found the order not callable once more; `False` while something is at work in it."""
    order = occasion.order
    given = {
        **occasion.run.variables,
        "contact_count": order.contact_count,
        "max_contacts": order.max_contacts,
        "callable": True,
    }
    return occasion.transaction.divert(order.run_id, origin, given)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
