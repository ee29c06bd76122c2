"""In which state a new step is created, and for which moment it waits."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from engine.flow.facts import RunFacts
from engine.room import Room
from runtime.clock import Clock
from runtime.durations import moment_after
from statemachine.workflow.definition import Kind
from statemachine.workflow.options.agent_choice import OFFER_SECONDS
from statemachine.workflow.plan import Entered
from statemachine.workflow.states import StepState
from storage.engine.clock import Moments

_PARKED: Final = frozenset({Kind.SCOPE, Kind.WORKFLOW, Kind.COMPENSATE, Kind.HUMAN})
"""The kinds of steps that wait for a person, or for what is begun in them."""


class Beginning(NamedTuple):
    """The first state of a step."""

    state: StepState
    due_at: datetime | None = None
    due_clock: Clock | None = None


def beginning(run: RunFacts, entered: Entered, place: datetime, moments: Moments, room: Room) -> Beginning:
    """The state a new step is created in, and the moment it waits for.

    Args:
        run: Its run.
        entered: The step.
        place: Its place in its queue.
        moments: The clocks.
        room: What the queues can take.

    Raises:
        UnreadableTime: what it waits for is no time.
    """
    step, now = entered.step, moments.business_now
    if entered.elements is not None or step.kind in _PARKED or step.catches:
        seconds = step.deadline_seconds if step.kind is Kind.HUMAN else None
        return _at(StepState.PARKED, None if seconds is None else now + timedelta(seconds=seconds))
    if entered.slot is not None:
        return Beginning(StepState.PARKED if step.kind is Kind.WAIT else StepState.SCHEDULED)
    due = max(_due(entered, now) or now, now)
    later = due > now or step.kind is Kind.WAIT
    if step.kind is Kind.ACTION and (run.manual or (step.choice is not None and not later)):
        return _at(StepState.OFFERED, due + timedelta(seconds=OFFER_SECONDS))
    if later:
        return _at(StepState.SCHEDULED, due)
    published = not run.held and room.take(step.agent, place)
    return Beginning(StepState.PUBLISHED if published else StepState.READY)


def _due(entered: Entered, now: datetime) -> datetime | None:
    """The moment before which the step is not due."""
    step = entered.step
    if step.wait_seconds is not None:
        return now + timedelta(seconds=step.wait_seconds)
    if step.until is not None:
        return moment_after(now, entered.due)
    return _moment(entered.input.get(step.not_before)) if step.not_before else None


def _at(state: StepState, due: datetime | None) -> Beginning:
    return Beginning(state) if due is None else Beginning(state, due, Clock.BUSINESS)


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None
