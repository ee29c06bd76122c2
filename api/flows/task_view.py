"""A task as the task routes show it; never a phone number in clear, whatever it was begun with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from api.flows.live_states import live_view_of
from engine.catalogue import task_type_of
from runtime.mask import mask_text
from schemas.core.private_words import masked
from schemas.flows.tasks import ListedTask, StepView, TaskView
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.flows.live_states import LiveState
from storage.flows.task_list import TaskList, TaskRow
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
_TIMED_OUT: Final = "timed_out"


def listed(row: TaskRow, live: LiveState | None) -> ListedTask:
    """The task as a list shows it."""
    return ListedTask(**fields_of(row), live=None if live is None else live_view_of(live))


def fields_of(row: TaskRow) -> dict[str, Any]:
    """The fields that every answer about a task has."""
    return {
        "task_id": row.task_id,
        "task_type": task_type_of(row.workflow),
        "description": None if row.description is None else mask_text(row.description),
        "status": row.status.value,
        "state": row.state,
        "order_id": row.order_id,
        "priority": row.priority,
        "created_by": row.created_by,
        "trace_id": row.trace_id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "finished_at": row.finished_at,
        "timeout_at": row.deadline_at,
    }


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


def error_of(row: TaskRow, error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Why a task failed or was cancelled, as it may be shown."""
    if row.status not in (RunState.FAILED, RunState.CANCELLED) or error is None:
        return None
    if error.get("message") == _TIMED_OUT:
        return {"code": _TIMED_OUT, "message": "the time it was given has passed"}
    shown: dict[str, Any] = masked(error)
    return shown
