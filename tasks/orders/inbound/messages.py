"""Handles messages from customers to whom we sent none: applied to their open order; a stop word counts for anybody."""

import hashlib
from typing import Final

from engine.engine import Engine
from runtime.phone import Phone
from schemas.orders.signals import CustomerCalled, Signal
from schemas.people.effects import AlertRaised
from storage.orders.orders import Orders
from storage.people.alerts import Alerts
from tasks.orders.inbound.reports import ReportOutcome
from tasks.orders.inbound.signals import ReceiptResult, receive
from tasks.orders.people.barring import bar_number
from tasks.orders.rules.conclusion import AGENT
from tasks.orders.rules.context import Context
from tasks.orders.rules.flags import ADDED_BY, REASON
from tools.channels.contract import ContactReport
from tools.classifier.taxonomy import Flag

UNMATCHED: Final = "unmatched_reply"
"""The alert that somebody wrote whom no open order knows."""


def take_message(
    engine: Engine, context: Context, provider: str, phone: Phone, report: ContactReport
) -> ReportOutcome:
    """Take words from a number to which no text of ours went.

    The open order of the number that was last in touch takes them as a call of its customer. Of a stranger's words a
    wish not to be contacted holds at once, and a person is alerted: the words are kept with the callback.
    """
    with context.database.looks() as work:
        task_id = Orders(work).open_with_number(context.blind_index.marks(phone))
    if task_id is None:
        return _without_order(context, provider, phone, report)
    named = hashlib.sha256(f"{provider} {report.event_id}".encode()).hexdigest()[:48]
    said = CustomerCalled(words=report.transcript, channel=report.channel.value, at=report.occurred_at)
    receipt = receive(engine, context, task_id, Signal(signal_id=f"in.{named}", said=said, sent_by=AGENT))
    match receipt.result:
        case ReceiptResult.APPLIED:
            return ReportOutcome.APPLIED
        case ReceiptResult.REPEATED:
            return ReportOutcome.REPEATED
        case _:
            return ReportOutcome.KEPT


def _without_order(context: Context, provider: str, phone: Phone, report: ContactReport) -> ReportOutcome:
    wishes = context.classifier.classify(report.transcript).flags
    barred = Flag.DO_NOT_CONTACT in wishes
    if barred:
        bar_number(
            context.database, context.blind_index, phone, channel=None, reason=REASON, until=None, by=ADDED_BY
        )
    alert = AlertRaised(
        alert_type=UNMATCHED,
        severity="info",
        message=f"{phone.masked()} 来信, 没有对应的未结工单" + ("; 已列入免打扰名单" if barred else ""),
        metadata={"provider": provider, "event_id": report.event_id, "barred": barred},
    )
    with context.database.transaction() as work:
        Alerts(work).raise_all([alert])
    return ReportOutcome.UNKNOWN_KEY
