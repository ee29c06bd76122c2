"""The tick: finds every row that is due or was lost. One tick works at a time."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from engine.called_runs import CalledRuns
from engine.engine import Engine
from engine.flow.events.catching import CaughtEvent
from engine.outcomes import Failed
from engine.publisher import Publisher, WireUnavailable, into_messages
from engine.rescue.isolation import Fault, in_halves, isolated
from engine.rescue.poison import abandon_run, crash_waiting, take_out
from engine.slots import SlotKeeper
from engine.transaction import Transaction
from engine.triggers.delivery import meet
from engine.triggers.dispatch import InboxDispatcher
from engine.triggers.scheduling import Scheduler
from runtime.clock import Clock
from runtime.logs import logger
from statemachine.workflow.states import RunState
from storage.engine.clock import BusinessClock
from storage.engine.due_work import DueWork, DueWorkLook
from storage.engine.flow.subscriptions import EventSubscription, Subscriptions
from storage.engine.leases import Leases
from storage.engine.pulses import TICK_PULSE, Pulses
from storage.engine.queues import Queues, ToPublish
from storage.engine.runs import Runs
from storage.engine.triggers.kept_messages import KeptMessages

_log = logger(__name__)

_CHUNK: Final = 500
"""Rows one pass handles of each kind; the next pass follows at once while there are more."""

_CAUGHT: Final = 2_000
"""Times that have come which one pass hands to those who wait for them: in one transaction."""

_WOKEN: Final = 5_000
"""Rows whose time has come that one pass makes ready: one statement, whatever their number."""

_CALLS_APART: Final = 2.0
"""Seconds that may lie between two pulses of a tick that nothing keeps away."""


@dataclass(frozen=True, slots=True)
class TickResult:
    """The numbers of rows that a tick handled."""

    woken: int = 0
    ended: int = 0
    rescued: int = 0
    published: int = 0
    triggered: int = 0
    """Entries of the inbox and schedules."""

    @property
    def any(self) -> bool:
        """Whether it handled any row, so that another tick is worth while."""
        return bool(self.woken or self.ended or self.rescued or self.published or self.triggered)


class Tick:
    """Wakes due rows, rescues lost ones, ends overdue ones, begins what triggers begin, publishes ready ones."""

    def __init__(self, engine: Engine, publisher: Publisher) -> None:
        self._engine = engine
        self._dispatcher = InboxDispatcher(engine)
        self._scheduler = Scheduler(engine)
        self._publisher = publisher
        self._looked_to = ("", "")
        """Where the next look for messages that are kept although somebody waits goes on."""

    def sweep(self) -> TickResult | None:
        """Run one tick; `None` when another one is at work.

        What several rows need the work of their context for is done outside the first transaction, down to the one
        row that cannot be: nothing keeps the others from it, nor what is ready from being published.
        """
        with self._engine.transaction() as transaction:
            queues, limits = Queues(transaction.work), self._engine.limits
            most, lease = limits.most_crashes, limits.lease_seconds
            if not queues.lead():
                return None
            Pulses(transaction.work).beat(TICK_PULSE, gap_seconds=lease / 2 + _CALLS_APART)
            due = DueWorkLook(transaction.work).look()
            poisoned = queues.poisoned(most, _CHUNK, grace_seconds=lease) if due.lost else []
            rescued = queues.rescue(most, _CHUNK, grace_seconds=lease) if due.lost else 0
            if rescued:
                Leases(transaction.work).clean()
            woken, overdue_waits = self._wake(transaction) if due.steps else (0, [])
            overdue_runs = Runs(transaction.work).overdue(_CHUNK) if due.runs else []
            over = Subscriptions(transaction.work).due(_CAUGHT) if due.timers else []
        poison = Failed(
            code="poison",
            message=f"the step ended its worker {most + 1} times and was taken out; see its error",
        )
        phases: tuple[Callable[[], int], ...] = (
            lambda: take_out(self._engine, poisoned, poison, lost=True),
            lambda: self._time_out(overdue_runs),
            lambda: self._end_waits(overdue_waits),
            lambda: self._catch(over),
            lambda: CalledRuns(self._engine).look() if due.called_runs else 0,
            lambda: SlotKeeper(self._engine).look() if due.slots else 0,
        )
        # One that cannot even be taken out is tried again by the next tick, and keeps nobody from what follows.
        ended = sum(done for phase in phases if not isinstance(done := isolated(phase), Fault))
        triggered = isolated(lambda: self._trigger(due))
        triggered = 0 if isinstance(triggered, Fault) else triggered
        swept = TickResult(woken, ended, rescued, self._dispatch(), triggered)
        if rescued:
            _log.warning("rescued rows whose lease ran out", rows=rescued)
        return swept

    def idle_seconds(self) -> float:
        """How long nothing is due of what is known now: none while anything is under way, else to the next moment."""
        with self._engine.database.looks() as work:
            horizon, moments = Queues(work).horizon(), BusinessClock(work).now()
        if horizon.busy:
            return 0.0
        business_due = horizon.business_due and moments.anchor.database(horizon.business_due)
        known = [due for due in (horizon.database_due, business_due) if due is not None]
        return min(((due - moments.database_now).total_seconds() for due in known), default=math.inf)

    def _wake(self, transaction: Transaction) -> tuple[int, list[int]]:
        """Make due actions ready; how many, and the waits that are over."""
        queues = Queues(transaction.work)
        woken, overdue = 0, []
        for clock in Clock:
            woken += queues.ready_due(clock, transaction.moments, _WOKEN)
            overdue += queues.due_otherwise(clock, transaction.moments.on(clock), _CHUNK)
        return woken, overdue

    def _trigger(self, due: DueWork) -> int:
        """Begin what schedules and entries left in the inbox begin; how many there were."""
        if due.expired:
            with self._engine.database.transaction() as work:
                KeptMessages(work).expire()
        if due.kept:
            with self._engine.database.looks() as work:
                unmet, self._looked_to = KeptMessages(work).unmet(self._looked_to)
            meet(self._engine, unmet)
        schedules = self._scheduler.round() if due.schedules else 0
        return schedules + (self._dispatcher.round() if due.entries else 0)

    def _end_waits(self, step_ids: Sequence[int]) -> int:
        """Tell steps that their wait is over; how many waits ended."""

        def end(some: Sequence[int]) -> list[int]:
            with self._engine.transaction() as transaction:
                transaction.end_waits(some)
            return [1] * len(some)

        def alone(step_id: int, fault: Fault) -> int:
            return crash_waiting(self._engine, step_id, fault)

        return sum(in_halves(step_ids, end, alone)) if step_ids else 0

    def _catch(self, over: Sequence[EventSubscription]) -> int:
        """Tell who waits for a time that it has come; how many there were."""

        def catch(some: Sequence[EventSubscription]) -> list[int]:
            with self._engine.transaction() as transaction:
                heard = len(transaction.catch([CaughtEvent(each, {"kind": each.kind}) for each in some]))
            return [heard]

        def alone(one: EventSubscription, fault: Fault) -> int:
            if one.step_id is not None:
                return crash_waiting(self._engine, one.step_id, fault)
            with self._engine.transaction() as transaction:
                abandon_run(transaction, one.run_id, {"code": "deadline_fault", "message": str(fault)})
            return 1

        return sum(in_halves(over, catch, alone)) if over else 0

    def _time_out(self, run_ids: Sequence[str]) -> int:
        """Fail runs whose time is up; how many there were."""

        def end(some: Sequence[str]) -> list[int]:
            with self._engine.transaction() as transaction:
                transaction.end(some, RunState.FAILED, agent_id="orchestrator", reason="timed_out")
            return [1] * len(some)

        def alone(run_id: str, fault: Fault) -> int:
            with self._engine.transaction() as transaction:
                abandon_run(transaction, run_id, {"code": "timed_out", "message": str(fault)})
            return 1

        return sum(in_halves(run_ids, end, alone)) if run_ids else 0

    def _dispatch(self) -> int:
        """Fill every queue that drains; one that is full keeps what waits for it in PostgreSQL."""
        limits = self._engine.limits
        with self._engine.database.looks() as work:
            wanting = Queues(work).wanting(self._engine.queues, limits.republish_seconds)
        if not wanting:
            return 0
        try:
            depths = self._publisher.depths(wanting)
        except WireUnavailable as error:
            _log.warning("broker away; rows wait in PostgreSQL", error=str(error))
            return 0
        published = 0
        for queue in wanting:
            free = limits.low_water - depths.get(queue, 0)
            if free <= 0:
                continue
            room = free * limits.largest_batch
            with self._engine.database.transaction() as work:
                rows: list[ToPublish] = Queues(work).take_stale(queue, limits.republish_seconds, room)
                if rows:
                    _log.warning("published again: nobody claimed these rows", queue=queue, rows=len(rows))
                rows += Queues(work).take_ready(queue, room - len(rows))
            self._engine.publish(into_messages(queue, rows, self._engine.largest_batch))
            published += len(rows)
        return published
