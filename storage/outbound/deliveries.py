"""Webhook deliveries: made of events, taken, sent, retried, and kept as the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.engine.steering import Steering
from storage.outbound.tables import deliveries as deliveries_table

BROUGHT_FORWARD_SECONDS: Final = 30
"""Within so long a delivery that waits and is asked for again is tried."""

_INSERT = BulkInsert(
    deliveries_table,
    ("delivery_id", "subscriber_id", "event_id", "task_id", "event_type", "payload", "due_at"),
    on_conflict="(subscriber_id, event_id)",
)
# Those behind an earlier one of their task do not count: they wait for that one, and not for us.
_OLDEST = text(
    """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - first.due_at)), 0) AS seconds
    FROM subscribers s CROSS JOIN LATERAL (
        SELECT d.due_at FROM deliveries d
        WHERE d.subscriber_id = s.subscriber_id AND d.state = 'waiting'
          AND d.due_at <= (SELECT clock_timestamp())
          AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.subscriber_id = d.subscriber_id
                          AND e.task_id = d.task_id AND e.state = 'waiting' AND e.event_id < d.event_id)
        ORDER BY d.due_at LIMIT 1
    ) first WHERE s.active
    """,
)
_LOG = text(
    """
    SELECT delivery_id, subscriber_id, event_id, task_id, event_type, state, tries, due_at, last_status,
        last_error, created_at, ended_at
    FROM deliveries
    WHERE (CAST(:subscriber_id AS text) IS NULL OR subscriber_id = :subscriber_id)
      AND (CAST(:task_id AS text) IS NULL OR task_id = :task_id)
      AND (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:failed AS boolean) IS NULL OR NOT :failed OR (state <> 'delivered' AND last_error IS NOT NULL))
      AND (CAST(:before AS text) IS NULL OR delivery_id < :before)
    ORDER BY delivery_id DESC LIMIT :limit
    """,
)
_LOCK = text(
    "SELECT d.state, d.run_id, s.active FROM deliveries d JOIN subscribers s USING (subscriber_id) "
    "WHERE d.delivery_id = :delivery_id FOR UPDATE OF d",
)
_HASTEN = text(
    "UPDATE deliveries SET due_at = least(due_at, clock_timestamp()) WHERE delivery_id = :delivery_id"
)
_AGAIN: Final = (
    "UPDATE deliveries d SET state = 'waiting', tries = 0, due_at = clock_timestamp(), "
    "created_at = clock_timestamp(), ended_at = NULL, run_id = NULL"
)
_REPLAY = text(f"{_AGAIN} WHERE delivery_id = :delivery_id")
_REPLAY_SINCE = text(
    f"{_AGAIN} FROM subscribers s WHERE s.subscriber_id = d.subscriber_id AND s.active "
    "AND d.subscriber_id = :subscriber_id AND d.created_at >= :since "
    "AND (d.state = 'given_up' OR (d.state = 'delivered' AND NOT :failed))",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A message for a subscriber."""

    subscriber_id: str
    event_id: int
    task_id: str | None
    event_type: str
    payload: Mapping[str, Any]
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A line of the log; `created_at` is when it was made, or last asked for again."""

    delivery_id: str
    subscriber_id: str
    event_id: int
    task_id: str | None
    event_type: str
    state: str
    tries: int
    due_at: datetime
    last_status: int | None
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


class ReplayResult(StrEnum):
    """What became of the wish to send a delivery again."""

    AGAIN = "again"
    BROUGHT_FORWARD = "hastened"
    """It was waiting anyway: its next try comes within `BROUGHT_FORWARD_SECONDS`."""
    INACTIVE = "inactive"
    """Its subscriber receives nothing any more."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Deliveries(Repository):
    """Deliveries as they are made, shown and asked for again; `Outbox` says what came of them."""

    def make(self, deliveries: Sequence[NewDelivery]) -> None:
        """Keep these messages; one made of the same event for the same subscriber before is left as it is."""
        _INSERT(
            self.connection,
            [
                (
                    new_id(Prefix.DELIVERY),
                    d.subscriber_id,
                    d.event_id,
                    d.task_id,
                    d.event_type,
                    d.payload,
                    d.due_at,
                )
                for d in deliveries
            ],
        )

    def oldest_due_seconds(self) -> float:
        """How long the delivery that is due the longest has not been sent; 0 when none is due."""
        return float(self.connection.execute(_OLDEST).scalar_one())

    def log(
        self,
        *,
        subscriber_id: str | None = None,
        task_id: str | None = None,
        state: str | None = None,
        failed: bool = False,
        before: str | None = None,
        limit: int = 50,
    ) -> list[Delivery]:
        """Deliveries, the newest first, from the one below `before`; `failed`: those whose last try failed."""
        rows = self.connection.execute(
            _LOG,
            {
                "subscriber_id": subscriber_id,
                "task_id": task_id,
                "state": state,
                "failed": failed,
                "before": before,
                "limit": limit,
            },
        )
        return [Delivery(**row._mapping) for row in rows]

    def replay(self, delivery_id: str) -> ReplayResult:
        """Send this delivery again under the same id, with a new day to arrive in."""
        row = self.connection.execute(_LOCK, {"delivery_id": delivery_id}).one_or_none()
        if row is None:
            return ReplayResult.UNKNOWN
        if not row.active:
            return ReplayResult.INACTIVE
        waiting = row.state == "waiting"
        self.connection.execute(_HASTEN if waiting else _REPLAY, {"delivery_id": delivery_id})
        if waiting and row.run_id is not None:
            Steering(self.work).wake([row.run_id])
        return ReplayResult.BROUGHT_FORWARD if waiting else ReplayResult.AGAIN

    def replay_since(self, subscriber_id: str, since: datetime, *, failed: bool) -> int:
        """Send again what ended and was made since then, or of it only what was given up; how many."""
        return self.connection.execute(
            _REPLAY_SINCE, {"subscriber_id": subscriber_id, "since": since, "failed": failed}
        ).rowcount
