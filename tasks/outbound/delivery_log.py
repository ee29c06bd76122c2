"""What became of each webhook message, and sending it again, with an audit line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.outbound.deliveries import Deliveries, Delivery, ReplayResult
from storage.outbound.subscribers import Subscribers


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries to list; what is `None` does not matter."""

    subscriber_id: str | None = None
    task_id: str | None = None
    state: str | None = None
    """`waiting`, `delivered` or `given_up`."""
    failed: bool = False
    """Only those whose last try failed."""


@dataclass(frozen=True, slots=True)
class ReplayedSince:
    """What became of the request to send everything again: refused, unless the result is `AGAIN`."""

    outcome: ReplayResult
    count: int = 0


def list_deliveries(
    database: Database, wanted: DeliveryFilter, *, before: str | None = None, limit: int = 100
) -> Sequence[Delivery]:
    """Deliveries, the newest first, from the one below `before`."""
    with database.transaction() as work:
        return Deliveries(work).log(
            subscriber_id=wanted.subscriber_id,
            task_id=wanted.task_id,
            state=wanted.state,
            failed=wanted.failed,
            before=before,
            limit=limit,
        )


def replay_delivery(database: Database, delivery_id: str, *, by: str) -> ReplayResult:
    """Send a message again under its id, with a new day to arrive in."""
    with database.transaction() as work:
        outcome = Deliveries(work).replay(delivery_id)
        if outcome in (ReplayResult.AGAIN, ReplayResult.BROUGHT_FORWARD):
            SystemAudit(work).write(by, "deliveries_replayed", {"delivery_id": delivery_id})
    return outcome


def replay_since(
    database: Database, subscriber_id: str, since: datetime, *, failed: bool, by: str
) -> ReplayedSince:
    """Send again all that ended and was made for a subscriber since then, or of it only what was given up."""
    with database.transaction() as work:
        found = Subscribers(work).find(subscriber_id)
        if found is None:
            return ReplayedSince(ReplayResult.UNKNOWN)
        if not found.active:
            return ReplayedSince(ReplayResult.INACTIVE)
        count = Deliveries(work).replay_since(subscriber_id, since, failed=failed)
        SystemAudit(work).write(by, "deliveries_replayed", {"subscriber_id": subscriber_id, "since": since})
    return ReplayedSince(ReplayResult.AGAIN, count)
