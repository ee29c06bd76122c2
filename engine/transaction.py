"""A transaction of the engine: begin, record, complete, cancel, pause; its messages are sent after the commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from engine.begin import Begin
from engine.catalogue import Catalogue
from engine.flow.events.after_commit import AfterCommit
from engine.flow.events.catching import CaughtEvent
from engine.flow.facts import RunFacts
from engine.flow.intervening import Intervening
from engine.flow.parts import FlowParts
from engine.limits import Limits
from engine.outcomes import Done, Failed, Outcome, SignalResult
from engine.publisher import Message, messages_of
from engine.registry import Ending, Registry
from engine.room import Room
from schemas.core.effects import Effect
from statemachine.workflow.options.agent_choice import OFFER_SECONDS
from statemachine.workflow.options.call_limits import NO_LIMITS, CallLimits
from statemachine.workflow.states import (
    OPEN_RUNS,
    OPEN_STEPS,
    WAITING_STEPS,
    RunEvent,
    RunState,
    StepState,
    sources,
)
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock, Moments
from storage.engine.flow.slots import Slots, WaitingSlot
from storage.engine.leases import Leases
from storage.engine.queues import Queues, ToPublish
from storage.engine.runs import RunRow, Runs
from storage.engine.steering import Steering
from storage.engine.steps import StepKey, StepRow, Steps

_DEADLINE: Final[Mapping[str, Any]] = {"type": "deadline"}
"""The signal that ends a wait nobody answered."""


@dataclass(slots=True)
class Transaction:
    """The operations of the engine within one unit of work."""

    work: UnitOfWork
    catalogue: Catalogue
    registry: Registry
    room: Room
    limits: Limits
    _flow: FlowParts = field(init=False)
    _taken: list[tuple[str, ToPublish]] = field(default_factory=list)
    moments: Moments = field(init=False)

    def __post_init__(self) -> None:
        self.moments = BusinessClock(self.work).now()
        if self.room.rows_left:
            self.room.waiting = Queues(self.work).most_urgent(sorted(self.room.rows_left))
        self._flow = FlowParts.of(self.work, self.catalogue, self.registry, self.room, self.moments)

    def begin(self, runs: Sequence[Begin]) -> dict[str, str]:
        """Create these runs and their first steps; what is inline is done within this transaction.

        Returns:
            Those that were begun before under the same key of their workflow, each with the run that was.
        """
        known = self._flow.completion.begin(runs)
        self._flow.completion.finish()
        return known

    def write(self, effects: Sequence[Effect]) -> None:
        """Write effects that belong to no step.

        Raises:
            Exception: the error of a refusal; nothing may be committed.
        """
        for refusal in self.registry.writers.apply(self.work, [(0, effect) for effect in effects]).values():
            raise refusal.error

    def record(self, lease_id: str, outcomes: Mapping[int, Outcome], subjects: Mapping[int, Any]) -> int:
        """Write outcomes of steps whose lease still holds; of the others only evidence.

        Returns:
            How many of the steps were no longer held by this lease.
        """
        return len(self.record_leases(dict.fromkeys(outcomes, lease_id), outcomes, subjects))

    def record_leases(
        self, leases: Mapping[int, str], outcomes: Mapping[int, Outcome], subjects: Mapping[int, Any]
    ) -> tuple[StepRow, ...]:
        """The same where each step has a lease of its own; the steps that were no longer held by theirs."""
        rows = Steps(self.work).lock(list(outcomes))
        held = [row for row in rows if row.state is StepState.LEASED and row.lease_id == leases[row.step_id]]
        # What this very lease has recorded before is neither held nor lost.
        lost = tuple(
            row for row in rows if row.lease_id != leases[row.step_id] or row.state is StepState.CANCELLED
        )
        self.registry.writers.keep_evidence(
            self.work, [(row.step_id, effect) for row in lost for effect in outcomes[row.step_id].effects]
        )
        # A result that came early is about what the work wrote since the claim: the attempt it began.
        fresh = self._flow.settlement.load(row for row in held if row.early_signals)
        self._flow.settlement.settle(held, outcomes, {**subjects, **fresh})
        # A lease that is named for a step that is not under it may be somebody else's.
        Leases(self.work).release(*{row.lease_id for row in rows if row.lease_id == leases[row.step_id]})
        return lost

    def complete(self, signals: Mapping[int, Mapping[str, Any]]) -> dict[int, SignalResult]:
        """End the wait of steps by a callback, a decision, a deadline or a due time.

        A step need not be parked: a result may come while its outcome is still being asked for.

        Raises:
            UnknownDecision: a human step was answered with a decision it does not offer.
        """
        rows = Steps(self.work).lock(list(signals))
        Steps(self.work).keep_early_signals(
            {row.step_id: signals[row.step_id] for row in rows if row.state is StepState.LEASED}
        )
        waiting = [row for row in rows if row.state in WAITING_STEPS]
        self._flow.settlement.resume(waiting, signals)
        results = {
            row.step_id: SignalResult.EARLY if row.state is StepState.LEASED else SignalResult.LATE
            for row in rows
        }
        return results | {row.step_id: SignalResult.APPLIED for row in waiting}

    def catch(self, events: Sequence[CaughtEvent]) -> frozenset[int]:
        """Go on with what has come for those who still wait for it; which subscriptions did."""
        for run in Runs(self.work).lock(sorted({each.subscription.run_id for each in events})):
            if run.state in OPEN_RUNS:
                self._flow.succession.runs[run.run_id] = self._facts(run)
        heard = self._flow.catching.catch(events)
        self._flow.completion.finish()
        return heard

    def give_slots(self, waiting: Sequence[WaitingSlot]) -> None:
        """Let these go on that have waited for a slot, as far as they still do."""
        rows = Steps(self.work).lock([each.step_id for each in waiting])
        opened = {row.step_id: row for row in rows if row.state in WAITING_STEPS}
        still = {each.slot_id: each.step_id for each in waiting if each.step_id in opened}
        granted = [still[slot_id] for slot_id in sorted(Slots(self.work).grant(still))]
        runs = [opened[step_id] for step_id in granted if opened[step_id].state is StepState.PARKED]
        self._flow.settlement.settle(runs, {row.step_id: Done() for row in runs}, {})
        Queues(self.work).let_go([step_id for step_id in granted if opened[step_id] not in runs])

    def child_ended(self, outcomes: Mapping[int, Outcome]) -> None:
        """End the steps that waited for other runs, each by what its run came to."""
        rows = [row for row in Steps(self.work).lock(list(outcomes)) if row.state is StepState.PARKED]
        self._flow.settlement.settle(rows, outcomes, {})

    def end_waits(self, step_ids: Sequence[int]) -> int:
        """End the waits of these steps; how many there were.

        One that was taken, answered, held or given another time since it was found due goes on as it is.
        """
        due = [row for row in Steps(self.work).lock(step_ids) if self._flow.settlement.is_due(row)]
        self._flow.settlement.resume(due, dict.fromkeys([row.step_id for row in due], _DEADLINE))
        return len(due)

    def fail(self, step_ids: Sequence[int], outcome: Failed, *, lost: bool = False) -> int:
        """End open steps as failed, whoever holds them, or only those whose lease has run out; how many there were."""
        rows = [row for row in Steps(self.work).lock(step_ids) if row.state in OPEN_STEPS]
        if lost:
            still_lost = Queues(self.work).still_lost([row.step_id for row in rows])
            rows = [row for row in rows if row.step_id in still_lost]
        self._flow.settlement.settle(rows, dict.fromkeys([row.step_id for row in rows], outcome), {})
        return len(rows)

    def divert(self, run_id: str, node: str, given: Mapping[str, object]) -> bool:
        """Cancel the open steps of a run and enter this step instead; `False` while one of them is leased."""
        (run,) = Runs(self.work).lock([run_id])
        rows = Steps(self.work).lock(Steps(self.work).open_of(run_id))
        if run.state not in OPEN_RUNS or any(row.state is StepState.LEASED for row in rows):
            return False
        dropped = Steps(self.work).cancel_open([run_id])
        self.registry.withdraw(self.work, dropped)
        facts = self._facts(run)
        self._flow.succession.count(facts, -len(dropped))
        self._flow.intervening.enter(facts, node, given)
        self._flow.completion.finish()
        return True

    def divert_to(self, run_id: str, purpose: str, given: Mapping[str, object]) -> bool:
        """The same, for the step that is for this purpose in the run's definition."""
        (run,) = Runs(self.work).lock([run_id])
        return self.divert(run_id, self._facts(run).workflow.step_for(purpose).id, given)

    def end(
        self, run_ids: Sequence[str], state: RunState, *, agent_id: str, reason: str, compensates: bool = True
    ) -> list[RunRow]:
        """Cancel or fail runs at any moment; claim, record and send all see it. The runs that were still open.

        What was done is undone where the definition says so, unless `compensates` says no.

        Raises:
            Exception: the error of a refusal: the subject of a run cannot end so; nothing was changed.
        """
        runs = [run for run in Runs(self.work).lock(run_ids) if run.state in OPEN_RUNS]
        ids = [run.run_id for run in runs]
        if not ids:
            return []
        Steps(self.work).lock([step_id for run_id in ids for step_id in Steps(self.work).open_of(run_id)])
        effects = [
            effect
            for run in runs
            for effect in self.registry.end_effects(
                self.catalogue.version(self.work, run.workflow, run.version),
                Ending(run=run, state=state, agent_id=agent_id, reason=reason),
            )
        ]
        self.write(effects)
        error = {"code": state.value, "message": reason}
        for run in runs:
            self._flow.completion.end(self._facts(run), state, error, compensates=compensates)
        self._flow.completion.finish()
        return runs

    def retry(self, run_ids: Sequence[str]) -> list[str]:
        """Restart failed runs at the steps where they stopped, with the same input; return those that had failed."""
        failed = [run for run in Runs(self.work).lock(run_ids) if run.state in sources(RunEvent.RETRY)]
        cut_short = {run.run_id: Steering(self.work).cut_short(run.run_id) for run in failed}
        again = [run for run in failed if cut_short[run.run_id]]
        Runs(self.work).reopen([run.run_id for run in again])
        for run in again:
            facts = self._facts(run)
            self._flow.intervening.enter_anew(facts, cut_short[run.run_id], reopened=True)
        self._flow.completion.finish()
        return [run.run_id for run in again]

    def take(self, step_id: int, given: Mapping[str, object], limits: CallLimits = NO_LIMITS) -> bool:
        """Publish an offered step with what its caller gave; `False` when it is not offered, or held.

        What was given is `call` in the step's input; the limits hold for its tool.
        """
        (row,) = Steps(self.work).lock([step_id])
        if row.held or row.queue is None or row.action is None:
            return False
        if not Steering(self.work).take_offered(step_id, given, limits):
            return False
        taken = ToPublish(row.key, row.action, row.subject_id or row.run_id, alone=False)
        self._taken.append((row.queue, taken))
        return True

    def bring_forward(self, run_id: str, due_at: datetime) -> int:
        """Bring the run's waits for the business clock forward to this time; return the number of steps."""
        Runs(self.work).lock([run_id])
        return Steering(self.work).bring_forward(run_id, due_at, OFFER_SECONDS)

    def reprioritise(self, run_id: str, priority: int) -> None:
        """Give a run another priority, with its open questions, and its open steps that had the run's."""
        (run,) = Runs(self.work).lock([run_id])
        Runs(self.work).set_priority(run_id, priority)
        Steering(self.work).reprioritise(run_id, before=run.priority, now=priority)
        self.registry.reprioritise_questions(self.work, run_id, before=run.priority, now=priority)

    def pause(self, run_ids: Sequence[str]) -> list[str]:
        """Hold running runs; times that were set stay as they are. The runs that were running."""
        ids = [run.run_id for run in Runs(self.work).lock(run_ids) if run.state in sources(RunEvent.PAUSE)]
        if ids:
            Runs(self.work).set_state(ids, RunState.PAUSED, ends=False)
            Steps(self.work).hold(ids, held=True)
        return ids

    def resume(self, run_ids: Sequence[str]) -> list[str]:
        """Let paused runs go on; what came due meanwhile is due now. The runs that were paused."""
        ids = [run.run_id for run in Runs(self.work).lock(run_ids) if run.state in sources(RunEvent.RESUME)]
        if ids:
            Runs(self.work).set_state(ids, RunState.RUNNING, ends=False)
            Steps(self.work).hold(ids, held=False)
        return ids

    def messages(self) -> list[Message]:
        """The messages to send once this transaction is committed."""
        rows = [
            (
                step.queue,
                ToPublish(StepKey(step.step_id, 1), step.action, step.subject_id or step.run_id, alone=False),
            )
            for step in self._flow.succession.inserted
            if step.state is StepState.PUBLISHED and step.queue and step.action
        ]
        largest, registry = self.limits.largest_batch, self.registry
        return messages_of([*rows, *self._taken], lambda action: registry.largest_batch(action, largest))

    @property
    def intervening(self) -> Intervening:
        """What people may do to a run that this transaction has locked."""
        return self._flow.intervening

    @property
    def after_commit(self) -> AfterCommit:
        """What is to be done once this is committed."""
        return self._flow.completion.run_ends.after_commit(self._flow.catching.messages)

    def _facts(self, run: RunRow) -> RunFacts:
        return RunFacts.of(run, self.catalogue.version(self.work, run.workflow, run.version))
