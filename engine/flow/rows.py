"""The rows of new steps, and what else is known of a step that is only now created."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from engine.actions import Entering
from engine.flow.beginnings import Beginning
from engine.flow.facts import RunFacts
from statemachine.workflow.definition import Kind, Step
from statemachine.workflow.plan import Entered
from statemachine.workflow.states import StepState
from storage.engine.flow.new_steps import NewStep

_PLACED: Final = (StepState.READY, StepState.PUBLISHED)
"""The states of rows that have a place among those of their queue."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A step that this transaction creates."""

    row: NewStep
    step: Step
    run: RunFacts
    entered: Entered | None = None
    """How it was entered; `None`: it was passed at once."""
    bound: Mapping[str, object] | None = None
    """The elements of the loops around, where it is one of them itself."""
    interrupt_id: str | None = None
    """The id of the question it asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowContent:
    """What a new row says beside which step it is of which run."""

    entered: Entered | None = None
    output: object = None
    error: Mapping[str, object] | None = None
    place: datetime | None = None
    """Its place in its queue."""


def new_row(
    run: RunFacts, step: Step, caused_by: int | None, first: Beginning, content: RowContent
) -> NewStep:
    """The row of a step that begins in this state."""
    entered = content.entered
    is_loop = entered is not None and entered.elements is not None
    return NewStep(
        run_id=run.run_id,
        subject_id=run.subject_id,
        node=step.id,
        kind=Kind.EACH if is_loop else step.kind,
        queue=step.agent or None,
        action=f"{step.agent}.{step.action}" if step.agent and step.action else None,
        state=first.state,
        held=run.held,
        priority=step.priority or run.priority,
        due_at=first.due_at,
        due_clock=first.due_clock,
        input={} if entered is None else entered.given if is_loop else entered.input,
        output=content.output,
        error=content.error,
        caused_by=caused_by,
        urgency=content.place if first.state in _PLACED or step.choice is not None else None,
        wanted=None if step.choice is None or is_loop else asdict(step.choice),
        scope_id=run.scope_id,
        element=None if entered is None else entered.index,
        referenced=step.id in run.workflow.reading.outputs or None,
    )


def entering(
    run: RunFacts, entered: Entered, interrupt_id: str | None = None, until: datetime | None = None
) -> Entering:
    """A step that is being created, as its action sees it."""
    return Entering(
        run_id=run.run_id,
        subject_id=run.subject_id,
        node=entered.step.id,
        title=entered.step.title or entered.step.id,
        input=entered.input,
        variables=run.variables,
        interrupt_id=interrupt_id,
        until=until,
    )
