"""The contact agent: commits the intent, makes the contact, and parks the step until the result.

Effect class *once* (SPEC.md §3): the intent to send is committed before anything leaves; a failure is retried
only when it is certain that nothing was sent; an unknown outcome is reconciled by key, never repeated.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final

from engine.actions import ActionDeclaration, Batch, EffectClass, Resumption
from engine.outcomes import Failed, Outcome, Snooze
from runtime.clock import Clock
from runtime.ids import Prefix, new_id
from schemas.orders.contact import Channel, ContactResult
from schemas.orders.step_inputs import ContactInput
from schemas.people.why import Why, WhyCode
from storage.engine.steps import StepRow
from storage.orders.contacts.contact import Contact, NewContact
from tasks.orders.agents.sending import LOOK_AGAIN, address_of, send_all, silence, wait
from tasks.orders.rules.case import Case, load_cases
from tasks.orders.rules.conclusion import conclude, recorded, report_of_signal
from tasks.orders.rules.constraints import Withholding, came_to_nothing, number_of
from tasks.orders.rules.context import Context
from tasks.orders.rules.reasons import failed
from tasks.orders.rules.wording import script_text_for
from tools.channels.contract import Absent, ContactFound, ContactQuery, ContactReport, Unreachable
from tools.contact_policy.permission import Permitted
from tools.limits import TOOLS

QUERY_SECONDS: Final = 5.0
"""How long a channel may take to say what became of a contact."""
_GIVE_UP_SECONDS: Final = 900.0
"""An outcome that is still unknown after this goes to a person."""
_TURNS: Final = 8
"""How often as many contacts as may be under way are in one batch."""
_BEGIN_SECONDS: Final = 5.0
"""How long after its first contacts a batch begins further ones."""


def initiate_contact(context: Context, batch: Batch) -> Mapping[int, Outcome]:
    """Contact the customers of a batch, each once (seed step3).

    So many at a time as may be under way: the intents of the next are not committed before these were answered.
    Where that takes long, the rest of the batch goes back to the queue.
    """
    outcomes: dict[int, Outcome] = {}
    begin_before = time.monotonic() + _BEGIN_SECONDS
    with ThreadPoolExecutor(max_workers=max(1, min(len(batch.steps), context.contacts_at_once))) as pool:
        for start in range(0, len(batch.steps), context.contacts_at_once):
            steps = batch.steps[start : start + context.contacts_at_once]
            if start and time.monotonic() > begin_before:
                outcomes |= {step.step_id: _given_back(batch) for step in batch.steps[start:]}
                break
            outcomes |= _contact(context, batch, steps, pool)
    return outcomes


def _contact(
    context: Context, batch: Batch, steps: Sequence[StepRow], pool: ThreadPoolExecutor
) -> dict[int, Outcome]:
    """Contact these at the same time."""
    begun = [step for step in steps if _has_begun(batch.subjects[step.step_id])]
    reconciled = pool.map(lambda step: _reconcile(context, batch, step), begun)
    outcomes = {
        step.step_id: outcome for step, outcome in zip(begun, reconciled, strict=True) if outcome is not None
    }
    undecided = [step for step in steps if step.step_id not in outcomes]
    return outcomes | send_all(context, batch, undecided, partial(_decide, context, batch), pool)


def _given_back(batch: Batch) -> Outcome:
    return Snooze(
        until=batch.moments.database_now,
        clock=Clock.DATABASE,
        reason="given back: the channel answers slowly",
    )


def conclude_contact(context: Context, resumption: Resumption) -> Outcome:
    """Return the outcome of a contact that was begun, from the provider's report or the deadline."""
    case: Case = resumption.subject
    step, now = resumption.step, resumption.moments.business_now
    if case.begun is None:
        return failed(Why(WhyCode.CONTACT_UNKNOWN))
    if resumption.signal.get("type") != "deadline":
        return conclude(
            context, step, case, case.begun, report_of_signal(resumption.signal, context.database.cipher), now
        )
    if case.begun.contact_method == Channel.PHONE:
        # The provider may know what its callback did not bring us; asking it is the worker's business.
        return Snooze(
            until=resumption.moments.database_now, clock=Clock.DATABASE, reason="result overdue: asking"
        )
    return conclude(context, step, case, case.begun, silence(case.begun), now)


def _has_begun(case: Case) -> bool:
    """Whether the attempt at hand may have left, or is even known to be over."""
    return case.begun is not None and case.begun.status in ("sending", "sent", "concluded")


