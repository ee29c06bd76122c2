"""What is shown of a task whatever shows it; never a phone number in clear, whatever it was begun with."""

from collections.abc import Mapping
from typing import Any, Final

from engine.catalogue import task_type_of
from runtime.mask import mask_text
from schemas.core.private_words import masked
from statemachine.workflow.states import RunState
from storage.flows.task_list import TaskRow

_TIMED_OUT: Final = "timed_out"


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


def error_of(row: TaskRow, error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Why a task failed or was cancelled, as it may be shown."""
    if row.status not in (RunState.FAILED, RunState.CANCELLED) or error is None:
        return None
    if error.get("message") == _TIMED_OUT:
        return {"code": _TIMED_OUT, "message": "the time it was given has passed"}
    shown: dict[str, Any] = masked(error)
    return shown
