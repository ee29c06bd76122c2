"""Records the result of a contact given by an agent: of our contact, or of the agent's own."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from engine.engine import Engine
from engine.transaction import Transaction
from schemas.orders.contact import Channel, ContactResult
from schemas.orders.effects import ContactNoted
from statemachine.workflow.states import StepState
from storage.engine.runs import Runs
from storage.orders.contacts.contact import Contact, NewContact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from storage.orders.order_view import OrderView, WaitingStep
from storage.orders.orders import Orders
from tasks.orders.calls.contact import ACTION
from tasks.orders.inbound.reports import ReportOutcome, apply_reports
from tasks.orders.rules.context import Context
from tools.channels.callbacks import CallbackReport
from tools.channels.contract import ContactReport

PROVIDER: Final = "agent"
"""The name under which results that agents record are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    """What an agent says came of a contact (seed 000 section 四, Contact)."""

    task_id: str
    contact_id: str
    result: ContactResult
    channel: Channel
    feedback: str | None = field(repr=False)
    """What the customer wants, in the agent's words; classified rather than the transcript."""
    transcript: str | None = field(repr=False)
    at: datetime | None
    duration_seconds: int | None = None
    recording_url: str | None = None


class Unrecordable(StrEnum):
    """Why a result cannot be recorded."""

    NO_TASK = "no_task"
    NO_CONTACT = "no_contact"
    OTHER_TASK = "other_task"
    OTHER_CONTACT = "other_contact"
    """The attempt that the order waits for was made under another id."""
    NOT_WAITING = "not_waiting"


def record(
    engine: Engine, context: Context, given: ContactRecord
) -> tuple[ReportOutcome | Unrecordable, Order | None]:
    """Store the result and complete the waiting step; a repeated, late or early one changes nothing else."""
    with engine.transaction() as transaction:
        contact, why, order = _contact(transaction, given)
        if contact is None:
            return why or Unrecordable.NO_CONTACT, order
        reported = CallbackReport(_report(contact, given), raw=_raw(given))
        (outcome,) = apply_reports(transaction, context, PROVIDER, [reported])
        if given.feedback and outcome in _COUNTS:
            _note(transaction, contact, given.feedback, outcome)
        return outcome, Orders(transaction.work).find([given.task_id]).get(given.task_id)


_COUNTS: Final = frozenset({ReportOutcome.APPLIED, ReportOutcome.EARLY, ReportOutcome.ANSWERED_LATE})
"""What a result came to whose words are those that are classified."""


def _report(contact: Contact, given: ContactRecord) -> ContactReport:
    return ContactReport(
        event_id=_event_id(given),
        key=contact.key,
        provider_id=contact.provider_id or "",
        channel=Channel(contact.contact_method),
        result=given.result,
        transcript=given.transcript or given.feedback or "",
        duration_seconds=given.duration_seconds,
        recording_url=given.recording_url,
        occurred_at=given.at,
    )


def _raw(given: ContactRecord) -> str:
    """All that was given, as it is kept whatever becomes of it."""
    return json.dumps(asdict(given), default=str, ensure_ascii=False, sort_keys=True)


def _contact(
    transaction: Transaction, given: ContactRecord
) -> tuple[Contact | None, Unrecordable | None, Order | None]:
    work = transaction.work
    order = Orders(work).find([given.task_id]).get(given.task_id)
    if order is None:
        return None, Unrecordable.NO_TASK, None
    contact = Contacts(work).by_ids([given.contact_id]).get(given.contact_id)
    if contact is not None:
        mine = contact.task_id == order.task_id
        return (contact, None, order) if mine else (None, Unrecordable.OTHER_TASK, order)
    Runs(work).lock([order.run_id])
    waiting = OrderView(work).waiting_steps(order.run_id)
    step = next((step for step in waiting if step.action == ACTION and step.state is StepState.OFFERED), None)
    if order.mode != "manual":
        return None, Unrecordable.NO_CONTACT, order
    if step is None:
        return None, Unrecordable.NOT_WAITING, order
    made = _made_outside(transaction, order, step, given)
    return made, None if made else Unrecordable.OTHER_CONTACT, order


def _made_outside(
    transaction: Transaction, order: Order, step: WaitingStep, given: ContactRecord
) -> Contact | None:
    """The attempt that the agent made by itself, written as ours would be; `None` where it was made already."""
    contacts = Contacts(transaction.work)
    now = transaction.moments.business_now
    contacts.begun_outside(
        NewContact(
            contact_id=given.contact_id,
            task_id=order.task_id,
            method=given.channel,
            contact_time=min(given.at or now, now),
            key=f"{order.task_id}.{order.round}.{order.contact_count}",
            round=order.round,
            contact_no=order.contact_count,
            step_id=step.step_id,
            script_id=PROVIDER,
            phone_index=order.phone_index,
        )
    )
    return contacts.by_ids([given.contact_id]).get(given.contact_id)


def _note(transaction: Transaction, contact: Contact, feedback: str, outcome: ReportOutcome) -> None:
    noted = ContactNoted(
        contact_id=contact.contact_id,
        status="sent" if outcome is ReportOutcome.EARLY else "concluded",
        user_feedback=feedback,
    )
    Contacts(transaction.work).note([noted])


def _event_id(given: ContactRecord) -> str:
    """The same for the same result: recorded twice, it is applied once."""
    said = "\n".join((given.contact_id, given.result, given.transcript or "", given.feedback or ""))
    return f"rec.{hashlib.sha256(said.encode()).hexdigest()[:56]}"