def _reconcile(context: Context, batch: Batch, step: StepRow) -> Outcome | None:
    """What became of an attempt that was begun before; `None` when it is certain that nothing was sent."""
    case: Case = batch.subjects[step.step_id]
    contact, now = case.begun, batch.moments.business_now
    assert contact is not None, "what was begun has its row"
    if contact.status == "concluded":
        # A worker that had lost its lease learned it, or it came late: what is known needs no further contact.
        return conclude(context, step, case, contact, recorded(contact), now)
    if step.early_signals:
        # Its result has come already; `record` hears it.
        return wait(context, batch, step, contact, contact.provider_id)
    return _asked(context, batch, step, case, contact)


def _asked(context: Context, batch: Batch, step: StepRow, case: Case, contact: Contact) -> Outcome | None:
    now = batch.moments.business_now
    answer = context.gateway.query(_sought(case, contact), timeout_seconds=QUERY_SECONDS)
    match answer:
        case ContactFound(report=ContactReport() as report) if report.result is not ContactResult.DELIVERED:
            return conclude(context, step, case, contact, report, now)
        case ContactFound() | Absent() if _came_to_nothing(context, contact, answer):
            return conclude(context, step, case, contact, silence(contact), now)
        case ContactFound(provider_id=provider_id):
            return wait(context, batch, step, contact, provider_id)
        case Absent():
            return None
        case Unreachable() if contact.status == "sent" and contact.contact_method != Channel.PHONE:
            return wait(context, batch, step, contact, contact.provider_id)
        case Unreachable(reason=reason):
            return _still_unknown(batch, contact, reason)


def _sought(case: Case, contact: Contact) -> ContactQuery:
    return ContactQuery(
        key=contact.key,
        channel=Channel(contact.contact_method),
        to=address_of(case.order),
        provider_id=contact.provider_id,
        begun_at=contact.created_at,
        age_seconds=contact.age_seconds,
    )


def _came_to_nothing(context: Context, contact: Contact, answer: ContactFound | Absent) -> bool:
    """Whether a contact that the channel took has had its time, or is one that it denies to know."""
    if contact.status != "sent":
        return False
    by_phone = contact.contact_method == Channel.PHONE
    overdue = contact.age_seconds >= context.policy.call_result_deadline.total_seconds()
    return isinstance(answer, Absent) or (by_phone and overdue)


def _still_unknown(batch: Batch, contact: Contact, reason: str) -> Outcome:
    """The channel does not say whether the customer was contacted: ask again, at last a person."""
    if contact.age_seconds > _GIVE_UP_SECONDS:
        return failed(Why(WhyCode.CONTACT_OUTCOME_UNKNOWN, {"said": reason}))
    return Snooze(
        until=batch.moments.database_now + LOOK_AGAIN,
        clock=Clock.DATABASE,
        reason=f"outcome unknown, asking the channel again: {reason}",
    )


def _decide(context: Context, batch: Batch, withholding: Withholding, step: StepRow) -> NewContact | Outcome:
    """Whether the attempt may be made now, by all that holds at the moment of sending (SPEC.md §8)."""
    case: Case = batch.subjects[step.step_id]
    order, now = case.order, withholding.now
    called = ContactInput.of(step.input).call
    verdict = withholding.judge(case, called.channel)
    if not isinstance(verdict, Permitted):
        return withholding.outcome(case, verdict)
    channel = verdict.channel
    said = script_text_for(context, order, channel, called.script_id)
    if isinstance(said, Failed):
        return replace(said, effects=came_to_nothing(case))
    withholding.let_through(case, channel)
    return NewContact(
        contact_id=new_id(Prefix.CONTACT),
        task_id=order.task_id,
        method=channel,
        contact_time=now,
        key=case.key,
        round=order.round,
        contact_no=order.contact_count,
        step_id=step.step_id,
        script_id=said.script_id,
        script_version=said.script_version,
        phone_index=number_of(context, order),
    )


ACTIONS: Final[tuple[ActionDeclaration[Context], ...]] = (
    ActionDeclaration(
        name="contact.initiate_contact",
        effect=EffectClass.ONCE,
        retry=TOOLS["contact_user"].retry,
        work_seconds=_BEGIN_SECONDS + QUERY_SECONDS + TOOLS["contact_user"].timeout_seconds,
        load=lambda _, work, steps: load_cases(work, steps),
        work=initiate_contact,
        resume=conclude_contact,
        largest_batch=lambda context: _TURNS * context.contacts_at_once,
        warm=lambda context: context.gateway,
    ),
)
"""The contact agent's actions."""
