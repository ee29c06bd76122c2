"""An execution as it is shown: read from rows, masked like everything that is shown."""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from engine.catalogue import Catalogue
from runtime.mask import mask_text
from schemas.core.private_words import masked
from schemas.flows.executions import EntryStatus, ExecutionStep, ExecutionWait, IncidentView, TaskStats
from statemachine.workflow.definition import Workflow
from statemachine.workflow.failures import INCIDENT
from statemachine.workflow.states import OPEN_RUNS, RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.runs import RunRow
from storage.flows.executions import Executions, ExecutionStepRow, StepProgress, WaitRow
from storage.flows.task_list import TaskList, TaskRow
from storage.people.interrupts import InterruptFilter, Interrupts
from storage.people.reviews import Review
from tasks.flows.executions.task_fields import error_of, fields_of
from tasks.forms import TaskForms

_MOST_WAITS: Final = 100
_ENDED: Final[Mapping[str, EntryStatus]] = MappingProxyType(
    {"done": "completed", "failed": "failed", "cancelled": "cancelled"}
)


def summary_of(row: TaskRow) -> dict[str, Any]:
    """The fields that every answer about an execution has."""
    fields = fields_of(row)
    return {
        "execution_id": row.run_id,
        "workflow_id": fields["task_type"],
        "version": row.version,
        "started_at": row.created_at,
        **{
            name: fields[name]
            for name in (
                "task_id", "status", "description", "priority", "created_by", "trace_id", "updated_at",
                "finished_at", "timeout_at",
            )
        },
    }  # fmt: skip


def execution_of(work: UnitOfWork, row: TaskRow, forms: TaskForms, catalogue: Catalogue) -> dict[str, Any]:
    """The fields of an execution in full.

    Raises:
        MalformedWorkflow: its definition can no longer be read.
    """
    executions = Executions(work)
    run = executions.find(row.run_id)
    assert run is not None, "a task that was found has a run"
    workflow = catalogue.version(work, run.workflow, run.version)
    open_questions = Interrupts(work).list(InterruptFilter(run_id=run.run_id), limit=_MOST_WAITS)
    reviews = [each.review for each in open_questions]
    given = forms.product(row.product).given(work, row.task_id) if row.product else run.variables
    return {
        **summary_of(row),
        "task_stats": _stats(workflow, run, executions.progress(run.run_id)),
        "log_entries": executions.log_length(run.run_id),
        "parameters": masked(given),
        "variables": variables_of(workflow, run),
        "output": masked(_output(work, row, run)),
        "error": error_of(row, run.error),
        "waiting_for": [
            *(_question(each) for each in reviews if each.node != INCIDENT.id),
            *(_wait(each) for each in executions.waits(run.run_id, _MOST_WAITS)),
        ][:_MOST_WAITS],
        "incidents": [_incident(each) for each in reviews if each.node == INCIDENT.id],
    }


def variables_of(workflow: Workflow, run: RunRow) -> dict[str, Any]:
    """What the variables of a run hold now."""
    found: dict[str, Any] = masked({**workflow.variables, **(run.written or {})})
    return found


def step_of(workflow: Workflow, row: ExecutionStepRow) -> ExecutionStep:
    """A row of a step."""
    step = workflow.steps.get(row.node)
    return ExecutionStep(
        step_id=row.step_id,
        step=row.node,
        title=(step.title if step else None) or None,
        kind=row.kind,
        status=_status(row.state, running=row.running, held=row.held and row.state != "leased"),
        priority=row.priority,
        tries=row.tries,
        scope_id=row.scope_id,
        element=row.element,
        output=masked(row.output),
        error=masked(row.error) if row.state == "failed" else None,
        entered_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        due_at=row.due_at if row.state not in _ENDED else None,
    )


def _stats(workflow: Workflow, run: RunRow, progress: list[StepProgress]) -> TaskStats:
    known = {each.node: each for each in progress}
    absent = "pending" if run.state in OPEN_RUNS else "skipped"
    counted = Counter(_of_progress(known[name]) if name in known else absent for name in workflow.steps)
    return TaskStats(**{name: counted[name] for name in TaskStats.model_fields})


def _of_progress(found: StepProgress) -> str:
    """What has several rows is at its furthest that is open; else it is as the last of them ended."""
    if not found.open:
        return _ENDED[found.last]
    return _status("", running=found.running, held=found.held)


def _status(state: str, *, running: bool, held: bool) -> EntryStatus:
    if state in _ENDED:
        return _ENDED[state]
    if held:
        return "paused"
    return "running" if running else "pending"


def _output(work: UnitOfWork, row: TaskRow, run: RunRow) -> Any:
    if run.output is not None or row.status is not RunState.COMPLETED or row.product is not None:
        return run.output
    return TaskList(work).details(run.run_id).result


def _question(review: Review) -> ExecutionWait:
    return ExecutionWait(
        step=review.node,
        step_id=review.step_id,
        kind="human",
        name=mask_text(review.question),
        key=None,
        until=review.deadline_at,
        interrupt_id=review.review_id,
    )


def _wait(row: WaitRow) -> ExecutionWait:
    return ExecutionWait(
        step=row.node,
        step_id=row.step_id,
        kind=row.kind,
        name=row.name,
        key=None if row.key is None else mask_text(row.key),
        until=row.until,
        interrupt_id=None,
    )


def _incident(review: Review) -> IncidentView:
    error = review.context.get("error")
    because: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    return IncidentView(
        interrupt_id=review.review_id,
        step=str(review.context.get("origin", "")),
        code=str(because.get("code", review.reason)),
        message=mask_text(str(because.get("message", review.question))),
        opened_at=review.opened_at,
    )
