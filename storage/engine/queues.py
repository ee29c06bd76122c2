"""The steps of queues: ready, due, lost, and to be published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from runtime.clock import Clock
from storage.core.unit_of_work import Repository
from storage.engine.clock import Moments
from storage.engine.pulses import TICK_PULSE
from storage.engine.states import LEASED, PARKED, PUBLISHED, READY, RUNNING, SCHEDULED, TIMED
from storage.engine.steps import StepKey
from storage.engine.urgency import BEHIND_NEW_WORK_SECONDS, FOR_QUEUE_OR_OFFERED, READY_NOW, URGENCY

_TICK_LOCK = 0x756E70656E64
"""The advisory lock that lets one tick work, whatever the number of beats."""

_LONGEST_PAUSE_SECONDS: Final = 300
"""The longest pause between two tries to end a wait that cannot be ended."""

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:key)")
_MOST_URGENT = text(
    f"""
    SELECT q.queue, (SELECT min(s.urgency) FROM steps s
                     WHERE s.queue = q.queue AND s.state = {READY} AND NOT s.held) AS urgency
    FROM unnest(CAST(:queues AS text[])) AS q(queue)
    """,
)
_WANTING = text(
    f"""
    SELECT q.queue FROM unnest(CAST(:queues AS text[])) AS q(queue)
    WHERE EXISTS (SELECT FROM steps s WHERE s.queue = q.queue AND s.state = {READY} AND NOT s.held)
       OR EXISTS (SELECT FROM steps s WHERE s.state = {PUBLISHED} AND s.queue = q.queue
                  AND s.published_at < statement_timestamp() - make_interval(secs => :seconds))
    """
)
# A moment that the business clock leapt over came with the leap.
_READY_DUE = text(
    f"""
    UPDATE steps SET {FOR_QUEUE_OR_OFFERED}, ready_at = clock_timestamp(),
        late_by = clock_timestamp() - greatest(CAST(:leapt_at AS timestamptz), :instant - (:now - due_at) / :rate),
        urgency = {URGENCY} + make_interval(secs => :behind)
    WHERE step_id IN (
        SELECT step_id FROM steps
        WHERE state IN ({TIMED}) AND state = {SCHEDULED} AND kind = 'action' AND NOT held
          AND due_clock = :clock AND due_at <= :now
        ORDER BY due_at LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED)
    """,
)
_LET_GO = text(
    f"UPDATE steps SET {FOR_QUEUE_OR_OFFERED}, {READY_NOW} WHERE step_id = ANY(:ids) AND state = {SCHEDULED}"
)
_DUE_OTHERWISE = text(
    f"""
    SELECT step_id FROM steps
    WHERE state IN ({TIMED}) AND (state <> {SCHEDULED} OR kind <> 'action') AND NOT held
      AND due_clock = :clock AND due_at <= :now
    ORDER BY due_at LIMIT :limit
    """,
)
_TAKE_READY = text(
    f"""
    UPDATE steps SET state = {PUBLISHED}, published_at = clock_timestamp()
    WHERE step_id IN (
        SELECT step_id FROM steps WHERE queue = :queue AND state = {READY} AND NOT held
        ORDER BY urgency LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING step_id, delivery, action, crashes, urgency, coalesce(subject_id, run_id) AS subject_id
    """,
)
_TAKE_STALE = text(
    f"""
    UPDATE steps SET published_at = clock_timestamp()
    WHERE step_id IN (
        SELECT step_id FROM steps
        WHERE state = {PUBLISHED} AND queue = :queue AND NOT held
          AND published_at < statement_timestamp() - make_interval(secs => :seconds)
        ORDER BY published_at LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING step_id, delivery, action, crashes, coalesce(urgency, created_at) AS urgency,
        coalesce(subject_id, run_id) AS subject_id
    """,
)
_LOST = f"""
    SELECT s.step_id FROM steps s LEFT JOIN leases l USING (lease_id)
    WHERE s.state = {LEASED} AND (l.lease_id IS NULL OR l.expires_at < clock_timestamp())
      AND s.crashes {{compare}} :most
      AND NOT EXISTS (SELECT FROM pulses WHERE name = '{TICK_PULSE}'
                      AND steady_since > clock_timestamp() - make_interval(secs => :grace_seconds))
    ORDER BY s.step_id LIMIT :limit"""
_RESCUE = text(
    f"""
    UPDATE steps SET {FOR_QUEUE_OR_OFFERED}, delivery = delivery + 1, crashes = crashes + 1, lease_id = NULL,
        {READY_NOW}
    WHERE step_id IN ({_LOST.format(compare="<")} FOR NO KEY UPDATE OF s SKIP LOCKED)
    RETURNING step_id
    """,
)
_POISONED = text(_LOST.format(compare=">="))
_STILL_LOST = text(
    f"""
    SELECT s.step_id FROM steps s LEFT JOIN leases l USING (lease_id)
    WHERE s.step_id = ANY(:ids) AND s.state = {LEASED}
      AND (l.lease_id IS NULL OR l.expires_at < clock_timestamp())
    """
)
_RELEASE_CRASHED = text(
    f"""
    UPDATE steps SET state = {READY}, delivery = delivery + 1, crashes = crashes + 1, lease_id = NULL,
        {READY_NOW}, error = CAST(:error AS jsonb)
    WHERE lease_id = :lease_id AND state = {LEASED} AND crashes < :most RETURNING step_id
    """,
)
_RELEASE_UNTOUCHED = text(
    f"""
    UPDATE steps SET state = {PUBLISHED}, lease_id = NULL, published_at = clock_timestamp()
    WHERE lease_id = :lease_id AND state = {LEASED}
    """,
)
_CRASH_UNCLAIMED = text(
    f"""
    UPDATE steps SET state = {READY}, delivery = delivery + 1, crashes = crashes + 1, {READY_NOW},
        error = CAST(:error AS jsonb)
    WHERE step_id = :step_id AND delivery = :delivery AND state IN ({PUBLISHED}, {READY}) RETURNING crashes
    """,
)
_CRASH_WAITING = text(
    f"""
    UPDATE steps SET crashes = crashes + 1, error = CAST(:error AS jsonb),
        due_at = CASE due_clock WHEN 'business' THEN (SELECT business_now()) ELSE clock_timestamp() END
            + make_interval(secs => least(5 * power(2, crashes), {_LONGEST_PAUSE_SECONDS}))
    WHERE step_id = :step_id AND state IN ({TIMED}) RETURNING crashes
    """,
)
# What is offered waits for a caller: time must not leap over them.
_NEXT_DUE = text(
    f"""
    SELECT (SELECT min(due_at) FROM steps WHERE state IN ({SCHEDULED}, {PARKED}) AND NOT held
            AND due_clock = 'database' AND coalesce(queue, '') <> ALL(:beside)) AS database_due,
           (SELECT min(due_at) FROM steps WHERE state IN ({SCHEDULED}, {PARKED}) AND NOT held
            AND due_clock = 'business') AS waited_for,
           (SELECT s.due_at FROM subscriptions s WHERE s.due_at IS NOT NULL
            AND EXISTS (SELECT FROM runs r WHERE r.run_id = s.run_id AND r.state = {RUNNING})
            ORDER BY s.due_at LIMIT 1) AS caught,
           EXISTS (SELECT FROM steps WHERE state = {READY} AND NOT held)
        OR EXISTS (SELECT FROM steps WHERE state = {PUBLISHED})
        OR EXISTS (SELECT FROM steps WHERE state = {LEASED}) AS busy
    """,
)


@dataclass(frozen=True, slots=True)
class ToPublish:
    """A row to be published."""

    key: StepKey
    action: str
    subject_id: str
    """What it is about: an order's task_id, or its run's id."""
    alone: bool


@dataclass(frozen=True, slots=True)
class Horizon:
    """Whether the fleet is busy, and the next due times."""

    busy: bool
    database_due: datetime | None
    business_due: datetime | None


@dataclass(frozen=True, slots=True)
class Queues(Repository):
    """The only code that moves rows between waiting and published."""

    def lead(self) -> bool:
        """Take the advisory lock of the tick until the transaction ends; whether it was free."""
        return bool(self.connection.execute(_TRY_LOCK, {"key": _TICK_LOCK}).scalar_one())

    def most_urgent(self, queues: Sequence[str]) -> dict[str, datetime | None]:
        """The urgency of the most urgent ready row of each queue; `None` where nothing waits."""
        rows = self.connection.execute(_MOST_URGENT, {"queues": list(queues)})
        return {row.queue: row.urgency for row in rows}

    def wanting(self, queues: Sequence[str], seconds: float) -> list[str]:
        """Those of these queues in which rows are ready, or published for this time and not claimed."""
        rows = self.connection.execute(_WANTING, {"queues": list(queues), "seconds": seconds})
        return sorted(row.queue for row in rows)

    def ready_due(self, clock: Clock, moments: Moments, limit: int) -> int:
        """Make scheduled actions that are due ready, and note how late; return their number."""
        is_business = clock is Clock.BUSINESS
        due = {
            "clock": clock,
            "now": moments.on(clock),
            "instant": moments.database_now,
            "leapt_at": moments.anchor.database_time if is_business else None,
            "rate": moments.anchor.rate if is_business else 1.0,
            "limit": limit,
            "behind": BEHIND_NEW_WORK_SECONDS if is_business else 0,
        }
        return self.connection.execute(_READY_DUE, due).rowcount

    def let_go(self, step_ids: Sequence[int]) -> None:
        """Let these scheduled steps be taken, that have waited for something else than a time."""
        if step_ids:
            self.connection.execute(_LET_GO, {"ids": list(step_ids)})

    def due_otherwise(self, clock: str, now: datetime, limit: int) -> list[int]:
        """Return the parked steps past their deadline and the waits that are over; the engine settles them."""
        rows = self.connection.execute(_DUE_OTHERWISE, {"clock": clock, "now": now, "limit": limit})
        return [row.step_id for row in rows]

    def take_ready(self, queue: str, limit: int) -> list[ToPublish]:
        """Mark the most urgent ready rows of a queue as published, most urgent first."""
        return self._taken(_TAKE_READY, {"queue": queue, "limit": limit})

    def take_stale(self, queue: str, seconds: float, limit: int) -> list[ToPublish]:
        """Return published rows that nobody has claimed for this time, so that their message must be lost."""
        return self._taken(_TAKE_STALE, {"queue": queue, "seconds": seconds, "limit": limit})

    def rescue(self, most_crashes: int, limit: int, *, grace_seconds: float) -> int:
        """Give rows with an expired lease another delivery; return their number.

        None while the tick itself has not been steady for `grace_seconds`: what kept it away kept holders from
        renewing their leases too, and they are to have the time for it.
        """
        parameters = {"most": most_crashes, "limit": limit, "grace_seconds": grace_seconds}
        return len(self.connection.execute(_RESCUE, parameters).all())

    def poisoned(self, most_crashes: int, limit: int, *, grace_seconds: float) -> list[int]:
        """Return the poisoned rows, whose lease ran out once too often; the engine ends them."""
        parameters = {"most": most_crashes, "limit": limit, "grace_seconds": grace_seconds}
        return [row.step_id for row in self.connection.execute(_POISONED, parameters)]

    def still_lost(self, step_ids: Sequence[int]) -> frozenset[int]:
        """Return those of these locked rows whose lease has run out."""
        rows = self.connection.execute(_STILL_LOST, {"ids": list(step_ids)})
        return frozenset(row.step_id for row in rows)

    def release_crashed(self, lease_id: str, error: str, most_crashes: int) -> int:
        """Give the rows of a crashed batch another delivery at once, each alone; return their number."""
        rows = self.connection.execute(
            _RELEASE_CRASHED, {"lease_id": lease_id, "error": error, "most": most_crashes}
        )
        return len(rows.all())

    def release_untouched(self, lease_id: str) -> None:
        """Give the rows of a lease back as they were published, as if they had not been claimed."""
        self.connection.execute(_RELEASE_UNTOUCHED, {"lease_id": lease_id})

    def crash_unclaimed(self, key: StepKey, error: str) -> int:
        """Count a crash of a row that cannot be claimed, and give it another delivery; its crashes, 0 if it is gone."""
        parameters = {"step_id": key.step_id, "delivery": key.delivery, "error": error}
        return self.connection.execute(_CRASH_UNCLAIMED, parameters).scalar_one_or_none() or 0

    def crash_waiting(self, step_id: int, error: str) -> int:
        """Count a crash of a row whose wait cannot be ended; it waits on a little. Its crashes, 0 if it is gone."""
        parameters = {"step_id": step_id, "error": error}
        return self.connection.execute(_CRASH_WAITING, parameters).scalar_one_or_none() or 0

    def horizon(self, *, beside: Sequence[str] = ()) -> Horizon:
        """Whether anything is under way, and what is due next on either clock.

        Waits on the database's clock in the queues `beside` are left out.
        """
        row = self.connection.execute(_NEXT_DUE, {"beside": list(beside)}).one()
        business = [due for due in (row.waited_for, row.caught) if due is not None]
        return Horizon(row.busy, row.database_due, min(business, default=None))

    def _taken(self, statement: Any, parameters: Mapping[str, object]) -> list[ToPublish]:
        """The rows an update took; an update returns them in no order, so the order is made here."""
        taken = sorted(
            self.connection.execute(statement, parameters), key=lambda row: (row.urgency, row.step_id)
        )
        return [
            ToPublish(StepKey(row.step_id, row.delivery), row.action, row.subject_id, row.crashes > 0)
            for row in taken
        ]
