"""The engine: claim, work, record, publish. Read this first."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import structlog

from engine.actions import Action, Batch
from engine.called_runs import CalledRuns
from engine.catalogue import Catalogue
from engine.definitions.rules import DefinitionRules
from engine.flow.events.after_commit import NOTHING_LEFT, AfterCommit
from engine.leasing.lease import LeaseKeeper
from engine.leasing.leased_work import LeasedWork
from engine.limits import Limits
from engine.outcomes import Outcome
from engine.publisher import Message, Publisher, WireUnavailable, into_messages
from engine.registry import Registry
from engine.rescue.isolation import Fault, in_halves, isolated
from engine.rescue.poison import crash_unclaimed
from engine.room import Room
from engine.slots import SlotKeeper
from engine.transaction import Transaction
from engine.triggers.delivery import meet
from engine.triggers.dispatch import InboxDispatcher
from runtime.ids import Prefix, new_id
from runtime.logs import logger
from runtime.mask import mask_text
from schemas.core.agents import Agent
from statemachine.workflow.definition import Workflow
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.engine.queues import Queues
from storage.engine.steps import StepKey, Steps

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class RecordResult:
    """The result of a recording: messages to send, and whether more rows of its own queue wait."""

    messages: list[Message]
    more_waits: bool
    after: AfterCommit = NOTHING_LEFT
    following: Batch | None = None
    """What follows of the same action: claimed by the transaction that recorded."""


class Engine:
    """Carries rows of steps through claim, work and record, for one process."""

    def __init__(
        self,
        *,
        database: Database,
        publisher: Publisher,
        registry: Registry,
        queues: Sequence[str],
        agents: Iterable[Agent] = (),
        holder: str,
        limits: Limits,
        interruptions: tuple[type[Exception], ...] = (),
    ) -> None:
        """Take the parts; steps choose among `agents`, and `interruptions` end work from outside."""
        self.database = database
        self._interruptions = interruptions
        self._agents = tuple(agents)
        self.catalogue = Catalogue(agents=self._agents)
        self.registry = registry
        self.queues = tuple(queues)
        self.limits = limits
        self._publisher = publisher
        self._holder = holder
        self._keeper = LeaseKeeper(database, limits.lease_seconds)
        self._leased = LeasedWork(database, self._keeper, limits.most_crashes, interruptions)

    @property
    def definition_rules(self) -> DefinitionRules:
        """What definitions may name."""
        known = self.registry
        return DefinitionRules(known.actions, known.needs, self.queues, self._agents, known.secrets)

    def execute(self, name: str, keys: Sequence[StepKey]) -> None:
        """Handle a message; where its rows cannot be carried together, in halves, down to the one at fault."""
        action = self.registry.get(name)
        in_halves(
            keys,
            lambda some: self._carry(action, some),
            lambda key, fault: crash_unclaimed(self, key, fault),
            let_through=self._interruptions,
        )

    def _carry(self, action: Action, keys: Sequence[StepKey]) -> list[None]:
        """Two short transactions, with the slow work between them under a lease.

        What follows of the same action is claimed by the second one and goes on here for a while: no publishing, no
        message, no further transaction.
        """
        until = self._keeper.clock() + self.limits.carry_on_seconds
        lease_id = new_id(Prefix.LEASE)
        with self._leased.under(lease_id, alone=len(keys) == 1):
            batch = self.claim(action, keys, lease_id)
            if batch is None:
                return []
            recorded = self._work_and_record(action, batch, until)
        while recorded.following is not None:
            batch = recorded.following
            with self._leased.under(batch.lease_id, alone=len(batch.steps) == 1):
                self.publish(recorded.messages)
                recorded = self._work_and_record(action, batch, until)
        self.publish(recorded.messages)
        if recorded.more_waits:
            self.refill(action.queue)
        return []

    def _work_and_record(self, action: Action, batch: Batch, until: float) -> RecordResult:
        outcomes = self.work(action, batch)
        if self._keeper.clock() < until:
            recorded = isolated(
                lambda: self.record(batch, outcomes, onward=action), let_through=self._interruptions
            )
            # What follows may be at fault, and then nothing of this was written.
            if not isinstance(recorded, Fault):
                return recorded
        return self.record(batch, outcomes)

    def claim(self, action: Action, keys: Sequence[StepKey], lease_id: str) -> Batch | None:
        """Claim the rows that wait for this delivery; `None` when other workers have them all."""

        def take(work: UnitOfWork) -> tuple[float, Batch | None]:
            return self._keeper.clock(), self._claim_within(work, action, keys, lease_id)

        return self._held(*self.database.durably(take, seconds=self.limits.lease_seconds))

    def _claim_within(
        self, work: UnitOfWork, action: Action, keys: Sequence[StepKey], lease_id: str
    ) -> Batch | None:
        steps = Steps(work).claim(
            keys,
            lease_id=lease_id,
            holder=self._holder,
            queue=action.queue,
            seconds=self.limits.lease_seconds,
        )
        if not steps:
            return None
        # Locked in id order, worked in the order of the message: most urgent first.
        place = {key.step_id: nth for nth, key in enumerate(keys)}
        steps = tuple(sorted(steps, key=lambda step: place[step.step_id]))
        # Nothing is worked on whose successors could not be told.
        workflows = {
            (name, version): self.catalogue.version(work, name, version)
            for name, version in {(step.workflow, step.version) for step in steps}
        }
        return Batch(
            action=action.name,
            lease_id=lease_id,
            steps=steps,
            subjects=action.load(work, steps),
            moments=BusinessClock(work).now(),
            workflows=workflows,
        )

    def _held(self, claimed_at: float, batch: Batch | None) -> Batch | None:
        """A batch whose claim is committed, with its lease renewed from now on."""
        # Not before the commit: a keeper that looks for it earlier would not find it, and take it for lost.
        return batch and replace(batch, lease_lost=self._keeper.hold(batch.lease_id, claimed_at))

    def work(self, action: Action, batch: Batch) -> Mapping[int, Outcome]:
        """Do the slow work; no transaction is open."""
        if action.work is None:
            raise ValueError(f"action '{action.name}' has no work to do on a queue")
        with structlog.contextvars.bound_contextvars(
            action=action.name, lease_id=batch.lease_id, batch=len(batch.steps)
        ):
            outcomes = action.work(batch)
            if logging.getLogger(__name__).isEnabledFor(logging.INFO):
                _tell(batch, outcomes)
        return outcomes

    def record(
        self, batch: Batch, outcomes: Mapping[int, Outcome], *, onward: Action | None = None
    ) -> RecordResult:
        """Commit results, effects and successors together; claim the successors of `onward`, the action of the batch.

        Run again after a lost answer, it finds its own rows recorded and writes nothing twice.
        """
        room, next_lease, began = self._room(), new_id(Prefix.LEASE), self._keeper.clock()
        claimed: list[Message] = []

        def write(work: UnitOfWork) -> RecordResult:
            transaction = self._transaction(work, room)
            lost = transaction.record(batch.lease_id, outcomes, batch.subjects)
            if lost:
                _log.warning("results refused: the lease was lost", lease_id=batch.lease_id, rows=lost)
            messages, following = transaction.messages(), None
            if onward is not None:
                # Where the answer to a commit was lost, they are those of the time before.
                claimed[:] = [each for each in messages if each.action == onward.name][:1] or claimed
                for message in claimed:
                    following = self._claim_within(work, onward, message.keys, next_lease)
            own_queue = batch.action.partition(".")[0]
            return RecordResult(
                [each for each in messages if each not in claimed],
                room.waiting.get(own_queue) is not None,
                transaction.after_commit,
                following,
            )

        recorded = self.database.durably(write, seconds=self.limits.lease_seconds)
        recorded = replace(recorded, following=self._held(began, recorded.following))
        if recorded.after:
            self._follow(recorded.after)
        return recorded

    def publish(self, messages: Sequence[Message]) -> None:
        """Send the committed messages; the tick finds those that cannot be sent."""
        if not messages:
            return
        try:
            self._publisher.publish(messages)
        except WireUnavailable as error:
            _log.warning("messages left to the tick", error=mask_text(str(error)), messages=len(messages))

    def refill(self, queue: str) -> int:
        """Publish the most urgent ready rows while this queue is below its low-water mark; return their number."""
        room = self._room((queue,)).rows_left.get(queue, 0)
        if room <= 0:
            return 0
        with self.database.transaction() as work:
            if Queues(work).most_urgent([queue])[queue] is None:
                return 0
            rows = Queues(work).take_ready(queue, room)
        self.publish(into_messages(queue, rows, self.largest_batch))
        return len(rows)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open an engine transaction; after its commit, successors are published."""
        room = self._room()
        with self.database.transaction() as work:
            transaction = self._transaction(work, room)
            yield transaction
        self.publish(transaction.messages())
        if after := transaction.after_commit:
            self._follow(after)

    def _follow(self, after: AfterCommit) -> None:
        """Do what a committed transaction has left to be done; the tick does what cannot be done now."""
        try:
            if after.entries:
                InboxDispatcher(self).at_once(after.entries)
            if after.awaited:
                meet(self, after.awaited)
            if after.slots:
                SlotKeeper(self).give(after.slots)
            if after.calls_back:
                CalledRuns(self).look()
        except StorageUnavailable as error:
            _log.warning("what follows a commit is left to the tick", error=str(error))

    def triggered_by(self, trigger: str) -> tuple[Workflow, ...]:
        """The workflows that this event starts."""
        with self.database.looks() as work:
            return self.catalogue.triggered_by(work, trigger)

    def largest_batch(self, action: str) -> int:
        """The largest number of rows in a message of this action."""
        return self.registry.largest_batch(action, self.limits.largest_batch)

    def close(self) -> None:
        """Stop the threads of the engine."""
        self._keeper.close()

    def _transaction(self, work: UnitOfWork, room: Room) -> Transaction:
        return Transaction(work, self.catalogue, self.registry, room, self.limits)

    def _room(self, queues: Sequence[str] | None = None) -> Room:
        return Room.of(self._publisher, self.queues if queues is None else queues, self.limits)


def _tell(batch: Batch, outcomes: Mapping[int, Outcome]) -> None:
    """One line a step, with everything by which people look for it."""
    for step in batch.steps:
        _log.info(
            "step worked",
            task_id=step.subject_id,
            step_id=step.step_id,
            run_id=step.run_id,
            request_id=step.request_id,
            trace_id=step.trace_id,
            node=step.node,
            delivery=step.delivery,
            outcome=type(outcomes[step.step_id]).__name__,
        )
