"""What the tests of signals share: orders, telling them something, and a line to customers that can be held."""

from dataclasses import dataclass, field
from itertools import count
from threading import Event
from typing import Any

from schemas.core.language import Language
from schemas.orders.contact import Channel, ContactResult
from schemas.orders.signals import CustomerCalled, Said, Signal
from schemas.outbound.product_events import title_of
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order_view import OrderView
from storage.people.alerts import Alerts
from storage.people.reviews import Reviews
from tasks.orders.inbound.signals import Receipt, receive
from tests.support.factories import READY, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tools.channels.callbacks import CallbackReport
from tools.channels.contract import (
    Absent,
    Accepted,
    ContactQuery,
    ContactReport,
    ContactRequest,
    QueryOutcome,
    SendOutcome,
)

_numbers = count(1)
READY_CALL = CustomerCalled(words=READY)
"""The customer turns to us: the engineer may come."""


def taken_in(house: InProcessFleet, *script: dict[str, object], **changes: Any) -> str:
    """An order that was accepted and not yet worked on."""
    order = submission(*script, **changes)
    house.accept(order)
    return order.body.task_id


def order_run(house: InProcessFleet, *script: dict[str, object], **changes: Any) -> str:
    """An order that went as far as it goes by itself now."""
    task_id = taken_in(house, *script, **changes)
    house.run()
    return task_id


def receive_signal(
    house: InProcessFleet,
    task_id: str,
    said: Said,
    *,
    signal_id: str | None = None,
    retries_soon: bool = False,
) -> Receipt:
    """Tell a task something, once."""
    signal = Signal(signal_id=signal_id or f"sig-{next(_numbers)}", said=said, sent_by="operator")
    return receive(house.engine, house.context, task_id, signal, retries_soon=retries_soon)


def contacts(house: InProcessFleet, task_id: str, direction: str) -> list[Contact]:
    """The contacts of an order that went this way."""
    with house.database.transaction() as work:
        return [contact for contact in Contacts(work).of_task(task_id) if contact.direction == direction]


def everything_shown(house: InProcessFleet) -> str:
    """All rows that people and other systems may be shown, as text."""
    tables = ("events", "audit_logs", "alerts", "transitions", "reviews", "steps", "runs", "system_audit")
    rows = [
        row for table in tables for row in Probe(house.database).values(f"SELECT {table}::text FROM {table}")
    ]
    rows += Probe(house.database).values("SELECT metadata::text FROM tasks")
    rows += Probe(house.database).values("SELECT effect FROM signals")
    return "\n".join(rows)


def audit_of(house: InProcessFleet, task_id: str) -> list[tuple[str, str]]:
    """Action and outcome of each signal in the order's audit log."""
    with house.database.transaction() as work:
        lines = OrderView(work).audit_lines(task_id)
    return [
        (line["action"], line["metadata"]["outcome"])
        for line in lines
        if line["event_type"] == "signal_received"
    ]


def reviews_of(house: InProcessFleet, task_id: str) -> list[tuple[str, str]]:
    """Reason and state of each review, oldest first."""
    with house.database.transaction() as work:
        return [(review.reason, review.state) for review in Reviews(work).list(state=None, task_id=task_id)]


def titles(house: InProcessFleet, task_id: str) -> list[str]:
    """What people who watch the order were told."""
    rows = Probe(house.database).rows(
        "SELECT title, parameters FROM events WHERE task_id = %s ORDER BY event_id", task_id
    )
    return [title_of(row[0], row[1], Language.CHINESE) for row in rows]


def alerts_of(house: InProcessFleet, task_id: str) -> list[str]:
    """The kinds of alerts that were raised for an order."""
    with house.database.transaction() as work:
        return [alert["alert_type"] for alert in Alerts(work).of_task(task_id)]


def only_words_are_kept(house: InProcessFleet, task_id: str, words: str = READY) -> bool:
    """Whether exactly one call of the customer is kept, with these words."""
    return [contact.transcript for contact in contacts(house, task_id, "inbound")] == [words]


def callback_of(key: str, result: ContactResult, words: str = "") -> CallbackReport:
    """What a provider reports of the contact with this key."""
    said = ContactReport(
        event_id=f"{key}.{result}",
        key=key,
        provider_id=f"p-{key}",
        channel=Channel.PHONE,
        result=result,
        transcript=words,
        duration_seconds=30,
        recording_url=None,
        occurred_at=None,
    )
    return CallbackReport(said, raw="{}")


@dataclass(slots=True)
class HeldChannel:
    """A channel that accepts every contact and reports nothing; while it is held, placing one takes for ever."""

    numbers: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    placing: Event = field(default_factory=Event)
    free: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.free.set()

    def send(self, request: ContactRequest) -> SendOutcome:
        """Accept, once the line is free."""
        self.numbers.append(request.to)
        self.keys.append(request.key)
        self.placing.set()
        assert self.free.wait(180)
        return Accepted(f"p-{request.key}", duplicate=False)

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:  # noqa: ARG002 - the port's
        """It knows of nothing."""
        return Absent()

    def close(self) -> None:
        """Nothing is held."""
