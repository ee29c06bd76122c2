"""What there is to do now, of every kind that the tick sees to: one statement, whatever waits."""

from dataclasses import dataclass

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import (
    INBOX_KEPT,
    INBOX_WAITING,
    LEASED,
    RUNS_ENDED,
    RUNS_OPEN,
    SLOT_WAITING,
    TIMED,
)
from storage.engine.triggers.schedules import is_due

# Each asks for the first row in an index's order: for the mere existence of one the planner may read the whole table.
_LOOK = text(
    f"""
    SELECT
        (SELECT s.step_id FROM steps s LEFT JOIN leases l USING (lease_id) WHERE s.state = {LEASED}
            AND (l.lease_id IS NULL OR l.expires_at < clock_timestamp()) LIMIT 1) IS NOT NULL AS lost,
        (SELECT due_at FROM steps WHERE state IN ({TIMED}) AND NOT held AND due_clock = 'database'
            ORDER BY due_at LIMIT 1) <= clock_timestamp() IS TRUE
            OR (SELECT due_at FROM steps WHERE state IN ({TIMED}) AND NOT held AND due_clock = 'business'
            ORDER BY due_at LIMIT 1) <= (SELECT business_now()) IS TRUE AS steps,
        (SELECT deadline_at FROM runs WHERE state IN ({RUNS_OPEN}) AND deadline_at IS NOT NULL
            ORDER BY deadline_at LIMIT 1) < clock_timestamp() IS TRUE AS runs,
        (SELECT due_at FROM subscriptions WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1)
            <= (SELECT business_now()) IS TRUE AS timers,
        (SELECT run_id FROM runs WHERE NOT reported AND state IN ({RUNS_ENDED}) LIMIT 1) IS NOT NULL
            OR (SELECT run_id FROM runs WHERE cancel_asked AND state IN ({RUNS_OPEN}) LIMIT 1) IS NOT NULL
            AS called_runs,
        (SELECT slot_id FROM slots WHERE state = {SLOT_WAITING} ORDER BY slot_id LIMIT 1) IS NOT NULL AS slots,
        (SELECT entry_id FROM inbox WHERE state = {INBOX_WAITING} ORDER BY entry_id LIMIT 1) IS NOT NULL AS entries,
        first.expires_at IS NOT NULL AS kept,
        first.expires_at <= clock_timestamp() IS TRUE AS expired,
        EXISTS (SELECT FROM schedules WHERE {is_due("(SELECT business_now())")}) AS schedules
    FROM (SELECT (SELECT expires_at FROM inbox WHERE state = {INBOX_KEPT} ORDER BY expires_at LIMIT 1) AS expires_at)
        AS first
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWork:
    """Of which kinds there may be something to do now; what it is, the statement of the kind tells."""

    lost: bool
    """Steps whose lease ran out."""
    steps: bool
    """Steps whose time has come: a retry, a wait, a deadline."""
    runs: bool
    """Runs past their deadline."""
    timers: bool
    """Times that are waited for, or break in."""
    called_runs: bool
    """Runs whose end is to be reported to the step that began them, or that are to be cancelled with it."""
    slots: bool
    """Slots of limits that are waited for."""
    entries: bool
    """Events in the inbox."""
    kept: bool
    """Messages that are kept."""
    expired: bool
    """Messages that were kept for as long as they are to be."""
    schedules: bool
    """Schedules."""


@dataclass(frozen=True, slots=True)
class DueWorkLook(Repository):
    """The only code that asks for all of it at once."""

    def look(self) -> DueWork:
        """What there is to do now."""
        return DueWork(**self.connection.execute(_LOOK).one()._mapping)
