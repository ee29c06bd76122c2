"""Steps that are created: many in one statement, each with its place in its run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runtime.clock import Clock
from statemachine.workflow.states import STEP_ENDS, StepState
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.engine.tables import steps as steps_table

_INSERT = BulkInsert(
    steps_table,
    (
        "run_id", "subject_id", "node", "kind", "queue", "action", "state", "held", "priority",
        "due_at", "due_clock", "input", "output", "error", "caused_by", "urgency", "wanted",
        "scope_id", "element", "referenced", "ready_at", "published_at", "finished_at",
    ),
    returning="state, step_id, run_id, node, queue, action, subject_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step to be created."""

    run_id: str
    subject_id: str | None
    node: str
    kind: str
    queue: str | None
    action: str | None
    state: StepState
    held: bool = False
    priority: int = 1
    due_at: datetime | None = None
    due_clock: Clock | None = None
    input: Mapping[str, object] = field(default_factory=dict)
    output: object = None
    """As JSON, or what becomes it."""
    error: Mapping[str, object] | None = None
    caused_by: int | None = None
    urgency: datetime | None = None
    wanted: Mapping[str, object] | None = None
    """What an outside agent needs to do it."""
    scope_id: int | None = None
    element: int | None = None
    referenced: bool | None = None
    """Whether its output is read by its name; null where it is not."""


@dataclass(frozen=True, slots=True)
class InsertedStep:
    """A created step, as far as publishing it needs: what `_INSERT` returns, in its order."""

    state: StepState
    step_id: int
    run_id: str
    node: str
    queue: str | None
    action: str | None
    subject_id: str | None


@dataclass(frozen=True, slots=True)
class NewSteps(Repository):
    """The only code that creates steps."""

    def insert(self, steps: Sequence[NewStep], database_now: datetime) -> tuple[InsertedStep, ...]:
        """Create steps, and return them in their order; `database_now` stamps them."""
        rows = _INSERT(self.connection, [_values(step, database_now) for step in steps])
        return tuple(_inserted(row) for row in rows)


def _inserted(row: Iterable[Any]) -> InsertedStep:
    state, *further = row
    return InsertedStep(StepState(state), *further)


def _values(step: NewStep, now: datetime) -> tuple[object, ...]:
    return (
        step.run_id,
        step.subject_id,
        step.node,
        step.kind,
        step.queue,
        step.action,
        step.state.value,
        step.held,
        step.priority,
        step.due_at,
        step.due_clock,
        step.input,
        step.output,
        step.error,
        step.caused_by,
        step.urgency,
        step.wanted,
        step.scope_id,
        step.element,
        step.referenced,
        now if step.state is StepState.READY else None,
        now if step.state is StepState.PUBLISHED else None,
        now if step.state in STEP_ENDS else None,
    )
