"""Actions: how to run and resume a piece of work, with its limits, retry and effect class.

A product declares an action once, in one row; bound to what its work needs of the world it becomes an `Action`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final, Generic, TypeVar

from engine.outcomes import Done, Outcome, Park
from runtime.clock import Clock
from schemas.core.agents import OUTSIDE
from schemas.core.effects import Effect
from statemachine.workflow.definition import Kind, Workflow
from statemachine.workflow.options.retry import NO_RETRY, RetryPolicy
from statemachine.workflow.step import Step
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import Moments
from storage.engine.steps import StepRow


class EffectClass(StrEnum):
    """What a step may do outside the database; decides what a rescue does (SPEC.md §3)."""

    PURE = "pure"
    """May be repeated."""
    RECORD = "record"
    """Written in the recording transaction itself, so exactly once."""
    IDEMPOTENT = "idempotent"
    """Carries a key that the other side honours; may be repeated with it."""
    ONCE = "once"
    """Reaches a person: intent first, an unknown outcome is reconciled by key, never repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The steps of one message that this delivery holds, with their subjects."""

    action: str
    lease_id: str
    steps: tuple[StepRow, ...]
    subjects: Mapping[int, Any]
    moments: Moments
    workflows: Mapping[tuple[str, str], Workflow] = field(default_factory=dict)
    """The definitions of these steps, by name and version."""
    lease_lost: Callable[[], bool] = lambda: False

    def definition_of(self, step: StepRow) -> Step:
        """What the step's workflow says of it."""
        return self.workflows[step.workflow, step.version].steps[step.node]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A parked step with its subject and the signal that ends its wait."""

    step: StepRow
    subject: Any
    signal: Mapping[str, Any]
    moments: Moments


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """A step that is being created: an inline one runs at once, a human one may return effects."""

    run_id: str
    subject_id: str | None
    node: str
    title: str
    input: Mapping[str, Any]
    variables: Mapping[str, Any]
    interrupt_id: str | None = None
    """The id under which the question of a human step is kept."""
    until: datetime | None = None
    """Its deadline."""


def _no_subjects(_: UnitOfWork, __: Sequence[StepRow]) -> Mapping[int, Any]:
    return {}


def _no_effects(_: Entering) -> Sequence[Effect]:
    return ()


def _signal_is_output(resumption: Resumption) -> Outcome:
    """What is said is the output; a question whose deadline passes unanswered goes on waiting."""
    if resumption.step.kind == Kind.HUMAN and resumption.signal.get("type") == "deadline":
        return Park(until=None, clock=Clock.BUSINESS, reason="nobody has answered in time")
    return Done(output=resumption.signal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One piece of work, named `agent.verb`; the prefix is its queue."""

    name: str
    effect: EffectClass = EffectClass.PURE
    retry: RetryPolicy = NO_RETRY
    work: Callable[[Batch], Mapping[int, Outcome]] | None = None
    """Slow work on a claimed batch; no transaction is open."""
    load: Callable[[UnitOfWork, Sequence[StepRow]], Mapping[int, Any]] = _no_subjects
    """Reads what the steps are about, within the transaction that claims or completes them."""
    inline: Callable[[Entering], Outcome] | None = None
    """Pure and instant work, run within the transaction that leads to it; it is done, fails, or parks."""
    resume: Callable[[Resumption], Outcome] = _signal_is_output
    """What a signal or a deadline makes of a parked step; pure."""
    entering: Callable[[Entering], Sequence[Effect]] = _no_effects
    """What is recorded when a step of this action is created."""
    largest_batch: int | None = None
    """Rows one message may carry, where that is fewer than the installation allows."""
    parameters: Mapping[str, object] | None = None
    """What a general task that is nothing but this action takes, as a JSON Schema; `None`: it is no task type."""
    work_seconds: float = 0.0
    """What the work on a batch may take: its tools' limits, one after another; its Celery task's come from it."""
    warm: Callable[[], object] | None = None
    """Loads what the work needs, before its first batch: that one has no time for it."""

    @property
    def queue(self) -> str:
        """The queue its messages travel on."""
        return queue_of(self.name)


C = TypeVar("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDeclaration(Generic[C]):
    """An action as a product declares it: the fields are those of `Action`, the work is also given its context."""

    name: str
    effect: EffectClass = EffectClass.PURE
    retry: RetryPolicy = NO_RETRY
    work: Callable[[C, Batch], Mapping[int, Outcome]] | None = None
    load: Callable[[C, UnitOfWork, Sequence[StepRow]], Mapping[int, Any]] | None = None
    inline: Callable[[Entering], Outcome] | None = None
    resume: Callable[[C, Resumption], Outcome] | None = None
    entering: Callable[[Entering], Sequence[Effect]] = _no_effects
    largest_batch: Callable[[C], int | None] | None = None
    parameters: Mapping[str, object] | None = None
    work_seconds: float = 0.0
    warm: Callable[[C], object] | None = None

    @property
    def queue(self) -> str:
        """The queue its messages travel on."""
        return queue_of(self.name)

    def bind(self, context: C) -> Action:
        """Return the action bound to the context that its work needs."""
        return Action(
            name=self.name,
            effect=self.effect,
            retry=self.retry,
            work=None if self.work is None else partial(self.work, context),
            load=_no_subjects if self.load is None else partial(self.load, context),
            inline=self.inline,
            resume=_signal_is_output if self.resume is None else partial(self.resume, context),
            entering=self.entering,
            largest_batch=None if self.largest_batch is None else self.largest_batch(context),
            parameters=self.parameters,
            work_seconds=self.work_seconds,
            warm=None if self.warm is None else partial(self.warm, context),
        )


def queue_of(action: str) -> str:
    """Return the queue of an action: the agent before the dot."""
    return action.partition(".")[0]


WAIT_OVER: Final = Action(name="engine.wait_over")
"""What ends a wait that names no action: whatever the signal says is the output."""

OUTSIDE_WORK: Final = Action(name=f"{OUTSIDE}.work", effect=EffectClass.IDEMPOTENT, retry=RetryPolicy())
"""Whatever outside agents do: the fleet knows how often it is tried again, and no more."""
