"""The verbs of a task, whatever its form: cancel, pause, resume, retry."""

from typing import Literal

from fastapi import APIRouter

from api.flows.task_view import view_of
from api.flows.tasks import TaskId
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.parts import Parts
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import GivenParts
from api.task_intake import GivenIntake, TaskIntake
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.flows.tasks import CancelAsked, TaskSteered
from statemachine.workflow.states import RunState
from storage.flows.task_list import TaskList, TaskRow
from tasks.forms import TaskForms
from tasks.verbs import Verb, VerbResult

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)

_STILL_OPEN = (RunState.CREATED, RunState.RUNNING)
_CHANGES = documented(Code.NOT_FOUND, Code.STATE_CONFLICT)


@router.post(
    "/{task_id}/cancel",
    summary="Cancel a task",
    dependencies=[requires(Scope.TASKS)],
    responses=_CHANGES,
)
def cancel_task(
    task_id: TaskId, parts: GivenParts, intake: GivenIntake, actor: Actor, body: CancelAsked | None = None
) -> TaskSteered:
    """At any moment; what is under way is refused when it is to be recorded. One cancelled before stays so."""
    return _steered(task_id, Verb.CANCEL, parts, intake, actor, body.reason if body else None)


@router.post(
    "/{task_id}/pause",
    summary="Let nothing new begin in a task",
    dependencies=[requires(Scope.TASKS)],
    responses=_CHANGES,
)
def pause_task(task_id: TaskId, parts: GivenParts, intake: GivenIntake, actor: Actor) -> TaskSteered:
    """What is under way goes on; times that were set stay as they are."""
    return _steered(task_id, Verb.PAUSE, parts, intake, actor)


@router.post(
    "/{task_id}/resume",
    summary="Let a paused task go on",
    dependencies=[requires(Scope.TASKS)],
    responses=_CHANGES,
)
def resume_task(task_id: TaskId, parts: GivenParts, intake: GivenIntake, actor: Actor) -> TaskSteered:
    """What came due meanwhile is due now."""
    return _steered(task_id, Verb.RESUME, parts, intake, actor)


@router.post(
    "/{task_id}/retry",
    summary="Let a failed task go on where it stopped",
    dependencies=[requires(Scope.TASKS)],
    responses=_CHANGES,
)
def retry_task(task_id: TaskId, parts: GivenParts, intake: GivenIntake, actor: Actor) -> TaskSteered:
    """The failed step runs again with the input it had; the time the task is given begins anew.

    An order that waits for a person because a step failed is decided so.
    """
    return _steered(task_id, Verb.RETRY, parts, intake, actor)


def carry_out(
    task_id: str, verb: Verb, parts: Parts, intake: TaskIntake, actor: str, reason: str | None = None
) -> VerbResult:
    """Carry a verb out: `DONE`, or `NOTHING_TO_DO` where it was so before.

    Raises:
        Refusal: there is no such task (404), or it cannot (409).
    """
    forms = intake.forms
    result = forms.steer(parts.engine, task_id, verb, by=actor, reason=reason)
    if result is VerbResult.UNKNOWN:
        raise unknown("task", task_id)
    if result in (VerbResult.ENDED, VerbResult.WAITS):
        with parts.database.transaction() as work:
            row = TaskList(work, forms.subjects).find(task_id)
        if row is None:
            raise unknown("task", task_id)
        raise _conflict(forms, row, verb, result)
    return result


def _steered(
    task_id: str, verb: Verb, parts: Parts, intake: TaskIntake, actor: str, reason: str | None = None
) -> TaskSteered:
    """The task as it stands once this was carried out, or was so before."""
    result = carry_out(task_id, verb, parts, intake, actor, reason)
    with parts.database.transaction() as work:
        row = TaskList(work, intake.forms.subjects).find(task_id)
        if row is None:
            raise unknown("task", task_id)
        outcome: Literal["applied", "repeated"] = "applied" if result is VerbResult.DONE else "repeated"
        return TaskSteered(**dict(view_of(work, row, intake.forms)), outcome=outcome)


def _conflict(forms: TaskForms, row: TaskRow, verb: Verb, result: VerbResult) -> Refusal:
    why = "has ended" if result is VerbResult.ENDED else "waits for a person"
    if verb is Verb.RETRY and result is VerbResult.ENDED and row.status in _STILL_OPEN:
        why = "has not failed"
    if result is VerbResult.WAITS and row.status is RunState.PAUSED:
        why = "is paused; resume it first"
    state = row.state or row.status.value
    form = forms.product(row.product) if row.product else forms.general
    return Refusal(
        Code.STATE_CONFLICT,
        f"the task is {state} and cannot {verb}: it {why}",
        details={**form.transitions(state, verb), "task_id": row.task_id, "status": row.status.value},
    )
