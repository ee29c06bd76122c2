"""Effects of the outbound side: events of the business, and what came of sending deliveries and notices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from schemas.core.effects import Effect
from schemas.outbound.artifacts import ArtifactKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEvent(Effect):
    """An event for the outside: stable business fields only (SPEC.md §10)."""

    execution_id: str
    task_id: str | None
    event_type: str
    stage: str
    title: str
    """The code of its title, of those in `words`."""
    status: Literal["running", "waiting", "ready", "failed"]
    parameters: Mapping[str, object] = field(default_factory=dict)
    """Those of its title."""
    artifact_ref: str | None = None
    interrupt_id: str | None = None
    """The question that is waited for."""
    until: datetime | None = None
    """How long it is waited, on the business clock."""
    trace_id: str | None = None
    """Of an event that is about no run; any other belongs to the trace of its run."""
    request_id: str | None = None
    """The request that led to it, where that is another than the one that began the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactKept(Effect):
    """An immutable version of something that is kept whole; made with its event by `tasks.outbound.artifacts.keep`."""

    path: str
    kind: ArtifactKind
    media_type: str
    execution_id: str
    task_id: str | None
    sensitive: bool
    expires_at: datetime | None
    """On the business clock."""
    sha256: bytes | None = None
    content: bytes | None = field(default=None, repr=False)
    location: str | None = field(default=None, repr=False)
    """Where it is, of a recording, which is kept by reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """The deliveries that go out one after another: those of a task to one subscriber, or a single one of no task."""

    subscriber_id: str
    task_id: str | None = None
    delivery_id: str | None = None
    """The delivery that is about no task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """What came of sending a delivery, and how it stands now."""

    delivery_id: str
    tries: int
    """How many there were before this one."""
    state: Literal["waiting", "delivered", "given_up"]
    status: int | None
    error: str | None
    due_at: datetime
    """The next try, of one that waits."""
    gone: bool = False
    """Whether the subscriber answered that it wants nothing more."""
    unreachable: bool = False
    """Whether the subscriber has failed so often in a row that only single tries are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxTried(Effect):
    """What a run did with the first waiting delivery of its mailbox; no `attempt`: none waited."""

    run_id: str
    mailbox: Mailbox
    attempt: DeliveryAttempt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTried(Effect):
    """What came of sending a notice to staff, and how it stands now."""

    notice_id: int
    tries: int
    """How many there were before this one."""
    state: Literal["waiting", "sent", "given_up"]
    due_at: datetime
    """The next try, of one that waits."""
    provider: str | None = None
    provider_id: str | None = None
    error: str | None = None
