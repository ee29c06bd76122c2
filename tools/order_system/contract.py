"""The interface of the order system for the action agent: requests, and every possible answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSystemRequest:
    """One action that is to be carried out.

    Attributes:
        key: The same on every delivery, try and retry of this action: it is carried out once for it.
        action_type: The tool (SPEC.md §3): `update_appointment`, `notify_engineer` or `cancel_order`; or `take_back`,
            of an action that was performed before.
        order_id: The order in the order system.
        task_id: The suspended order that it belongs to.
        parameters: What the action needs, the same whenever the key is; moments in UTC.
        timeout_seconds: The tool's limit for one call.
    """

    key: str
    action_type: str
    order_id: str
    task_id: str
    parameters: Mapping[str, object]
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """The slot that the order system gave a visit, as far as it was stated."""

    visit_at: datetime | None = None
    day: date | None = None
    name: str | None = None
    """The order system's own name of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """The action is carried out, now or before with the same key."""

    result: Mapping[str, Any] = field(default_factory=dict)
    """What the order system told about it: small, storable JSON."""
    slot: Booked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRefused:
    """The order system refuses the action for good: a person decides."""

    code: str
    reason: str
    offered_days: tuple[date, ...] = ()
    """Days on which a visit would be possible instead."""


@dataclass(frozen=True, slots=True)
class NotPerformed:
    """Nothing was done, for certain; another try may succeed."""

    reason: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ActionUnclear:
    """It may have been done; a repetition with the same key does it at most once."""

    reason: str


PerformOutcome = Performed | ActionRefused | NotPerformed | ActionUnclear


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The free capacity of a day in a region."""

    day: date
    free: int
    capacity: int | None = None
    """Visits the day has room for in all; `None` where the order system does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """The free days of a region; where visits are not limited, any day is possible and none is named."""

    limited: bool
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class SlotsUnknown:
    """The order system could not be asked, or did not answer."""

    reason: str


class OrderSystem(Protocol):
    """Carries out actions. Created once a process; safe to share between threads."""

    @property
    def remote(self) -> bool:
        """Whether it is another system: calls take time, and the slots are its own."""

    def perform(self, request: OrderSystemRequest) -> PerformOutcome:
        """Carry out one action, within its time limit."""

    def slots(self, region: str, first: date, last: date) -> Offered | SlotsUnknown:
        """Return the free slots of a region between two days, both included."""

    def close(self) -> None:
        """Close the connections."""
