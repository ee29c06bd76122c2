"""Everything that is known of one order, read in one go; as facts and as a timeline that people can read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from runtime.mask import mask_phone, mask_text
from schemas.core.language import Language
from schemas.orders.explain.sentence import Named
from schemas.orders.explain.words import name_of
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from storage.orders.order_view import OrderView
from storage.people.alerts import Alerts
from storage.people.reviews import Review, Reviews
from tasks.orders.explain.situation import Situation, situation_of

_LONGEST_DETAIL: Final = 80
_LEFT_OUT: Final = frozenset({"step", "step_id", "delivery", "request_id"})
"""What audit lines say of the machinery; the steps tell it better."""


class TimelineLane(StrEnum):
    """The kinds of what happens to an order."""

    STATES = "states"
    CONTACTS = "contacts"
    STEPS = "steps"
    REVIEWS = "reviews"
    ALERTS = "alerts"
    EVENTS = "events"
    WEBHOOKS = "webhooks"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened, on the business clock."""

    at: datetime
    lane: TimelineLane
    what: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One order and its history."""

    order: Order
    words: bool
    """Whether what the customer said is shown."""
    situation: Situation
    contacts: Sequence[Contact]
    transitions: Sequence[Mapping[str, Any]]
    audit: Sequence[Mapping[str, Any]]
    steps: Sequence[Mapping[str, Any]]
    reviews: Sequence[Review]
    alerts: Sequence[Mapping[str, Any]]


def read_dossier(work: UnitOfWork, task_id: str, *, words: bool) -> Dossier | None:
    """The dossier of an order; `None` when there is none of this id.

    `words`: whether what the customer said is to be shown, once that is on record (`tasks.orders.people.revealing`).
    """
    situation = situation_of(work, task_id)
    if situation is None or situation.order is None:
        return None
    alerts: Alerts = Alerts(work)
    return Dossier(
        order=situation.order,
        words=words,
        situation=situation,
        contacts=Contacts(work).of_task(task_id),
        transitions=OrderView(work).transitions(task_id),
        audit=OrderView(work).audit_lines(task_id),
        steps=OrderView(work).steps(situation.order.run_id),
        reviews=Reviews(work).list(state=None, task_id=task_id),
        alerts=alerts.of_task(task_id),
    )


def facts_of(dossier: Dossier) -> list[str]:
    """What the order is and how far it has come, in lines for people; never a number in clear."""
    order = dossier.order
    intent = f", {order.user_intent_l1}·{order.user_intent_l2}" if order.user_intent_l2 else ""
    confidence = f" ({order.confidence:.2f})" if order.confidence is not None else ""
    reason = order.finish_reason or ""
    ended = f", {reason}: {_named(Named.FINISH, reason)}".rstrip(": ") if reason else ""
    pending = order.metadata.get("pending_reason")
    attempts = f"{order.contact_count} of {order.max_contacts} in round {order.round}"
    return [
        f"{order.task_id}  {order.order_type}  order {order.order_id}  priority {order.priority}",
        f"  state     {order.status.value}{ended}{intent}{confidence}",
        f"  attempts  {attempts}, {order.contacts_total} in all",
        f"  customer  {phone_of(order) or 'no phone'}  {order.metadata.get('customer_id') or ''}".rstrip(),
        *([f"  pending   {_cut(str(pending))}"] if pending else []),
    ]


def timeline_of(dossier: Dossier) -> list[tuple[datetime, str, str]]:
    """What happened to the order, in its order: when, what, and the detail."""
    return [(entry.at, entry.what, entry.detail) for entry in entries_of(dossier)]


def entries_of(dossier: Dossier) -> list[TimelineEntry]:
    """The same, each with its lane."""
    entries = [
        TimelineEntry(
            row["at"],
            TimelineLane.STATES,
            f"{row['from_state']} → {row['to_state']}",
            f"{row['event']} by {row['agent_id']}" + _reason(row["metadata"]),
        )
        for row in dossier.transitions
    ]
    entries += [
        TimelineEntry(contact.contact_time, TimelineLane.CONTACTS, *_attempt(contact, words=dossier.words))
        for contact in dossier.contacts
    ]
    entries += [
        TimelineEntry(
            row["timestamp"],
            TimelineLane.AUDIT,
            row["event_type"],
            f"by {row['agent_id']}{_details(row['metadata'])}",
        )
        for row in dossier.audit
    ]
    entries += [
        TimelineEntry(row["raised_at"], TimelineLane.ALERTS, f"alert {row['alert_type']}", row["message"])
        for row in dossier.alerts
    ]
    return sorted(entries, key=lambda entry: entry.at)


def words_in(contact: Contact, *, shown: bool) -> str | None:
    """What was said, numbers masked; three dots where there is something that is not to be shown."""
    if contact.sealed_transcript is None:
        return None
    return mask_text(contact.transcript or "") if shown else "…"


def phone_of(order: Order) -> str | None:
    """The order's number, masked."""
    if order.phone is None:
        return None
    return order.phone if "*" in order.phone else mask_phone(order.phone)


def _named(kind: Named, code: str) -> str:
    return name_of(kind, code, Language.ENGLISH)


def _attempt(contact: Contact, *, words: bool) -> tuple[str, str]:
    channel = _named(Named.CHANNEL, contact.contact_method)
    result = _named(Named.RESULT, contact.contact_result)
    told = words_in(contact, shown=words)
    said = f" “{_cut(told)}”" if told else ""
    lasted = f", {contact.duration_seconds} s" if contact.duration_seconds else ""
    if contact.direction == "inbound":
        return "customer called", f"{channel}{said}"
    return f"attempt {contact.round}.{contact.contact_no}", f"{channel}: {result}{lasted}{said}"


def _details(metadata: Mapping[str, Any]) -> str:
    told = [
        f"{name} {value}"
        for name, value in metadata.items()
        if name not in _LEFT_OUT and value not in (None, "", [], {})
    ]
    return _cut(": " + ", ".join(told)) if told else ""


def _reason(metadata: Mapping[str, Any]) -> str:
    reason = metadata.get("reason")
    return f": {_cut(str(reason))}" if reason else ""


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_DETAIL else f"{line[: _LONGEST_DETAIL - 1]}…"
