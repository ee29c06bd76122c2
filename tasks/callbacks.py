"""What channels report: kept raw, told apart from repetitions, applied to the step that waits for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.engine import Engine
from engine.transaction import Transaction, Verdict
from schemas.contact import ContactResult
from schemas.effects import ContactNoted
from statemachine.states import State
from storage.callbacks import NewCallback
from storage.contact import Contact
from tasks.conclusion import answered, signal_of
from tools.channels.contract import ContactReport

_TRIAGE: Final = "step5_triage"
_MAY_ANSWER_LATE: Final = frozenset({State.CONTACTING, State.NO_RESPONSE, State.WAITING_FOLLOWUP})


class Heard(StrEnum):
    """What became of a report; every one of these is answered 200, so that the provider stops repeating it."""

    APPLIED = "applied"
    EARLY = "early"
    REPEATED = "repeated"
    LATE = "late"
    ANSWERED_LATE = "answered_late"
    UNKNOWN_KEY = "unknown_key"


@dataclass(frozen=True, slots=True)
class Callback:
    """A verified report and the body it came in."""

    report: ContactReport
    raw: str


def hear(engine: Engine, provider: str, callbacks: Sequence[Callback]) -> list[Heard]:
    """Apply reports in one transaction; early, late, repeated and unknown ones change nothing they should not."""
    with engine.transaction() as transaction:
        fresh = set(
            transaction.work.callbacks.keep(
                [
                    NewCallback(
                        provider=provider,
                        event_id=callback.report.event_id,
                        key=callback.report.key,
                        body=callback.raw,
                    )
                    for callback in callbacks
                ]
            )
        )
        contacts = {c.key: c for c in transaction.work.contacts.by_keys([c.report.key for c in callbacks])}
        heard: dict[str, Heard] = {}
        reports = {c.report.event_id: c.report for c in reversed(callbacks) if c.report.event_id in fresh}
        for wave in _waves(list(reversed(reports.values())), contacts):
            cipher = engine.database.cipher
            verdicts = transaction.complete(
                {step_id: signal_of(report, cipher) for step_id, report in wave.items()}
            )
            for step_id, report in wave.items():
                verdict = verdicts.get(step_id, Verdict.LATE)
                heard[report.event_id] = _heard(transaction, contacts[report.key], report, verdict)
        return [_answer(callback.report, contacts, heard) for callback in callbacks]


def _waves(
    reports: Sequence[ContactReport], contacts: Mapping[str, Contact]
) -> Iterator[dict[int, ContactReport]]:
    """The reports in the order they came, one a step at a time: several may be of the same contact."""
    left = [report for report in reports if report.key in contacts]
    while left:
        wave = {contacts[report.key].step_id: report for report in reversed(left)}
        yield wave
        left = [report for report in left if wave[contacts[report.key].step_id] is not report]


def _answer(report: ContactReport, contacts: Mapping[str, Contact], heard: dict[str, Heard]) -> Heard:
    """What one caller is told; of callbacks with the same event id only the first was heard."""
    if report.key not in contacts:
        return Heard.UNKNOWN_KEY
    return heard.pop(report.event_id, Heard.REPEATED)


def _heard(transaction: Transaction, contact: Contact, report: ContactReport, verdict: Verdict) -> Heard:
    match verdict:
        case Verdict.APPLIED:
            return Heard.APPLIED
        case Verdict.EARLY:
            return Heard.EARLY
        case _:
            return _late(transaction, contact, report)


def _late(transaction: Transaction, contact: Contact, report: ContactReport) -> Heard:
    """A late answer still counts where the order can still take it (SPEC.md §8); else it is evidence."""
    work = transaction.work
    noted = ContactNoted(
        contact_id=contact.contact_id,
        status="concluded",
        result=report.result,
        provider_id=report.provider_id,
        transcript=report.transcript or None,
        duration_seconds=report.duration_seconds,
        recording_url=report.recording_url,
    )
    order = work.orders.find([contact.task_id])[contact.task_id]
    if report.result is not ContactResult.ANSWERED or order.status not in _MAY_ANSWER_LATE:
        if contact.status != "concluded":
            work.contacts.note([noted])
        return Heard.LATE
    diverted = transaction.divert(
        order.run_id, _TRIAGE, {"contact_result": "answered", "contact_id": contact.contact_id}
    )
    effects = (noted, answered(order, contact)) if diverted else (noted,)
    for refusal in work.effects.apply([(contact.step_id, effect) for effect in effects]).values():
        raise refusal
    return Heard.ANSWERED_LATE if diverted else Heard.LATE
