"""The tick: finds every row that is due or was lost. One tick works at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.catalogue import UnknownWorkflow
from engine.engine import Engine
from engine.outcomes import Failed
from engine.publisher import Publisher, WireUnavailable, into_messages
from engine.registry import UnknownAction
from engine.transaction import Transaction
from runtime.clock import Clock
from runtime.logs import logger
from statemachine.workflow.planner import UnknownDecision
from statemachine.workflow.states import RunState
from storage.engine.leases import Leases
from storage.engine.pulses import Pulses
from storage.engine.queues import Queues, ToPublish
from storage.engine.runs import Runs

_log = logger(__name__)

_CHUNK: Final = 500
"""Rows one pass handles of each kind; the next pass follows at once while there are more."""

_FAULTS_OF_A_STEP: Final = (UnknownDecision, UnknownAction, UnknownWorkflow)
"""What says that a step, not the fleet, is at fault; besides the errors that effect writers declare."""

PULSE: Final = "tick"
"""The name under which a sweep leaves its time."""

_DEADLINE: Final = {"type": "deadline"}
"""The signal that ends a wait nobody answered."""


@dataclass(frozen=True, slots=True)
class TickResult:
    """The numbers of rows that a tick handled."""

    woken: int = 0
    ended: int = 0
    rescued: int = 0
    published: int = 0

    @property
    def any(self) -> bool:
        """Whether it handled any row, so that another tick is worth while."""
        return bool(self.woken or self.ended or self.rescued or self.published)


class Tick:
    """Wakes due rows, rescues lost ones, ends overdue ones, publishes ready ones."""

    def __init__(self, engine: Engine, publisher: Publisher) -> None:
        self._engine = engine
        self._publisher = publisher
        self._faults: tuple[type[Exception], ...] = (
            *_FAULTS_OF_A_STEP,
            *engine.registry.writers.errors,
        )

    def sweep(self) -> TickResult | None:
        """Run one tick; `None` when another one is at work."""
        with self._engine.transaction() as transaction:
            if not Queues(transaction.work).lead():
                return None
            Pulses(transaction.work).beat(PULSE)
            rescued = self._rescue(transaction)
            woken, overdue = self._wake(transaction)
            ended = self._time_out(transaction)
        ended += self._end_waits(overdue)
        published = self._dispatch()
        swept = TickResult(woken, ended, rescued, published)
        if rescued:
            _log.warning("rescued rows whose lease ran out", rows=rescued)
        return swept

    def _wake(self, transaction: Transaction) -> tuple[int, list[int]]:
        """Make due actions ready; how many, and the waits that are over."""
        moments, queues = transaction.moments, Queues(transaction.work)
        times: Mapping[Clock, datetime] = {
            Clock.DATABASE: moments.database_now,
            Clock.BUSINESS: moments.business_now,
        }
        woken, overdue = 0, []
        for clock, now in times.items():
            woken += queues.ready_due(clock, now, _CHUNK)
            overdue += queues.due_otherwise(clock, now, _CHUNK)
        return woken, overdue

    def _end_waits(self, step_ids: list[int]) -> int:
        """Tell steps that their wait is over, all at once; where one cannot be told, one by one."""
        if not step_ids:
            return 0
        try:
            with self._engine.transaction() as transaction:
                return len(transaction.complete(dict.fromkeys(step_ids, _DEADLINE)))
        except self._faults as error:
            if len(step_ids) == 1:
                return self._give_up(step_ids[0], error)
        return sum(self._end_waits([step_id]) for step_id in step_ids)

    def _give_up(self, step_id: int, error: Exception) -> int:
        """A step whose work does not know what a deadline means must not stop the tick for all others."""
        _log.error("a wait could not be ended and failed", step_id=step_id, error=str(error))
        with self._engine.transaction() as transaction:
            return transaction.fail([step_id], Failed(code="deadline_fault", message=str(error)))

    def _rescue(self, transaction: Transaction) -> int:
        queues, most = Queues(transaction.work), self._engine.limits.most_crashes
        poisoned = queues.poisoned(most, _CHUNK)
        if poisoned:
            transaction.fail(
                poisoned,
                Failed(
                    code="poison",
                    message=f"the step ended its worker {most + 1} times and was taken out; see its error",
                ),
            )
            _log.error("poisoned rows taken out", rows=len(poisoned))
        rescued = queues.rescue(most, _CHUNK)
        if rescued or poisoned:
            Leases(transaction.work).clean()
        return rescued

    def _time_out(self, transaction: Transaction) -> int:
        overdue = Runs(transaction.work).overdue(_CHUNK)
        if not overdue:
            return 0
        return len(transaction.end(overdue, RunState.FAILED, agent_id="orchestrator", reason="timed_out"))

    def _dispatch(self) -> int:
        """Fill every queue that drains; one that is full keeps what waits for it in PostgreSQL."""
        limits = self._engine.limits
        try:
            depths = self._publisher.depths(self._engine.queues)
        except WireUnavailable as error:
            _log.warning("broker away; rows wait in PostgreSQL", error=str(error))
            return 0
        published = 0
        for queue in self._engine.queues:
            room = (limits.low_water - depths.get(queue, 0)) * limits.largest_batch
            if room <= 0:
                continue
            with self._engine.database.transaction() as work:
                rows: list[ToPublish] = Queues(work).take_stale(queue, limits.republish_seconds, room)
                if rows:
                    _log.warning("published again: nobody claimed these rows", queue=queue, rows=len(rows))
                rows += Queues(work).take_ready(queue, room - len(rows))
            self._engine.publish(into_messages(queue, rows, self._engine.largest_batch))
            published += len(rows)
        return published
