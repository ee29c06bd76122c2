"""What the contact agent does: intent first, then the contact, then a parked row that waits for the result.

Effect class *once* (SPEC.md §3): the intent to send is committed before anything leaves; a failure is retried
only when it is certain that nothing was sent; an unknown outcome is reconciled by key, never repeated.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Final

from engine.actions import Action, Batch, EffectClass, Resumption
from engine.outcomes import Failed, Outcome, Park, Snooze, TryAgain
from runtime.clock import Clock
from runtime.ids import Prefix, new_id
from schemas.effects import ContactNoted
from storage.contacts import Contact, Intended, NewContact
from storage.orders import Order
from storage.steps import StepRow
from tasks.case import Case, load_cases
from tasks.conclusion import conclude, report_of_signal
from tasks.context import Context
from tasks.telling import audit, told
from tools.channels.contract import (
    Absent,
    Accepted,
    Answered,
    Channel,
    ContactReport,
    ContactRequest,
    ContactResult,
    Found,
    NotSent,
    Rejected,
    SendOutcome,
    Unknown,
    Unreachable,
)
from tools.contact_policy.ladder import channel_for
from tools.contact_policy.verdict import Deferred, Forbidden, may_contact_now
from tools.limits import TOOLS

AGENT: Final = "contact_agent"
SCRIPT: Final = "pending_task_v1"
_TOOL_OF: Final[Mapping[Channel, str]] = {
    Channel.PHONE: "contact_user",
    Channel.SMS: "send_sms",
    Channel.IM: "send_im",
}
_QUERY_SECONDS: Final = 5.0
_LOOK_AGAIN: Final = timedelta(seconds=5)
_CHANNEL_AWAY: Final = timedelta(minutes=5)
_GIVE_UP_SECONDS: Final = 900.0
"""An outcome that is still unknown after this goes to a person."""


def actions(context: Context) -> tuple[Action, ...]:
    """The contact agent's actions."""
    return (
        Action(
            name="contact.initiate_contact",
            effect=EffectClass.ONCE,
            retry=TOOLS["contact_user"].retry,
            load=load_cases,
            work=partial(initiate_contact, context),
            resume=partial(hear, context),
            largest_batch=context.contacts_at_once,
        ),
    )


def initiate_contact(context: Context, batch: Batch) -> Mapping[int, Outcome]:
    """Contact the customers of a batch, each once (seed step3)."""
    outcomes: dict[int, Outcome] = {}
    to_send: dict[int, NewContact] = {}
    with ThreadPoolExecutor(max_workers=max(1, min(len(batch.steps), context.contacts_at_once))) as pool:
        begun = [step for step in batch.steps if _may_have_left(batch.subjects[step.step_id])]
        reconciled = pool.map(lambda step: _reconcile(context, batch, step), begun)
        outcomes |= {
            step.step_id: outcome
            for step, outcome in zip(begun, reconciled, strict=True)
            if outcome is not None
        }
        for step in batch.steps:
            if step.step_id in outcomes:
                continue
            decided = _decide(context, batch, step)
            if isinstance(decided, NewContact):
                to_send[step.step_id] = decided
            else:
                outcomes[step.step_id] = decided
        outcomes |= _send_all(context, batch, to_send, pool)
    return outcomes


def hear(context: Context, resumption: Resumption) -> Outcome:
    """What a provider's report, or the end of the wait for it, makes of a contact that was begun."""
    case: Case = resumption.subject
    step, now = resumption.step, resumption.moments.business_now
    if case.begun is None:
        return Failed(code="contact_unknown", message="a result came for an attempt that was never begun")
    if resumption.signal.get("type") != "deadline":
        return conclude(context, step, case, case.begun, report_of_signal(resumption.signal), now)
    if case.begun.contact_method == Channel.PHONE:
        # The provider may know what its callback did not bring us; asking it is the worker's business.
        return Snooze(
            until=resumption.moments.database_now, clock=Clock.DATABASE, reason="result overdue: asking"
        )
    return conclude(context, step, case, case.begun, _silence(case.begun), now)


def _may_have_left(case: Case) -> bool:
    return case.begun is not None and case.begun.status in ("sending", "sent")


def _reconcile(context: Context, batch: Batch, step: StepRow) -> Outcome | None:
    """What became of an attempt that was begun before; `None` when it is certain that nothing was sent."""
    case: Case = batch.subjects[step.step_id]
    contact = case.begun
    if contact is None or contact.status == "concluded":
        return None
    answer = context.gateway.query(contact.key, timeout_seconds=_QUERY_SECONDS)
    now = batch.moments.business_now
    match answer:
        case Found(report=ContactReport() as report):
            return conclude(context, step, case, contact, report, now)
        case Found() | Absent() if contact.status == "sent":
            return conclude(context, step, case, contact, _silence(contact), now)
        case Found(provider_id=provider_id):
            return _wait(context, batch, step, contact, provider_id)
        case Absent():
            return None
        case Unreachable(reason=reason):
            if contact.age_seconds > _GIVE_UP_SECONDS:
                return Failed(
                    code="contact_outcome_unknown",
                    message=f"whether the customer was contacted could not be found out: {reason}",
                )
            return Snooze(
                until=batch.moments.database_now + _LOOK_AGAIN,
                clock=Clock.DATABASE,
                reason=f"outcome unknown, asking the channel again: {reason}",
            )


