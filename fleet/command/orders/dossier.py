"""Everything that is known of one order, as a document and as a timeline people can read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fleet.command.output import show_line, show_table
from runtime.mask import mask_phone, mask_text
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from storage.orders.order_view import OrderView
from storage.people.alerts import Alerts
from storage.people.reviews import Review, Reviews
from tasks.orders.explain.situation import Situation, situation_of
from tasks.orders.explain.status import FINISHED, why
from tasks.orders.explain.waiting import CHANNELS, RESULTS

_LONGEST_DETAIL: Final = 80
_LEFT_OUT: Final = frozenset({"step", "step_id", "delivery", "request_id"})
"""What audit lines say of the machinery; the steps below tell it better."""


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


def document_of(dossier: Dossier) -> dict[str, Any]:
    """The dossier for scripts; the phone number masked."""
    order = dossier.order
    return {
        "order": {
            "task_id": order.task_id,
            "order_id": order.order_id,
            "order_type": order.order_type,
            "status": order.status.value,
            "round": order.round,
            "contact_count": order.contact_count,
            "max_contacts": order.max_contacts,
            "contacts_total": order.contacts_total,
            "phone": _phone(order),
            "user_intent_l1": order.user_intent_l1,
            "user_intent_l2": order.user_intent_l2,
            "confidence": order.confidence,
            "priority": order.priority,
            "mode": order.mode,
            "next_contact_time": order.next_contact_time,
            "created_at": order.created_at,
            "updated_at": order.updated_at,
            "finished_at": order.finished_at,
            "finish_reason": order.finish_reason,
            "metadata": order.metadata,
            "execution_id": order.run_id,
        },
        "run": {"state": dossier.situation.run.state.value, "error": dossier.situation.run.error},
        "contacts": [_contact_document(contact, words=dossier.words) for contact in dossier.contacts],
        "transitions": [dict(row) for row in dossier.transitions],
        "audit": [dict(row) for row in dossier.audit],
        "steps": [dict(row) for row in dossier.steps],
        "reviews": list(dossier.reviews),
        "alerts": [dict(row) for row in dossier.alerts],
        "why": why(dossier.situation),
    }


def show_dossier(dossier: Dossier) -> None:
    """Print the dossier for people."""
    for line in _facts(dossier):
        show_line(line)
    show_line()
    happened = sorted(_happened(dossier), key=lambda row: row[0])
    zone = dossier.situation.zone
    show_table(
        ("when", "what", "detail"),
        [(f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}", what, detail) for at, what, detail in happened],
        title=f"timeline, business time in {zone.key}",
    )
    show_line()
    show_table(
        ("step", "title", "state", "queue", "delivery", "tries", "crashes", "said"),
        [
            (
                row["node"],
                dossier.situation.title(row["node"]),
                f"{row['state']}, held" if row["held"] else row["state"],
                row["queue"] or "",
                row["delivery"],
                row["tries"],
                row["crashes"],
                _cut(str((row["error"] or {}).get("message") or "")),
            )
            for row in dossier.steps
        ],
        title=f"steps of {dossier.order.run_id}, {dossier.situation.run.state.value}",
    )
    for review in dossier.reviews:
        if review.state == "open":
            show_line()
            show_line(f"open review {review.review_id} ({review.reason}): {review.question}")
            show_line(f"  it can be answered with: {', '.join(review.decisions)}")
    show_line()
    show_line(why(dossier.situation))


def _facts(dossier: Dossier) -> list[str]:
    order = dossier.order
    intent = f", {order.user_intent_l1}·{order.user_intent_l2}" if order.user_intent_l2 else ""
    confidence = f" ({order.confidence:.2f})" if order.confidence is not None else ""
    reason = order.finish_reason or ""
    ended = f", {reason}: {FINISHED.get(reason, '')}".rstrip(": ") if reason else ""
    pending = order.metadata.get("pending_reason")
    attempts = f"{order.contact_count} of {order.max_contacts} in round {order.round}"
    return [
        f"{order.task_id}  {order.order_type}  order {order.order_id}  priority {order.priority}",
        f"  state     {order.status.value}{ended}{intent}{confidence}",
        f"  attempts  {attempts}, {order.contacts_total} in all",
        f"  customer  {_phone(order) or 'no phone'}  {order.metadata.get('customer_id') or ''}".rstrip(),
        *([f"  pending   {_cut(str(pending))}"] if pending else []),
    ]


def _happened(dossier: Dossier) -> list[tuple[datetime, str, str]]:
    rows = [
        (
            row["at"],
            f"{row['from_state']} → {row['to_state']}",
            f"{row['event']} by {row['agent_id']}" + _reason(row["metadata"]),
        )
        for row in dossier.transitions
    ]
    rows += [(contact.contact_time, *_attempt(contact, words=dossier.words)) for contact in dossier.contacts]
    rows += [
        (row["timestamp"], row["event_type"], f"by {row['agent_id']}{_details(row['metadata'])}")
        for row in dossier.audit
    ]
    rows += [(row["raised_at"], f"alert {row['alert_type']}", row["message"]) for row in dossier.alerts]
    return rows


def _attempt(contact: Contact, *, words: bool) -> tuple[str, str]:
    channel = CHANNELS.get(contact.contact_method, contact.contact_method)
    result = RESULTS.get(contact.contact_result, contact.contact_result)
    told = _words(contact, shown=words)
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


def _words(contact: Contact, *, shown: bool) -> str | None:
    """What was said, numbers masked; three dots where there is something that is not to be shown."""
    if contact.sealed_transcript is None:
        return None
    return mask_text(contact.transcript or "") if shown else "…"


def _contact_document(contact: Contact, *, words: bool) -> dict[str, Any]:
    return {
        "contact_id": contact.contact_id,
        "round": contact.round,
        "contact_no": contact.contact_no,
        "direction": contact.direction,
        "method": contact.contact_method,
        "status": contact.status,
        "result": contact.contact_result,
        "duration_seconds": contact.duration_seconds,
        "transcript": _words(contact, shown=words),
        "at": contact.contact_time,
        "key": contact.key,
    }


def _phone(order: Order) -> str | None:
    if order.phone is None:
        return None
    return order.phone if "*" in order.phone else mask_phone(order.phone)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_DETAIL else f"{line[: _LONGEST_DETAIL - 1]}…"
