"""Deliveries that wait: which is the next of its mailbox, what came of sending it, and which run carries it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from schemas.outbound.effects import DeliveryAttempt, Mailbox, MailboxTried
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository
from storage.engine.states import RUNS_OPEN
from storage.engine.steering import Steering

DAY: Final = timedelta(hours=24)
"""For so long after it was made, or asked for again, a delivery is tried."""

_BATCH: Final = 1000
"""Deliveries that are given their runs at once."""

_FEEDING: Final = 0x66656564
"""The advisory lock that lets one feeder give runs at a time."""

_LEAD = text("SELECT pg_try_advisory_xact_lock(:key)")
_MAILBOXES: Final = """jsonb_to_recordset(CAST(:rows AS jsonb)) AS w(step_id bigint, run_id text,
    subscriber_id text, task_id text, delivery_id text)"""
_NEXT = text(
    f"""
    SELECT w.step_id, d.* FROM {_MAILBOXES} CROSS JOIN LATERAL (
        (SELECT delivery_id, tries, payload, created_at FROM deliveries
         WHERE subscriber_id = w.subscriber_id AND task_id = w.task_id AND state = 'waiting'
         ORDER BY event_id LIMIT 1)
        UNION ALL
        SELECT delivery_id, tries, payload, created_at FROM deliveries
        WHERE delivery_id = w.delivery_id AND state = 'waiting'
    ) AS d
    """
)
# A result that comes late, its lease lost, never takes back what another try has reached since.
_CONCLUDE = text(
    """
    UPDATE deliveries d
    SET state = c.state, tries = greatest(d.tries, c.tries + 1), last_status = c.status, last_error = c.error,
        due_at = CASE WHEN c.state = 'waiting' THEN c.due_at ELSE d.due_at END,
        ended_at = CASE WHEN c.state <> 'waiting' THEN clock_timestamp() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS c(delivery_id text, tries integer, state text,
        status integer, error text, due_at timestamptz)
    WHERE d.delivery_id = c.delivery_id AND d.state = 'waiting'
      AND (c.state = 'delivered' OR d.tries = c.tries)
    RETURNING d.delivery_id
    """
)
_MORE = text(
    f"""
    WITH more AS (
        SELECT w.step_id, w.run_id, d.delivery_id FROM {_MAILBOXES}
        JOIN subscribers s ON s.subscriber_id = w.subscriber_id AND s.active
        JOIN deliveries d ON d.subscriber_id = w.subscriber_id AND d.task_id = w.task_id AND d.state = 'waiting'
    ), assigned AS (
        UPDATE deliveries d SET run_id = m.run_id FROM more m
        WHERE d.delivery_id = m.delivery_id AND d.run_id IS DISTINCT FROM m.run_id
    )
    SELECT DISTINCT step_id FROM more
    """
)
_GIVE_UP: Final = """
    UPDATE deliveries SET state = 'given_up', ended_at = clock_timestamp(), last_error = :error
    WHERE subscriber_id = :subscriber_id AND state = 'waiting'