def _decide(context: Context, batch: Batch, step: StepRow) -> NewContact | Outcome:
    """Whether the attempt may be made now, by the policy at the moment of sending (SPEC.md §8)."""
    case: Case = batch.subjects[step.step_id]
    order, now = case.order, batch.moments.business_now
    channel = channel_for(order.contact_count, [past.result for past in case.history], policy=context.policy)
    if channel is None:
        return Failed(code="no_channel_left", message="没有可用的联系渠道")
    if order.mode == "auto" and case.begun is None:
        verdict = may_contact_now(
            now,
            channel=channel,
            history=case.past,
            zone=context.zone(order),
            policy=context.policy,
            calendar=context.calendar,
            attempt=order.contact_count,
            round_number=order.round,
        )
        if isinstance(verdict, Deferred):
            return Snooze(until=verdict.until, clock=Clock.BUSINESS, reason=verdict.sentence)
        if isinstance(verdict, Forbidden):
            return Failed(code=f"contact_{verdict.reason}", message=verdict.sentence)
    return NewContact(
        contact_id=new_id(Prefix.CONTACT),
        task_id=order.task_id,
        method=channel,
        contact_time=now,
        key=case.key,
        round=order.round,
        contact_no=order.contact_count,
        step_id=step.step_id,
        script_id=SCRIPT,
    )


def _send_all(
    context: Context, batch: Batch, contacts: Mapping[int, NewContact], pool: ThreadPoolExecutor
) -> dict[int, Outcome]:
    """Commit the intents, then send; a step that was cancelled or taken away meanwhile is not sent."""
    if not contacts:
        return {}
    with context.database.transaction() as work:
        intended = work.contacts.intend(list(contacts.values()), batch.lease_id)
    steps = {step.step_id: step for step in batch.steps}
    sending = list(intended.items())
    outcomes = pool.map(lambda item: _send(context, batch, steps[item[0]], item[1]), sending)
    sent = {step_id: outcome for (step_id, _), outcome in zip(sending, outcomes, strict=True)}
    withheld = Snooze(
        until=batch.moments.database_now, clock=Clock.DATABASE, reason="withheld: the step was taken away"
    )
    return dict.fromkeys(contacts, withheld) | sent


def _send(context: Context, batch: Batch, step: StepRow, intended: Intended) -> Outcome:
    case: Case = batch.subjects[step.step_id]
    contact, order = intended.contact, case.order
    channel = Channel(contact.contact_method)
    request = ContactRequest(
        key=contact.key,
        channel=channel,
        to=order.phone or str(order.metadata.get("customer_id", order.task_id)),
        task_id=order.task_id,
        script_id=SCRIPT,
        variables={"order_type": order.order_type, "product": str(order.metadata.get("product", ""))},
        callback_url=context.callback_url,
        simulation=_script_entry(order),
        timeout_seconds=TOOLS[_TOOL_OF[channel]].timeout_seconds,
    )
    if batch.lease_lost():
        return Snooze(until=batch.moments.database_now, clock=Clock.DATABASE, reason="withheld: lease lost")
    return _after_sending(context, batch, step, contact, context.gateway.send(request))


def _after_sending(
    context: Context, batch: Batch, step: StepRow, contact: Contact, answer: SendOutcome
) -> Outcome:
    case: Case = batch.subjects[step.step_id]
    match answer:
        case Accepted(provider_id=provider_id):
            return _wait(context, batch, step, contact, provider_id)
        case Answered(report=report) if report.result is ContactResult.DELIVERED:
            return _wait(context, batch, step, contact, report.provider_id)
        case Answered(report=report):
            return conclude(context, step, case, contact, report, batch.moments.business_now)
        case NotSent(reason=reason, retry_after_seconds=after):
            return _not_sent(batch, step, contact, reason, after)
        case Rejected(reason=reason):
            return Failed(
                code="channel_rejected",
                message=f"the channel refuses this contact: {reason}",
                effects=(ContactNoted(contact_id=contact.contact_id, status="refused"),),
            )
        case Unknown(reason=reason):
            return Snooze(
                until=batch.moments.database_now + _LOOK_AGAIN,
                clock=Clock.DATABASE,
                reason=f"outcome unknown, asking the channel: {reason}",
            )


def _not_sent(
    batch: Batch, step: StepRow, contact: Contact, reason: str, after_seconds: float | None
) -> Outcome:
    """Certain that nothing left: tried again by the tool's policy, and when that is used up every five minutes."""
    refused = (ContactNoted(contact_id=contact.contact_id, status="refused"),)
    if step.tries < TOOLS["contact_user"].retry.max_retries:
        return TryAgain(
            code="channel_unavailable", message=reason, effects=refused, after_seconds=after_seconds
        )
    return Snooze(
        until=batch.moments.database_now + _CHANNEL_AWAY,
        clock=Clock.DATABASE,
        reason=f"the channel is away: {reason}",
        effects=refused,
    )


def _wait(context: Context, batch: Batch, step: StepRow, contact: Contact, provider_id: str) -> Park:
    """Park the step until the provider reports; a call's result has a deadline of its own, a text waits longer."""
    case: Case = batch.subjects[step.step_id]
    by_phone = contact.contact_method == Channel.PHONE
    if by_phone:
        until, clock = batch.moments.database_now + context.policy.call_result_deadline, Clock.DATABASE
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
            told(step, "contact_initiated", "contact", f"第{contact.contact_no}次联系客户", "waiting"),
        ),
    )


def _silence(contact: Contact) -> ContactReport:
    """The report of a provider that never reported."""
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
