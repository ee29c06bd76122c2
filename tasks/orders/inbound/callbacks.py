"""Handles reports of channels: stores them raw, drops repetitions, completes the waiting step."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from engine.engine import Engine
from engine.rescue.isolation import Fault, isolated
from runtime.blind_index import BlindIndex
from runtime.phone import Phone, normalise
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.traces import ContactTraces
from tasks.orders.inbound.forgotten import without_bodies_of_forgotten
from tasks.orders.inbound.messages import take_message
from tasks.orders.inbound.reports import ReportOutcome, alert_of_fault, take_reports
from tasks.orders.rules.context import Context
from tools.channels.callbacks import ByNumber, ByReference, CallbackContent, CallbackReport
from tools.channels.contract import ContactReport
from tools.channels.reference import extend_code_of


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback that is its provider's: what it reports, and the body it came in."""

    provider: str
    reading: CallbackContent
    body: str = field(repr=False)

    @property
    def reported(self) -> list[CallbackReport]:
        """Its reports in their order, each with its part of the body."""
        return [replace(one, raw=one.raw or self.body) for one in self.reading.reported]


def take_callbacks(
    engine: Engine, context: Context, callbacks: Sequence[Callback]
) -> list[list[ReportOutcome]]:
    """Apply callbacks, each with all its reports; what is of no contact of ours is kept all the same."""
    reported = [(place, one) for place, callback in enumerate(callbacks) for one in callback.reported]
    if any(one.trace is not None for _, one in reported):
        with context.database.looks() as work:
            found = _with_keys(work, context.blind_index, [one for _, one in reported])
        reported = [(place, one) for (place, _), one in zip(reported, found, strict=True)]
    outcomes: list[list[ReportOutcome]] = [[] for _ in callbacks]
    for provider in dict.fromkeys(callback.provider for callback in callbacks):
        own = [(place, one) for place, one in reported if callbacks[place].provider == provider]
        taken = take_reports(engine, context, provider, [one for _, one in own]) if own else []
        for (place, one), outcome in zip(own, taken, strict=True):
            phone = _writer(one) if outcome is ReportOutcome.UNKNOWN_KEY else None
            outcomes[place].append(
                outcome if phone is None else _take_message(engine, context, provider, phone, one.report)
            )
    return outcomes


def _take_message(
    engine: Engine, context: Context, provider: str, phone: Phone, report: ContactReport
) -> ReportOutcome:
    """Take words that are kept with the callback already; where they cannot be applied, a person is alerted."""
    taken = isolated(lambda: take_message(engine, context, provider, phone, report))
    if not isinstance(taken, Fault):
        return taken
    with engine.transaction() as transaction:
        transaction.write([alert_of_fault(provider, report.event_id, report.key, taken)])
    return ReportOutcome.FAULTED


def _writer(one: CallbackReport) -> Phone | None:
    """Whose words these are, where somebody wrote of their own accord."""
    if not isinstance(one.trace, ByNumber) or not one.report.transcript.strip():
        return None
    return normalise(one.trace.number)


def _with_keys(
    work: UnitOfWork, index: BlindIndex, reported: Sequence[CallbackReport]
) -> Sequence[CallbackReport]:
    """The reports with every key that could be found; a stand-in is left where none could."""
    traces = [one.trace for one in reported]
    keys = ContactTraces(work).by_references(
        [trace.reference for trace in traces if isinstance(trace, ByReference)]
    )
    marks = {
        trace: index.marks(phone)
        for trace in traces
        if isinstance(trace, ByNumber) and (phone := normalise(trace.number)) is not None
    }
    sent = ContactTraces(work).sent_to(set(marks.values()))

    def key_of(one: CallbackReport) -> str:
        match one.trace:
            case ByReference(reference):
                return keys.get(reference, one.report.key)
            case ByNumber() as reply if reply in marks:
                return (
                    _answered_by(reply, sent.get((marks[reply][0], reply.channel.value), ()))
                    or one.report.key
                )
            case _:
                return one.report.key

    found = [replace(one, report=replace(one.report, key=key_of(one))) for one in reported]
    return without_bodies_of_forgotten(work, index, found)


def _answered_by(reply: ByNumber, newest_first: Sequence[str]) -> str | None:
    """Which text a reply answers: the one whose code it was sent to, else the last."""
    named = [key for key in newest_first if reply.sent_to.endswith(extend_code_of(key))]
    return next(iter((*named, *newest_first)), None)
