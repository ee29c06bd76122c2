"""What a step does to our own tables, as values: returned by the work, written by `record` (SPEC.md §3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from schemas.core.effects import Effect
from statemachine.orders.states import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Effect):
    """An order takes an event. Refused as a whole step when the transition table does not allow it.

    `changes` holds columns of `tasks` set together with it; the round and the counts follow from the event.
    """

    task_id: str
    event: Event
    agent_id: str
    decided_by_person: bool = False
    permitted: bool = True
    reason: str | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNoted(Effect):
    """Columns of `tasks` that change without a move: what was learned, not where the order stands."""

    task_id: str
    changes: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit(Effect):
    """One line of an order's audit log."""

    task_id: str
    event_type: str
    agent_id: str
    action: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactNoted(Effect):
    """What became known of a contact; applied monotonically, a concluded one is not reopened.

    That nothing left (`refused`) is said of one begin, named by its time: another worker may have begun the same
    attempt again since, and its contact may be on its way.
    """

    contact_id: str
    status: Literal["sent", "refused", "concluded"]
    result: str | None = None
    provider_id: str | None = None
    transcript: str | None = None
    duration_seconds: int | None = None
    recording_url: str | None = None
    user_feedback: str | None = None
    """What the customer wants, in the words of the agent who spoke with them."""
    begun_at: datetime | None = None
    """When the begin was committed of which nothing left; with `refused` alone."""

    def __post_init__(self) -> None:
        """Refuse a contact that came to nothing without the begin that is meant."""
        if (self.status == "refused") is not (self.begun_at is not None):
            raise ValueError("'refused', and nothing else, is said of a begin: give begun_at with it")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTaken(Effect):
    """An action on the order system; a second one with the same key changes nothing."""

    action_id: str
    task_id: str
    action_type: str
    key: str
    parameters: Mapping[str, object]
    result: Mapping[str, object]
    outside: bool = False
    """Whether another system carried it out: then it has happened, whatever becomes of the step."""
    status: Literal["executed", "performed"] = "executed"
    """`performed`: the step is not done with it yet, since the rest of what it was to do failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentBooked(Effect):
    """A visit is to take place; `visit_at` is `None` until a slot is agreed.

    With a `region` it takes a place of its capacity on that `day`, or its whole step is refused.
    """

    action_id: str
    task_id: str
    order_id: str
    visit_at: datetime | None
    engineer_id: str
    note: str
    region: str | None = None
    day: date | None = None
    slot: str | None = None
    """The order system's own name of the slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineerNotified(Effect):
    """The engineer was told."""

    action_id: str
    task_id: str
    order_id: str
    engineer_id: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(Effect):
    """The order was cancelled in the order system."""

    action_id: str
    task_id: str
    order_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowupScheduled(Effect):
    """The customer is contacted again at this business time."""

    action_id: str
    task_id: str
    order_id: str
    followup_id: str
    followup_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotCallAdded(Effect):
    """The customer does not want to be contacted: nobody contacts this number again, by any channel or order."""

    phone_index: bytes = field(repr=False)
    masked: str
    reason: str
    added_by: str
    task_id: str
