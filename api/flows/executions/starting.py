"""The route that begins a run of a workflow."""

import asyncio
import hashlib

from fastapi import APIRouter, Request, Response

from api.flows.tasks import accepted
from api.flows.workflows import Name
from api.server.authentication import requires
from api.server.errors import documented
from api.server.parts import Parts
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import GivenParts
from api.task_intake import GivenIntake, GivenSender
from engine.catalogue import UnknownWorkflow
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.flows.executions import ExecutionAsked, ExecutionStarted
from schemas.flows.tasks import GeneralTask
from statemachine.workflow.definition import Workflow
from storage.engine.definitions import Definitions
from storage.flows.task_list import TaskRow
from tasks.flows.executions.execution_fields import execution_of
from tasks.forms import TaskForms

router = APIRouter(prefix="/workflows", tags=["executions"], route_class=Route)


@router.post(
    "/{name}/start",
    summary="Begin a run of a workflow",
    status_code=201,
    dependencies=[requires(Scope.TASKS)],
    responses={
        **documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
        200: {"model": ExecutionStarted, "description": "It was begun before."},
    },
)
async def start_workflow(
    name: Name,
    body: ExecutionAsked,
    parts: GivenParts,
    intake: GivenIntake,
    sender: GivenSender,
    request: Request,
    response: Response,
) -> ExecutionStarted:
    """The same as `POST /tasks` with this `task_type`; 200 where the same was begun before under this key.

    Another body under the same `key` or `task_id` is a conflict.
    """
    if body.key is not None and body.task_id is not None:
        raise invalid([("key", "stands for a task_id; name one of them")])
    workflow = await asyncio.to_thread(_current, parts, name)
    given = body.model_dump(exclude_unset=True, exclude={"key"})
    given["description"] = body.description or workflow.options.title[:500] or name
    if body.key is not None:
        given["task_id"] = _run_id(name, body.key)
    row, existing = await accepted(GeneralTask(**given, task_type=name), parts, intake, sender)
    response.headers["Location"] = request.app.url_path_for("find_execution", execution_id=row.run_id)
    if existing:
        response.status_code = 200
    return await asyncio.to_thread(_started, parts, intake.forms, row, existing)


def _started(parts: Parts, forms: TaskForms, row: TaskRow, existing: bool) -> ExecutionStarted:  # noqa: FBT001
    with parts.database.transaction() as work:
        fields = execution_of(work, row, forms, parts.engine.catalogue)
    return ExecutionStarted(**fields, outcome="existing" if existing else "started")


def _run_id(name: str, key: str) -> str:
    """The id of the execution that this key of this workflow stands for."""
    return f"key-{hashlib.sha256(f'{name} {key}'.encode()).hexdigest()[:28]}"


def _current(parts: Parts, name: str) -> Workflow:
    with parts.database.transaction() as work:
        try:
            return parts.engine.catalogue.current(work, name)
        except UnknownWorkflow as error:
            if not Definitions(work).versions(name):
                raise unknown("workflow", name) from error
            raise Refusal(
                Code.STATE_CONFLICT, f"no version of workflow '{name}' is active", details={"workflow": name}
            ) from error
