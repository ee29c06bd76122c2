"""The consequence of a contact's result: the customer answered, or the attempt failed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from engine.outcomes import Done, Outcome, Park
from runtime.cipher import Cipher
from runtime.clock import Clock
from schemas.core.effects import Effect
from schemas.orders.contact import Channel, ContactResult
from schemas.orders.effects import ContactNoted, Move
from schemas.outbound.product_events import ProductEventType
from statemachine.orders.states import Event
from storage.engine.steps import StepRow
from storage.orders.contacts.contact import Contact
from tasks.orders.rules.answer import answered, last_contact_time
from tasks.orders.rules.case import Case
from tasks.orders.rules.context import Context
from tasks.orders.rules.traces import audit, product_event
from tools.channels.contract import ContactReport

AGENT: Final = "contact_agent"

_TITLED: Final = frozenset(
    {
        ContactResult.NO_ANSWER,
        ContactResult.BUSY,
        ContactResult.REJECTED,
        ContactResult.POWER_OFF,
        ContactResult.INVALID_NUMBER,
        ContactResult.SUSPENDED_NUMBER,
        ContactResult.VOICEMAIL,
        ContactResult.UNDELIVERED,
        ContactResult.EXPIRED,
    }
)


def conclude(
    context: Context, step: StepRow, case: Case, contact: Contact, report: ContactReport, now: datetime
) -> Outcome:
    """The outcome of a contact step, given what the provider reports. Pure.

    A text that was merely delivered goes on waiting for its answer.
    """
    if report.result is ContactResult.DELIVERED:
        return _delivered(step, contact, report)
    known = noted(contact, report)
    line = audit(
        step,
        "contact_result",
        AGENT,
        "record_result",
        contact_id=contact.contact_id,
        channel=contact.contact_method,
        result=report.result,
        attempt=contact.contact_no,
        round=contact.round,
        duration_seconds=report.duration_seconds,
    )
    if report.result is ContactResult.ANSWERED:
        return Done(
            output={"contact_result": "answered", "contact_id": contact.contact_id},
            effects=(
                known,
                answered(case.order, contact.contact_id, contact.contact_time, agent_id=AGENT),
                line,
                _responded(step),
            ),
        )
    return _in_vain(context, step, case, contact, report.result, now, (known, line))


def recorded(contact: Contact) -> ContactReport:
    """The report of a contact that is over, as it was recorded."""
    return ContactReport(
        event_id=f"{contact.key}.recorded",
        key=contact.key,
        provider_id=contact.provider_id or "",
        channel=Channel(contact.contact_method),
        result=ContactResult(contact.contact_result),
        transcript=contact.transcript or "",
        duration_seconds=contact.duration_seconds,
        recording_url=contact.recording_url,
        occurred_at=None,
    )


def signal_of(report: ContactReport, cipher: Cipher) -> dict[str, Any]:
    """A report as the engine carries it to the step that waits for it; `report_of_signal` reads it back.

    One that comes early lies beside its step for a while, so the customer's words are sealed.
    """
    return {
        "type": "report",
        "event_id": report.event_id,
        "key": report.key,
        "provider_id": report.provider_id,
        "channel": report.channel.value,
        "result": report.result.value,
        "transcript": cipher.seal_text(report.transcript, _place(report.key)),
        "duration_seconds": report.duration_seconds,
        "recording_url": report.recording_url,
        "occurred_at": None if report.occurred_at is None else report.occurred_at.isoformat(),
    }


def report_of_signal(signal: Mapping[str, Any], cipher: Cipher) -> ContactReport:
    """The report that `signal_of` was given."""
    occurred_at = signal.get("occurred_at")
    return ContactReport(
        event_id=signal["event_id"],
        key=signal["key"],
        provider_id=signal["provider_id"],
        channel=Channel(signal["channel"]),
        result=ContactResult(signal["result"]),
        transcript=cipher.open_text(signal["transcript"], _place(signal["key"])),
        duration_seconds=signal["duration_seconds"],
        recording_url=signal["recording_url"],
        occurred_at=None if occurred_at is None else datetime.fromisoformat(occurred_at),
    )


def _place(key: str) -> str:
    return f"steps.early_signals.{key}"


def _delivered(step: StepRow, contact: Contact, report: ContactReport) -> Park:
    return Park(
        until=step.due_at,
        clock=Clock(step.due_clock) if step.due_clock else Clock.BUSINESS,
        reason="delivered, waiting for the customer's answer",
        effects=(ContactNoted(contact_id=contact.contact_id, status="sent", provider_id=report.provider_id),),
    )


def noted(contact: Contact, report: ContactReport) -> ContactNoted:
    """Return the effect that stores the result of a concluded contact."""
    return ContactNoted(
        contact_id=contact.contact_id,
        status="concluded",
        result=report.result,
        provider_id=report.provider_id or None,
        transcript=report.transcript or None,
        duration_seconds=report.duration_seconds,
        recording_url=report.recording_url,
    )


def _responded(step: StepRow) -> Effect:
    return product_event(step, ProductEventType.CUSTOMER_RESPONDED, "running")


def _in_vain(
    context: Context,
    step: StepRow,
    case: Case,
    contact: Contact,
    result: ContactResult,
    now: datetime,
    effects: tuple[Effect, ...],
) -> Done:
    order = case.order
    attempts_left = order.contact_count < order.max_contacts
    following = (
        context.next_contact(order, now, [*case.past, contact.contact_time]) if attempts_left else None
    )
    return Done(
        output={
            "contact_result": result.value,
            "contact_id": contact.contact_id,
            "next_contact_time": following,
        },
        effects=(
            Move(
                task_id=order.task_id,
                event=Event.USER_NO_ANSWER,
                agent_id=AGENT,
                changes={
                    "last_contact_time": last_contact_time(order, contact.contact_time),
                    "next_contact_time": following,
                },
                metadata={"contact_id": contact.contact_id, "result": result.value},
            ),
            *effects,
            product_event(
                step,
                ProductEventType.CUSTOMER_SILENT,
                "waiting" if attempts_left else "running",
                result.value if result in _TITLED else "",
                until=following,
                attempt=contact.contact_no,
            ),
        ),
    )
