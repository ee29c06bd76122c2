"""What the routes answer that explain an order: what it waits for, what the contact policy says, what is said next."""

from datetime import date

from pydantic import ConfigDict

from schemas.core.form import Answered, Moment
from schemas.orders.contact import Channel


class MomentOnClock(Answered):
    """A moment, and the clock it lies on."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    at: Moment
    clock: str


class WhyView(Answered):
    """What a task waits for, since when, until when, and what happens next."""

    task_id: str
    stands: str
    """Its state, and how far it has come in it."""
    wait: str
    """What it waits for, as programs read it."""
    waiting_for: str
    """The same in the words of the language that was asked for."""
    code: str
    """Which sentence that is, as programs read it."""
    since: MomentOnClock | None
    until: MomentOnClock | None
    next: str
    next_code: str | None
    note: str | None
    sentences: str
    """All of it in one to three sentences."""
    timezone: str
    """The customer's, in which the times are told."""


class DayShown(Answered):
    """A day of the customer's calendar, and the hours in which contacts are permitted."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    day: date
    kind: str
    windows: list[str]


class CapShown(Answered):
    """How far one cap of the number is used."""

    limit: int
    period_seconds: float
    used: int


class EntryShown(Answered):
    """An entry of the do-not-call list that holds for the number."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    entry_id: str
    channel: str | None
    added_by: str
    reason: str
    until: Moment | None


class ContactPolicyView(Answered):
    """What the contact policy says of the next contact of an order, at this moment of the business clock."""

    task_id: str
    policy: str
    state: str
    mode: str
    now: Moment
    zone: str
    round: int
    max_rounds: int
    attempt: int
    max_attempts: int
    channel: Channel | None
    """The next contact's, or the one it would have taken if that may not be."""
    days: list[DayShown]
    last_contact: Moment | None
    gap_seconds: float
    contacts_today: int
    max_per_day: int | None
    number_known: bool
    """False where it is masked or missing: nothing is counted or barred by it."""
    caps: list[CapShown]
    do_not_call: list[EntryShown]
    stops: list[str]
    """Reasons of the emergency stops that hold it."""
    budget: int | None
    budget_spent: int
    withheld: bool
    """Whether an emergency stop is all that stands against it."""
    earliest: Moment | None
    """Null when no waiting helps, or only the end of a stop."""
    reason: str | None
    """Why not now; null when it is permitted now."""
    agreed_at: Moment | None
    """When the order itself wants its customer contacted next."""
    warning: str | None


class NextContactView(Answered):
    """The contact that would follow, in words; nothing is sent."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    task_id: str
    attempt: int
    max_attempts: int
    round: int
    channel: Channel | None
    to: str | None
    """The number, masked."""
    zone: str
    earliest: Moment | None
    agreed_at: Moment | None
    why_not_now: str | None
    script: str | None
    """Name and version; null when it cannot be used."""
    text: str | None
    problem: str | None
    """Why there are no words."""