"""
_GIVE_UP_ALL = text(f"{_GIVE_UP} RETURNING run_id")
_GIVE_UP_OLD = text(
    f"{_GIVE_UP} AND due_at <= (SELECT clock_timestamp()) AND created_at <= clock_timestamp() - interval '24 hours'"
)
_UNASSIGNED = text(
    """
    SELECT DISTINCT d.subscriber_id, d.task_id, CASE WHEN d.task_id IS NULL THEN d.delivery_id END AS delivery_id,
        (SELECT e.run_id FROM deliveries e
         WHERE e.subscriber_id = d.subscriber_id AND e.task_id = d.task_id AND e.state = 'waiting'
           AND e.run_id IS NOT NULL LIMIT 1) AS run_id
    FROM (SELECT delivery_id, subscriber_id, task_id FROM deliveries
          WHERE state = 'waiting' AND run_id IS NULL ORDER BY event_id LIMIT :limit) AS d
    """
)
_ANY_UNASSIGNED = text("SELECT EXISTS (SELECT FROM deliveries WHERE state = 'waiting' AND run_id IS NULL)")
_ASSIGN = text(
    f"""
    UPDATE deliveries d SET run_id = w.run_id FROM {_MAILBOXES}
    WHERE d.subscriber_id = w.subscriber_id AND d.state = 'waiting' AND d.run_id IS NULL
      AND coalesce(d.task_id, d.delivery_id) = coalesce(w.task_id, w.delivery_id)
      AND d.task_id IS NOT DISTINCT FROM w.task_id
    RETURNING d.run_id, d.due_at <= clock_timestamp() AND NOT EXISTS (
        SELECT FROM deliveries e WHERE e.subscriber_id = d.subscriber_id AND e.task_id = d.task_id
          AND e.state = 'waiting' AND e.event_id < d.event_id) AS goes_now
    """
)
_RELEASE = text(
    f"""
    UPDATE deliveries d SET run_id = NULL FROM runs r, subscribers s
    WHERE d.state = 'waiting' AND r.run_id = d.run_id AND r.state NOT IN ({RUNS_OPEN})
      AND s.subscriber_id = d.subscriber_id AND s.active
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingDelivery:
    """The first waiting delivery of a mailbox."""

    delivery_id: str
    tries: int
    payload: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A mailbox with deliveries that no run carries, and the run that carries others of it."""

    mailbox: Mailbox
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Outbox(Repository):
    """The only code that sends waiting deliveries on their way and says what came of them."""

    def lead(self) -> bool:
        """Whether this transaction alone may give runs now; freed at its end."""
        return bool(self.connection.execute(_LEAD, {"key": _FEEDING}).scalar_one())

    def next_of(self, mailboxes: Mapping[int, Mailbox]) -> dict[int, WaitingDelivery]:
        """The first waiting delivery of each of these mailboxes, by step; none where nothing waits."""
        rows = [{"step_id": step_id, **asdict(mailbox)} for step_id, mailbox in mailboxes.items()]
        return {
            row.step_id: WaitingDelivery(
                delivery_id=row.delivery_id, tries=row.tries, payload=row.payload, created_at=row.created_at
            )
            for row in self.connection.execute(_NEXT, {"rows": dump_json(rows)})
        }

    def conclude(self, tries: Sequence[DeliveryAttempt]) -> set[str]:
        """Write what came of these tries; the deliveries that still waited for it."""
        if not tries:
            return set()
        rows = dump_json([asdict(tried) for tried in tries])
        return {row.delivery_id for row in self.connection.execute(_CONCLUDE, {"rows": rows})}

    def with_more(self, tried: Sequence[tuple[int, MailboxTried]]) -> set[int]:
        """Those of these steps in whose mailbox deliveries wait, which their runs carry from now on."""
        if not tried:
            return set()
        rows = [
            {"step_id": step_id, "run_id": effect.run_id, **asdict(effect.mailbox)}
            for step_id, effect in tried
        ]
        return {row.step_id for row in self.connection.execute(_MORE, {"rows": dump_json(rows)})}

    def give_up_all(self, subscriber_id: str, error: str) -> int:
        """Give up whatever waits for this subscriber, and let its runs end; how many there were."""
        given_up = {"subscriber_id": subscriber_id, "error": error}
        run_ids = self.connection.execute(_GIVE_UP_ALL, given_up).scalars().all()
        Steering(self.work).wake([run_id for run_id in run_ids if run_id is not None])
        return len(run_ids)

    def give_up_old(self, subscriber_id: str, error: str) -> int:
        """Give up what is due for this subscriber and was made a day ago; how many."""
        given_up = {"subscriber_id": subscriber_id, "error": error}
        return self.connection.execute(_GIVE_UP_OLD, given_up).rowcount

    def any_unassigned(self) -> bool:
        """Whether a delivery waits that no run carries."""
        return bool(self.connection.execute(_ANY_UNASSIGNED).scalar_one())

    def unassigned(self) -> list[Unassigned]:
        """Mailboxes with deliveries that no run carries, the oldest events first; a bounded number."""
        rows = self.connection.execute(_UNASSIGNED, {"limit": _BATCH})
        return [
            Unassigned(
                Mailbox(subscriber_id=row.subscriber_id, task_id=row.task_id, delivery_id=row.delivery_id),
                row.run_id,
            )
            for row in rows
        ]

    def assign(self, run_of: Mapping[Mailbox, str]) -> None:
        """Let these runs carry what waits in their mailboxes; one that waits for a later delivery is woken."""
        rows = [{"run_id": run_id, **asdict(mailbox)} for mailbox, run_id in run_of.items()]
        assigned = self.connection.execute(_ASSIGN, {"rows": dump_json(rows)})
        Steering(self.work).wake([row.run_id for row in assigned if row.goes_now])

    def release(self) -> int:
        """Find new runs for what ended runs have left waiting, as after too many crashes; how many deliveries."""
        return self.connection.execute(_RELEASE).rowcount
