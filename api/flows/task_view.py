"""A task as the task routes show it; never a phone number in clear, whatever it was begun with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from api.flows.live_states import live_view_of
from schemas.core.private_words import masked
from schemas.flows.tasks import ListedTask, StepView, TaskView
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.flows.live_states import LiveState
from storage.flows.task_list import TaskList, TaskRow
from tasks.flows.executions.task_fields import error_of, fields_of
from tasks.forms import TaskForms

_StepStatus = Literal["pending", "running", "waiting", "completed", "failed", "cancelled"]
_STEP_STATUS: Final[Mapping[str, _StepStatus]] = MappingProxyType(
    {
        "scheduled": "pending",
        "ready": "pending",
        "published": "pending",
        "offered": "pending",
        "leased": "running",
        "parked": "waiting",
        "done": "completed",
        "failed": "failed",
        "cancelled": "cancelled",
    }
)


def listed(row: TaskRow, live: LiveState | None) -> ListedTask:
    """The task as a list shows it."""
    return ListedTask(**fields_of(row), live=None if live is None else live_view_of(live))


def view_of(work: UnitOfWork, row: TaskRow, forms: TaskForms) -> TaskView:
    """The task in full."""
    details = TaskList(work).details(row.run_id)
    given = forms.product(row.product).given(work, row.task_id) if row.product else details.variables
    completed = row.status is RunState.COMPLETED and row.product is None
    return TaskView(
        **fields_of(row),
        parameters=masked(given),
        result=masked(details.result) if completed else None,
        error=error_of(row, details.error),
        steps=[
            StepView(
                step=step.node,
                title=step.title or None,
                status=_STEP_STATUS[step.state],
                started_at=step.started_at,
                finished_at=step.finished_at,
            )
            for step in details.steps
        ],
    )
