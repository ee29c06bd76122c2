"""Messages on their way to subscribers: made of events, taken, sent, tried again, and kept as the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from storage.core.bulk import BulkInsert, dump_json
from storage.core.unit_of_work import Repository
from storage.outbound.tables import deliveries as deliveries_table

LEASE_SECONDS: Final = 30
"""For so long a delivery that was taken is nobody else's; longer than a try may last."""

_DAY: Final = "interval '24 hours'"
_INSERT = BulkInsert(
    deliveries_table,
    ("delivery_id", "subscriber_id", "event_id", "task_id", "event_type", "payload", "due_at"),
    on_conflict="(subscriber_id, event_id)",
)
# The earliest waiting one of a task alone may go; one that is being sent is waiting still.
_TAKE = text(
    f"""
    WITH chosen AS (
        SELECT d.delivery_id FROM deliveries d
        WHERE d.subscriber_id = :subscriber_id AND d.state = 'waiting'
          AND d.due_at <= (SELECT clock_timestamp())
          AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.subscriber_id = d.subscriber_id
                          AND e.task_id = d.task_id AND e.state = 'waiting' AND e.event_id < d.event_id)
        ORDER BY d.due_at, d.event_id LIMIT :limit FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE deliveries d
    SET tries = d.tries + 1, due_at = clock_timestamp() + interval '{LEASE_SECONDS} seconds'
    FROM chosen WHERE d.delivery_id = chosen.delivery_id
    RETURNING d.delivery_id, d.tries, d.payload
    """,
)
# `tries` tells whether the delivery is still in the hands that report.
_CONCLUDE = text(
    f"""
    WITH now AS MATERIALIZED (SELECT clock_timestamp() AS at), verdict AS (
        SELECT d.delivery_id, c.status, c.error,
            now.at, least(now.at + c.after_seconds * interval '1 second', d.created_at + {_DAY}) AS due_at,
            CASE WHEN c.error IS NULL THEN 'delivered'
                 WHEN c.final OR now.at >= d.created_at + {_DAY} THEN 'given_up' ELSE 'waiting' END AS state
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS c(delivery_id text, tries integer, status integer,
            error text, after_seconds double precision, final boolean)
        JOIN deliveries d ON d.delivery_id = c.delivery_id AND d.tries = c.tries AND d.state = 'waiting'
        CROSS JOIN now
    )
    UPDATE deliveries d
    SET state = v.state, last_status = v.status, last_error = v.error,
        due_at = CASE WHEN v.state = 'waiting' THEN v.due_at ELSE d.due_at END,
        ended_at = CASE WHEN v.state <> 'waiting' THEN v.at END
    FROM verdict v WHERE d.delivery_id = v.delivery_id AND d.state = 'waiting'
    RETURNING d.delivery_id, d.subscriber_id, d.task_id, d.state
    """,
)
_GIVE_UP = """
    UPDATE deliveries SET state = 'given_up', ended_at = clock_timestamp(), last_error = :error
    WHERE subscriber_id = :subscriber_id AND state = 'waiting'
"""
_GIVE_UP_ALL = text(_GIVE_UP)
_GIVE_UP_OLD = text(
    f"{_GIVE_UP} AND due_at <= (SELECT clock_timestamp()) AND created_at <= clock_timestamp() - {_DAY}"
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
    "SELECT d.state, s.active FROM deliveries d JOIN subscribers s USING (subscriber_id) "
    "WHERE d.delivery_id = :delivery_id FOR UPDATE OF d",
)
# One that waits may be under way: its lease is never shortened.
_HASTEN = text(
    "UPDATE deliveries SET due_at = least(due_at, clock_timestamp() + "
    f"interval '{LEASE_SECONDS} seconds') WHERE delivery_id = :delivery_id",
)
_AGAIN: Final = (
    "UPDATE deliveries d SET state = 'waiting', tries = 0, due_at = clock_timestamp(), "
    "created_at = clock_timestamp(), ended_at = NULL"
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
class Taken:
    """A delivery in hand, for `LEASE_SECONDS`."""

    delivery_id: str
    tries: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """What came of sending a delivery; `error` is `None` when it arrived, `final` forbids another try."""

    delivery_id: str
    tries: int
    status: int | None
    error: str | None
    after_seconds: float = 0.0
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """Where a delivery stands after a try."""

    delivery_id: str
    subscriber_id: str
    task_id: str | None
    state: str


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


class Replayed(StrEnum):
    """What became of the wish to send a delivery again."""

    AGAIN = "again"
    HASTENED = "hastened"
    """It was waiting anyway: its next try comes within `LEASE_SECONDS`."""
    INACTIVE = "inactive"
    """Its subscriber is told nothing any more."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Deliveries(Repository):
    """The only code that writes `deliveries`."""

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

    def take(self, subscriber_id: str, limit: int) -> list[Taken]:
        """Deliveries whose time has come, each the earliest of its task, now in the caller's hands."""
        rows = self.connection.execute(_TAKE, {"subscriber_id": subscriber_id, "limit": limit})
        return [Taken(**row._mapping) for row in rows]

    def conclude(self, tries: Sequence[Try]) -> list[Concluded]:
        """Write what came of these; those that are no longer in the caller's hands are left out.

        A failed one waits for its next try, the last a day after it was made; then it is given up.
        """
        rows = [
            {
                "delivery_id": t.delivery_id,
                "tries": t.tries,
                "status": t.status,
                "error": t.error,
                "after_seconds": t.after_seconds,
                "final": t.final,
            }
            for t in tries
        ]
        concluded = self.connection.execute(_CONCLUDE, {"rows": dump_json(rows)})
        return [Concluded(**row._mapping) for row in concluded]

    def give_up_all(self, subscriber_id: str, error: str) -> int:
        """Give up whatever waits for this subscriber; how many."""
        return self.connection.execute(
            _GIVE_UP_ALL, {"subscriber_id": subscriber_id, "error": error}
        ).rowcount

    def give_up_old(self, subscriber_id: str, error: str) -> int:
        """Give up what is due for this subscriber and was made a day ago; how many."""
        return self.connection.execute(
            _GIVE_UP_OLD, {"subscriber_id": subscriber_id, "error": error}
        ).rowcount

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

    def replay(self, delivery_id: str) -> Replayed:
        """Send this delivery again under the same id, with a new day to arrive in."""
        row = self.connection.execute(_LOCK, {"delivery_id": delivery_id}).one_or_none()
        if row is None:
            return Replayed.UNKNOWN
        if not row.active:
            return Replayed.INACTIVE
        waiting = row.state == "waiting"
        self.connection.execute(_HASTEN if waiting else _REPLAY, {"delivery_id": delivery_id})
        return Replayed.HASTENED if waiting else Replayed.AGAIN

    def replay_since(self, subscriber_id: str, since: datetime, *, failed: bool) -> int:
        """Send again what ended and was made since then, or of it only what was given up; how many."""
        return self.connection.execute(
            _REPLAY_SINCE, {"subscriber_id": subscriber_id, "since": since, "failed": failed}
        ).rowcount
