"""What channels report of contacts: kept raw, repetitions found, each applied to the step that waits for it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from engine.engine import Engine
from engine.outcomes import SignalResult
from engine.rescue.isolation import Fault, in_halves
from engine.transaction import Transaction
from runtime.ids import Prefix, new_id
from schemas.orders.contact import ContactResult
from schemas.people.effects import AlertRaised
from statemachine.orders.states import State
from storage.engine.runs import Runs
from storage.orders.contacts.callbacks import Callbacks, NewCallback
from storage.orders.contacts.contact import Contact, InboundContact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from storage.orders.orders import Orders
from tasks.orders.inbound.forgotten import as_kept
from tasks.orders.inbound.further_words import act_on_words
from tasks.orders.rules.answer import count_as_answer
from tasks.orders.rules.conclusion import AGENT, noted, signal_of
from tasks.orders.rules.context import Context
from tools.channels.callbacks import CallbackReport
from tools.channels.contract import ContactReport


class ReportOutcome(StrEnum):
    """What became of a report; every one of these is answered 200, so that the provider stops repeating it."""

    APPLIED = "applied"
    EARLY = "early"
    REPEATED = "repeated"
    LATE = "late"
    ANSWERED_LATE = "answered_late"
    KEPT = "kept"
    """The order does not wait for words just now: they are kept, and a person was alerted."""
    UNKNOWN_KEY = "unknown_key"
    FAULTED = "faulted"
    """It could not be applied: it is kept, and a person was alerted."""


def take_reports(
    engine: Engine, context: Context, provider: str, reported: Sequence[CallbackReport]
) -> list[ReportOutcome]:
    """Apply reports together; early, late, repeated and unknown ones change nothing they should not.

    One that cannot be applied is kept as evidence all the same, and its neighbours are applied without it.
    """

    def together(some: Sequence[CallbackReport]) -> list[ReportOutcome]:
        with engine.transaction() as transaction:
            return apply_reports(transaction, context, provider, some)

    return in_halves(reported, together, lambda one, fault: _keep_alone(engine, provider, one, fault))


def alert_of_fault(provider: str, event_id: str, key: str, fault: Fault) -> AlertRaised:
    """The alert that a report of a channel was kept and could not be applied."""
    return AlertRaised(
        alert_type="callback_fault",
        severity="critical",
        message=f"渠道 {provider} 的回报无法处理, 原文已保留, 请查看该联系的结果",
        escalated_to="operations",
        metadata={"provider": provider, "event_id": event_id, "key": key, "fault": str(fault)},
    )


def _keep_alone(engine: Engine, provider: str, one: CallbackReport, fault: Fault) -> ReportOutcome:
    report = one.report
    with engine.transaction() as transaction:
        Callbacks(transaction.work).keep([_as_kept(provider, one, outcome="faulted")])
        transaction.write([alert_of_fault(provider, report.event_id, report.key, fault)])
    return ReportOutcome.FAULTED


def apply_reports(
    transaction: Transaction, context: Context, provider: str, reported: Sequence[CallbackReport]
) -> list[ReportOutcome]:
    """Apply reports as a part of this transaction; one outcome each, in their order."""
    work = transaction.work
    fresh = Callbacks(work).keep([_as_kept(provider, one) for one in reported])
    contacts = {c.key: c for c in Contacts(work).by_keys([one.report.key for one in reported])}
    outcomes: dict[str, ReportOutcome] = {}
    reports = {one.report.event_id: one.report for one in reversed(reported) if one.report.event_id in fresh}
    for wave in _waves(list(reversed(reports.values())), contacts):
        results = transaction.complete(
            {step_id: signal_of(report, work.cipher) for step_id, report in wave.items()}
        )
        for step_id, report in wave.items():
            match results.get(step_id, SignalResult.LATE):
                case SignalResult.APPLIED:
                    outcomes[report.event_id] = ReportOutcome.APPLIED
                case SignalResult.EARLY:
                    outcomes[report.event_id] = ReportOutcome.EARLY
                case _:
                    outcomes[report.event_id] = _late(transaction, context, contacts[report.key], report)
    return [_outcome_of(one.report, contacts, outcomes) for one in reported]


def _as_kept(provider: str, one: CallbackReport, outcome: str = "received") -> NewCallback:
    return NewCallback(
        provider=provider,
        event_id=one.report.event_id,
        key=one.report.key,
        body=one.raw or "",
        outcome=outcome,
    )


def _waves(
    reports: Sequence[ContactReport], contacts: Mapping[str, Contact]
) -> Iterator[dict[int, ContactReport]]:
    """The reports in the order they came, one a step at a time: several may be of the same contact."""
    left = [report for report in reports if report.key in contacts]
    while left:
        wave = {contacts[report.key].step_id: report for report in reversed(left)}
        yield wave
        left = [report for report in left if wave[contacts[report.key].step_id] is not report]


def _outcome_of(
    report: ContactReport, contacts: Mapping[str, Contact], outcomes: dict[str, ReportOutcome]
) -> ReportOutcome:
    """What became of one report; of those with the same event id only the first was applied."""
    if report.key not in contacts:
        return ReportOutcome.UNKNOWN_KEY
    return outcomes.pop(report.event_id, ReportOutcome.REPEATED)


def _late(
    transaction: Transaction, context: Context, contact: Contact, report: ContactReport
) -> ReportOutcome:
    """A late answer still counts where the order can take it (SPEC.md §8); else it is kept, and a person is alerted.

    Words of one who has answered already are a contact of their own, beside the first.
    """
    work = transaction.work
    # Read again under the lock: from here on the order stands still.
    (order,) = Orders(work).find([contact.task_id]).values()
    Runs(work).lock([order.run_id])
    (order,) = Orders(work).find([contact.task_id]).values()
    (contact,) = Contacts(work).by_keys([contact.key])
    report = as_kept(work, report)
    if report.result is not ContactResult.ANSWERED:
        if contact.status != "concluded":
            Contacts(work).note([noted(contact, report)])
        return ReportOutcome.LATE
    words, has_answered = report.transcript, contact.contact_result == ContactResult.ANSWERED
    if has_answered and (not words or words == contact.transcript):
        # Learned already, by asking the provider or by another report of it.
        return ReportOutcome.LATE
    contact_id, at = contact.contact_id, contact.contact_time
    if has_answered:
        contact_id, at = new_id(Prefix.CONTACT), transaction.moments.business_now
        Contacts(work).add_inbound(_inbound(order, contact_id, at, report))
    else:
        Contacts(work).note([noted(contact, report)])
    if count_as_answer(transaction, order, contact_id, at, agent_id=AGENT):
        return ReportOutcome.ANSWERED_LATE
    if not has_answered and (order.status is State.CLOSED or not words):
        # What was called for before the order ended came to this; nobody needs to do anything.
        return ReportOutcome.LATE
    act_on_words(
        transaction,
        context,
        order,
        words=words,
        method=report.channel.value,
        where={"contact_id": contact_id, "answers": contact.contact_id},
    )
    return ReportOutcome.KEPT


def _inbound(order: Order, contact_id: str, at: datetime, report: ContactReport) -> InboundContact:
    return InboundContact(
        contact_id=contact_id,
        task_id=order.task_id,
        method=report.channel.value,
        words=report.transcript,
        contact_time=at,
        key=f"again.{hashlib.sha256(f'{report.key} {report.event_id}'.encode()).hexdigest()[:48]}",
        round=order.round,
    )
