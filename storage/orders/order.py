"""A suspended order, as it is accepted and as it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtime.cipher import Sealed
from statemachine.orders.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order as accepted; `phone` in clear, encrypted on the way in."""

    task_id: str
    order_id: str
    order_type: str
    contact_count: int
    last_contact_time: datetime | None
    max_contacts: int
    priority: int
    mode: str
    metadata: Mapping[str, object]
    phone: str | None = field(repr=False)
    digest: bytes = field(repr=False)
    """Of all that was sent; encrypted on the way in, since it may be of a number."""
    source: str
    run_id: str
    phone_index: bytes | None = field(default=None, repr=False)
    """The blind index of the number; `None` where it is masked, malformed or missing."""
    personal: str | None = field(default=None, repr=False)
    """What was taken out of the metadata, as JSON in clear; encrypted on the way in."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order with its present state; made by position where rows are read, many at a time."""

    status: State
    sealed_phone: Sealed | None
    sealed_digest: Sealed
    task_id: str
    order_id: str
    order_type: str
    contact_count: int
    max_contacts: int
    last_contact_time: datetime | None
    next_contact_time: datetime | None
    user_intent_l1: str | None
    user_intent_l2: str | None
    confidence: float | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    finish_reason: str | None
    metadata: Mapping[str, Any]
    version: int
    round: int
    contacts_total: int
    priority: int
    mode: str
    run_id: str
    phone_index: bytes | None = field(repr=False)
    followup_rule: Mapping[str, Any] | None
    """The rule that gives its follow-up times (`tools.recurrence`), as it is stored."""

    @property
    def phone(self) -> str | None:
        """The customer's number in clear; `None` where upstream sent none."""
        return None if self.sealed_phone is None else self.sealed_phone.open()

    def was_sent_as(self, digest: bytes) -> bool:
        """Whether what was sent had this digest; no when no key of ours opens the one that is stored."""
        return self.sealed_digest.holds(digest.hex())


def sealed_place(column: str, task_id: str) -> str:
    """What an encrypted column of an order is bound to."""
    return f"tasks.{column}.{task_id}"
