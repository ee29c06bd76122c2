"""Sends contacts: the intent is committed first; the send outcome decides how the step continues."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Final

from engine.actions import Batch
from engine.outcomes import Failed, Outcome, Park, Snooze
from runtime.clock import Clock
from schemas.orders.contact import Channel, ContactResult
from schemas.orders.effects import ContactNoted
from schemas.orders.step_inputs import ContactInput
from schemas.outbound.product_events import ProductEventType
from schemas.people.why import Why, WhyCode
from storage.engine.leases import Leases
from storage.engine.steps import StepRow
from storage.orders.contacts.constraints import ContactConstraints
from storage.orders.contacts.contact import Contact, Intended, NewContact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from tasks.orders.rules.case import Case
from tasks.orders.rules.conclusion import AGENT, conclude
from tasks.orders.rules.constraints import Withholding, asked_for, nothing_left
from tasks.orders.rules.context import Context
from tasks.orders.rules.flags import barred_by_customer
from tasks.orders.rules.reasons import failed, unavailable
from tasks.orders.rules.traces import audit, product_event
from tasks.orders.rules.wording import script_text_for
from tools.channels.contract import (
    Accepted,
    Completed,
    ContactReport,
    ContactRequest,
    NotSent,
    Rejected,
    SendOutcome,
    Unknown,
)
from tools.limits import TOOLS

_TOOL_OF: Final[Mapping[Channel, str]] = {
    Channel.PHONE: "contact_user",
    Channel.SMS: "send_sms",
    Channel.IM: "send_im",
}
LOOK_AGAIN: Final = timedelta(seconds=5)
"""The wait before a channel is asked again what became of a contact."""
_CHANNEL_AWAY: Final = timedelta(minutes=5)


Decide = Callable[[Withholding, StepRow], NewContact | Outcome]
"""Whether and how a contact is made, given what stands against it."""


def send_all(
    context: Context, batch: Batch, steps_to_send: Sequence[StepRow], decide: Decide, pool: ThreadPoolExecutor
) -> dict[int, Outcome]:
    """Decide and commit the intents in one transaction, then send.

    A step that was cancelled or taken away meanwhile is not sent; nor is one that anything stands against.
    """
    if not steps_to_send:
        return {}
    steps = {step.step_id: step for step in steps_to_send}
    asked = asked_for(context, [batch.subjects[step_id] for step_id in steps])
    with context.database.transaction() as work:
        ours = Leases(work).lock_ours(steps, batch.lease_id)
        withholding = Withholding(context, ContactConstraints(work).hold(asked), batch.moments.database_now)
        decided = {step_id: decide(withholding, step) for step_id, step in steps.items()}
        intended = Contacts(work).intend(
            [new for step_id, new in decided.items() if isinstance(new, NewContact) and step_id in ours]
        )
    sending = list(intended.items())
    outcomes = pool.map(lambda item: _send(context, batch, steps[item[0]], item[1]), sending)
    sent = {step_id: outcome for (step_id, _), outcome in zip(sending, outcomes, strict=True)}
    withheld = Snooze(
        until=batch.moments.database_now, clock=Clock.DATABASE, reason="withheld: the step was taken away"
    )
    return {
        step_id: withheld if isinstance(outcome, NewContact) else outcome
        for step_id, outcome in decided.items()
    } | sent


def address_of(order: Order) -> str:
    """The number or account a customer is reached by."""
    return order.phone or str(order.metadata.get("customer_id", order.task_id))


def _send(context: Context, batch: Batch, step: StepRow, intended: Intended) -> Outcome:
    case: Case = batch.subjects[step.step_id]
    contact, order = intended.contact, case.order
    channel = Channel(contact.contact_method)
    said = script_text_for(context, order, channel, ContactInput.of(step.input).call.script_id)
    if isinstance(said, Failed):
        return replace(said, effects=nothing_left(contact))
    request = ContactRequest(
        key=contact.key,
        channel=channel,
        to=address_of(order),
        task_id=order.task_id,
        script_id=said.script_id,
        script_version=said.script_version,
        variables=said.variables,
        text=said.text,
        templates=said.templates,
        callback_url=context.callback_url,
        simulation=_script_entry(order),
        timeout_seconds=step.limits.seconds(TOOLS[_TOOL_OF[channel]].timeout_seconds),
    )
    if batch.lease_lost():
        return Snooze(until=batch.moments.database_now, clock=Clock.DATABASE, reason="withheld: lease lost")
    answer = context.gateway.send(request)
    if isinstance(answer, NotSent):
        context.channel_watch.failed(channel, answer.reason, batch.moments.database_now)
    elif isinstance(answer, Accepted | Completed):
        context.channel_watch.sent(channel)
    return _after_sending(context, batch, step, contact, answer)


def _after_sending(
    context: Context, batch: Batch, step: StepRow, contact: Contact, answer: SendOutcome
) -> Outcome:
    case: Case = batch.subjects[step.step_id]
    match answer:
        case Accepted(provider_id=provider_id):
            return wait(context, batch, step, contact, provider_id)
        case Completed(report=report) if report.result is ContactResult.DELIVERED:
            return wait(context, batch, step, contact, report.provider_id)
        case Completed(report=report):
            return conclude(context, step, case, contact, report, batch.moments.business_now)
        case NotSent(reason=reason, retry_after_seconds=after):
            return _not_sent(batch, step, contact, reason, after)
        case Rejected(reason=reason, opted_out=opted_out):
            barred = barred_by_customer(context, case.order, contact.contact_id) if opted_out else ()
            return failed(
                Why(WhyCode.CHANNEL_REJECTED, {"said": reason}), effects=(*nothing_left(contact), *barred)
            )
        case Unknown(reason=reason):
            return Snooze(
                until=batch.moments.database_now + LOOK_AGAIN,
                clock=Clock.DATABASE,
                reason=f"outcome unknown, asking the channel: {reason}",
            )


def _not_sent(
    batch: Batch, step: StepRow, contact: Contact, reason: str, after_seconds: float | None
) -> Outcome:
    """Certain that nothing left: tried again by the tool's policy, and when that is used up every five minutes.

    A caller who wants fewer retries gets no more; a person is asked then. That a channel is away is told once for
    all its orders, by `tasks.orders.rules.channel_watch`.
    """
    refused, own = nothing_left(contact), TOOLS["contact_user"].retry
    if step.tries < own.max_retries or step.limits.retry(own).max_retries < own.max_retries:
        why = Why(WhyCode.CHANNEL_UNAVAILABLE, {"said": reason})
        return unavailable(why, effects=refused, after_seconds=after_seconds)
    return Snooze(
        until=batch.moments.database_now + _CHANNEL_AWAY,
        clock=Clock.DATABASE,
        reason=f"the channel is away: {reason}",
        effects=refused,
    )


def wait(context: Context, batch: Batch, step: StepRow, contact: Contact, provider_id: str | None) -> Park:
    """Park the step until the provider reports; a call's result has a deadline of its own, a text waits longer."""
    case: Case = batch.subjects[step.step_id]
    by_phone = contact.contact_method == Channel.PHONE
    if by_phone:
        until, clock = contact.created_at + context.policy.call_result_deadline, Clock.DATABASE
    else:
        now = batch.moments.business_now
        until, clock = now + context.policy.answer_wait, Clock.BUSINESS
        if case.order.contact_count < case.order.max_contacts:
            until = min(until, context.next_contact(case.order, now, [*case.past, contact.contact_time]))
    return Park(
        until=until,
        clock=clock,
        reason="waiting for the customer's answer",
        effects=(
            ContactNoted(contact_id=contact.contact_id, status="sent", provider_id=provider_id),
            audit(
                step,
                "contact_initiated",
                AGENT,
                _TOOL_OF[Channel(contact.contact_method)],
                contact_id=contact.contact_id,
                attempt=contact.contact_no,
                round=contact.round,
            ),
            product_event(
                step,
                ProductEventType.CONTACT_INITIATED,
                "waiting",
                until=until if clock is Clock.BUSINESS else None,
                attempt=contact.contact_no,
            ),
        ),
    )


def silence(contact: Contact) -> ContactReport:
    """Return the report for a provider that did not report in time."""
    return ContactReport(
        event_id=f"{contact.key}.deadline",
        key=contact.key,
        provider_id=contact.provider_id or "",
        channel=Channel(contact.contact_method),
        result=ContactResult.EXPIRED,
        transcript="",
        duration_seconds=None,
        recording_url=None,
        occurred_at=None,
    )


def _script_entry(order: Order) -> Mapping[str, object] | None:
    """How the simulated customer behaves at this attempt, attempts counted over all rounds; the last repeats."""
    script = order.metadata.get("simulation")
    if not isinstance(script, list) or not script:
        return None
    entry = script[min(max(order.contacts_total, 1), len(script)) - 1]
    return entry if isinstance(entry, dict) else None
