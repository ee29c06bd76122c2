"""What the routes of orders answer: a list for people, and everything that is known of one."""

from typing import Any

from pydantic import Field

from schemas.core.form import Answered, Moment


class OrderSummary(Answered):
    """An order as a list shows it."""

    task_id: str
    order_id: str
    status: str
    round: int
    contact_count: int
    priority: int
    user_intent_l1: str | None
    user_intent_l2: str | None
    finish_reason: str | None
    next_contact_time: Moment | None
    created_at: Moment
    wait: str
    """What it waits for, in the words of `GET /v1/tasks/{task_id}/why`."""


class OrderList(Answered):
    """Orders, the newest first."""

    orders: list[OrderSummary]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class OrderShown(Answered):
    """An order in full, its number masked."""

    task_id: str
    order_id: str
    order_type: str
    status: str
    round: int
    contact_count: int
    max_contacts: int
    contacts_total: int
    phone: str | None
    user_intent_l1: str | None
    user_intent_l2: str | None
    confidence: float | None
    priority: int
    mode: str
    next_contact_time: Moment | None
    created_at: Moment
    updated_at: Moment
    finished_at: Moment | None
    finish_reason: str | None
    metadata: dict[str, Any]
    execution_id: str


class RunShown(Answered):
    """The run of an order."""

    state: str
    error: dict[str, Any] | None


class ContactShown(Answered):
    """One contact with the customer."""

    contact_id: str
    round: int
    contact_no: int
    direction: str
    method: str
    status: str
    result: str | None
    duration_seconds: int | None
    transcript: str | None = Field(repr=False)
    """What was said, numbers masked; three dots where it is not to be shown."""
    at: Moment
    key: str | None


class Happened(Answered):
    """Something that happened to an order, on the business clock."""

    at: Moment
    what: str
    detail: str


class DossierView(Answered):
    """Everything that is known of an order."""

    order: OrderShown
    run: RunShown
    contacts: list[ContactShown]
    transitions: list[dict[str, Any]]
    audit: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    """Every step of its run, with what people call it."""
    reviews: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    why: str
    """What it waits for, in one to three sentences of English; `GET /v1/tasks/{task_id}/why` has both languages."""
    timezone: str
    """The customer's."""
    facts: list[str]
    """What it is and how far it has come, in lines for people."""
    timeline: list[Happened]
    """What happened to it, oldest first."""
