"""Fires schedules: each due time begins its run once, whatever the number of ticks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.begin import Begin
from engine.definitions.triggers import triggers_of
from engine.engine import Engine
from engine.registry import RefusedStart
from engine.rescue.isolation import Fault, in_halves
from engine.transaction import Transaction
from engine.triggers.firing import MOST_TIMES, firing, wanted
from engine.triggers.starting import (
    ActiveTrigger,
    begin_once,
    keep_refused,
    run_id_of,
    start,
    wants,
)
from schemas.core.form import in_utc
from schemas.core.problems import Problem
from schemas.core.times.cron import CronExpression
from schemas.core.times.cron_moments import last_moments, next_moment
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.states import RunState
from storage.engine.clock import BusinessClock
from storage.engine.triggers.schedules import ScheduleKey, ScheduleRow, Schedules

MISSED_AFTER: Final = timedelta(seconds=60)
"""A time that is found due later than this, in real time, was missed."""

_CHUNK: Final = 100
"""Schedules of one round."""


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Begins what is due. Any number may work at once: a schedule is locked while it is fired."""

    engine: Engine

    def round(self) -> int:
        """Fire every schedule that is due now; how many there were.

        Raises:
            StorageUnavailable: PostgreSQL went away; what is left stays due.
        """
        with self.engine.database.transaction() as work:
            due = Schedules(work).due(BusinessClock(work).now().business_now, _CHUNK)

        def fire_each(some: Sequence[ScheduleKey]) -> list[int]:
            with self.engine.transaction() as transaction:
                for key in some:
                    _fire(transaction, key)
            return [1] * len(some)

        def alone(key: ScheduleKey, fault: Fault) -> int:
            with self.engine.transaction() as transaction:
                _pass_over(transaction, key, fault)
            return 1

        return sum(in_halves(due, fire_each, alone)) if due else 0


def _fire(transaction: Transaction, key: ScheduleKey) -> None:
    """Begin the runs of what is due, and set the next time, in one transaction."""
    now = transaction.moments.business_now
    row = Schedules(transaction.work).lock_due(key, now)
    if row is None:
        return
    workflow = transaction.catalogue.version(transaction.work, row.workflow, row.version)
    active = ActiveTrigger(workflow, row.position, triggers_of(workflow)[row.position])
    schedule = active.trigger.schedule
    assert schedule is not None, "a schedule is kept for triggers that have one"
    missed_before = transaction.moments.anchor.business(transaction.moments.database_now - MISSED_AFTER)
    times = wanted(_due_times(row, now), schedule.catch_up, missed_before=missed_before)
    fires = firing(
        [time for time in times if _is_wanted(active, time)],
        schedule.overlap,
        is_open=row.is_open,
        queued=row.queued,
    )
    if fires.cancels and row.last_run_id is not None:
        transaction.end(
            [row.last_run_id],
            RunState.CANCELLED,
            agent_id="orchestrator",
            reason="the next run of its schedule is due",
        )
    begun = _begin(transaction, active, fires.begun)
    Schedules(transaction.work).advance(
        key,
        next_due=_next(row, now),
        queued=fires.queued,
        last_due=max(fires.begun, default=None),
        run_id=begun[-1] if begun else None,
    )


def _due_times(row: ScheduleRow, now: datetime) -> Sequence[datetime]:
    """The latest times that are due; those of an outage of years are not gone through."""
    if row.next_due is None or row.next_due > now:
        return ()
    expression, zone = CronExpression.read(row.cron), ZoneInfo(row.timezone)
    return last_moments(
        expression, zone, after=row.next_due - timedelta(microseconds=1), until=now, most=MOST_TIMES
    )


def _next(row: ScheduleRow, now: datetime) -> datetime | None:
    if row.next_due is not None and row.next_due > now:
        return row.next_due
    return next_moment(CronExpression.read(row.cron), ZoneInfo(row.timezone), now)


def _is_wanted(active: ActiveTrigger, time: datetime) -> bool:
    """Whether the condition holds of this time; what cannot be told is found out, and refused, as it begins."""
    try:
        return wants(active.trigger, _event_of(time))
    except ExpressionFault:
        return True


def _event_of(time: datetime) -> dict[str, str]:
    return {"due_at": in_utc(time)}


def _begin(transaction: Transaction, active: ActiveTrigger, times: Sequence[datetime]) -> list[str]:
    """Begin a run for each of these times; the ids of those that were begun."""
    starts = [
        start(
            active,
            _event_of(time),
            run_id=run_id_of(active, time, f"schedule {in_utc(time)}"),
            cipher=transaction.work.cipher,
        )
        for time in times
    ]
    keep_refused(transaction, [each for each in starts if isinstance(each, RefusedStart)])
    runs = [each for each in starts if isinstance(each, Begin)]
    begin_once(transaction, runs)
    return [run.run_id for run in runs]


def _pass_over(transaction: Transaction, key: ScheduleKey, fault: Fault) -> None:
    """Let a schedule that cannot be fired go on with its next time, and keep the fault where a person sees it."""
    now = transaction.moments.business_now
    row = Schedules(transaction.work).lock_due(key, now)
    if row is None:
        return
    problem = Problem(field="schedule", message=f"could not be fired: {fault}")
    document = {"task_type": row.workflow, "description": "schedule", "parameters": {}}
    keep_refused(transaction, [RefusedStart(document=document, problems=(problem,))])
    Schedules(transaction.work).advance(key, next_due=_next(row, now))
