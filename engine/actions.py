"""What the engine must know of a piece of work: how to run it, resume it, and what it may do to the world."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.outcomes import Done, Outcome, Park
from runtime.clock import Clock
from schemas.orders.effects import Effect
from statemachine.workflow.definition import Kind
from statemachine.workflow.retry import NO_RETRY, RetryPolicy
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import Moments
from storage.engine.runs import RunRow
from storage.engine.steps import StepRow


class EffectClass(StrEnum):
    """What a step may do to the world; decides what a rescue does (SPEC.md §3)."""

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
    """The rows of one message that this delivery holds, with what they are about."""

    action: str
    lease_id: str
    steps: tuple[StepRow, ...]
    subjects: Mapping[int, Any]
    parameters: Mapping[int, Mapping[str, object]]
    moments: Moments
    lease_lost: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """A parked step, what it is about, and the signal that ends its wait."""

    step: StepRow
    subject: Any
    signal: Mapping[str, Any]
    moments: Moments


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """A step that is being created: an inline one is run at once, a human one may leave effects."""

    run_id: str
    subject_id: str | None
    node: str
    title: str
    input: Mapping[str, Any]
    variables: Mapping[str, Any]


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
    """One registered piece of work, named `agent.verb`; the prefix is its queue."""

    name: str
    effect: EffectClass = EffectClass.PURE
    retry: RetryPolicy = NO_RETRY
    work: Callable[[Batch], Mapping[int, Outcome]] | None = None
    """Slow work on a claimed batch; no transaction is open."""
    load: Callable[[UnitOfWork, Sequence[StepRow]], Mapping[int, Any]] = _no_subjects
    """Reads what the steps are about, within the transaction that claims or completes them."""
    inline: Callable[[Entering], Outcome] | None = None
    """Pure and instant work, run within the transaction that leads to it."""
    resume: Callable[[Resumption], Outcome] = _signal_is_output
    """What a signal or a deadline makes of a parked step; pure."""
    entering: Callable[[Entering], Sequence[Effect]] = _no_effects
    """What is recorded when a step of this action is created."""
    largest_batch: int | None = None
    """Rows one message may carry, where that is fewer than the installation allows."""
    parameters: Mapping[str, object] | None = None
    """What a general task that is nothing but this action takes, as a JSON Schema; `None`: it is no task type."""

    @property
    def queue(self) -> str:
        """The queue its messages travel on."""
        return self.name.partition(".")[0]


WAIT_OVER = Action(name="engine.wait_over")
"""What ends a wait that names no action: whatever the signal says is the output."""


class UnknownAction(LookupError):
    """A definition or message names an action that is not registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A run that is ended from outside: cancelled, or failed because its time was up."""

    run: RunRow
    state: str
    agent_id: str
    reason: str


def _nothing_ends(_: Ending) -> Sequence[Effect]:
    return ()


@dataclass(frozen=True, slots=True)
class Actions:
    """The registered actions by name, and what is recorded when a run is ended from outside."""

    by_name: Mapping[str, Action]
    ending: Callable[[Ending], Sequence[Effect]] = _nothing_ends

    def get(self, name: str) -> Action:
        """The action of this name.

        Raises:
            UnknownAction: none is registered.
        """
        try:
            return self.by_name[name]
        except KeyError as error:
            known = ", ".join(sorted(self.by_name))
            raise UnknownAction(f"no action '{name}' is registered; there are {known}") from error

    def largest_batch(self, name: str, limit: int) -> int:
        """Rows a message of this action may carry, given the installation's limit."""
        action = self.by_name.get(name)
        own = None if action is None else action.largest_batch
        return limit if own is None else min(own, limit)
