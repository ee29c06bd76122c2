"""The routes that show executions: as they stand, their steps, variables and log."""

from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Header, Path, Query, Request, Response

from api.flows.executions.log_stream import LogReader, entry_of, log_stream
from api.outbound.streams.broadcast import Broadcast
from api.outbound.streams.event_stream import MEDIA_TYPE
from api.server.admission import Admission
from api.server.authentication import requires
from api.server.cursor import Cursor, Place, cursor_of, place_of
from api.server.errors import documented
from api.server.parts import Parts
from api.server.refusal import invalid, unknown
from api.server.route import Route
from api.server.services import GivenParts, GivenServices, kept
from api.task_intake import GivenIntake, TaskIntake
from engine.catalogue import workflow_named
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Text
from schemas.core.identifier import Identifier
from schemas.core.private_words import masked
from schemas.flows.executions import (
    ExecutionLog,
    ExecutionPage,
    ExecutionStepPage,
    ExecutionSummary,
    ExecutionVariables,
    ExecutionView,
    VariableWritten,
)
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.variables import WrittenVariables
from storage.engine.runs import RunRow
from storage.flows.executions import Executions
from storage.flows.task_list import TaskFilter, TaskList, TaskRow
from tasks.flows.executions.execution_fields import summary_of, variables_of
from tasks.flows.executions.looking import ExecutionReader
from tasks.forms import TaskForms

router = APIRouter(prefix="/executions", tags=["executions"], route_class=Route)

ExecutionId = Annotated[
    Identifier,
    Path(description="An execution; an order's task_id names its own, too.", examples=["RUN20260313001"]),
]
_LONGEST_NUMBER = 18
"""Digits of an id, so that it is one that PostgreSQL has."""
Limit = Annotated[int, Query(ge=1, le=200, description="Rows a page may have.")]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=256,
        description="Of a stream: go on after this id, as it was received; it wins over `cursor`.",
    ),
]
Accept = Annotated[str, Header(max_length=1000, include_in_schema=False)]
_STREAM_EXAMPLE: Final = (
    "retry: 2000\nid: MjAwMC0wMS0wMVQwMDowMDowMCswMDowMCA\n\n"
    "id: MjAyNi0wMy0xM1QwMTowMDowMCswMDowMCAwMGE\nevent: task_initialized\n"
    'data: {"timestamp":"2026-03-13T01:00:00.000Z","event_type":"task_initialized","data":{"step_id":17, …}}\n\n'
)
_LOG_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A page of the log; with `Accept: text/event-stream` the log as it grows.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _STREAM_EXAMPLE}},
    },
    204: {"description": "Of a stream: the execution has ended and everything was sent before."},
}


@router.get("", summary="Every execution, the newest first", dependencies=[requires(Scope.READ)])
def list_executions(
    parts: GivenParts,
    intake: GivenIntake,
    status: Annotated[RunState | None, Query(description="Those that stand so.")] = None,
    workflow: Annotated[
        Text | None, Query(max_length=64, examples=["pending_task"], description="Of this workflow only.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ExecutionPage:
    """Runs of workflows, those that carry orders too. What begins while pages are read is before the first of them."""
    filters = TaskFilter(status=status, workflow=None if workflow is None else workflow_named(workflow))
    rows = reader_of(parts, intake).page(filters, after=place_of(cursor), limit=limit + 1)
    shown = rows[:limit]
    return ExecutionPage(
        executions=[ExecutionSummary(**summary_of(row)) for row in shown],
        next_cursor=cursor_of(shown[-1].position) if len(rows) > limit else None,
    )


@router.get(
    "/{execution_id}",
    summary="An execution in full",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def find_execution(execution_id: ExecutionId, parts: GivenParts, intake: GivenIntake) -> ExecutionView:
    """How far its steps are, what its variables hold, what it waits for, and what it came to."""
    fields = reader_of(parts, intake).in_full(execution_id)
    if fields is None:
        raise unknown("execution", execution_id)
    return ExecutionView(**fields)


@router.get(
    "/{execution_id}/steps",
    summary="The steps of an execution",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def list_execution_steps(
    execution_id: ExecutionId,
    parts: GivenParts,
    intake: GivenIntake,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ExecutionStepPage:
    """Each as often as it was entered, in the order in which that was."""
    after = _number(place_of(cursor))
    steps = reader_of(parts, intake).steps(execution_id, after=after, limit=limit + 1)
    if steps is None:
        raise unknown("execution", execution_id)
    shown = steps[:limit]
    return ExecutionStepPage(
        steps=list(shown),
        next_cursor=cursor_of((shown[-1].entered_at, str(shown[-1].step_id))) if len(steps) > limit else None,
    )


@router.get(
    "/{execution_id}/variables",
    summary="The variables of an execution",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def list_execution_variables(
    execution_id: ExecutionId,
    parts: GivenParts,
    intake: GivenIntake,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ExecutionVariables:
    """What they hold now, and every value that was written to them, by a step or a person."""
    with parts.database.transaction() as work:
        run = run_in(work, found_in(work, execution_id, intake.forms))
        workflow = parts.engine.catalogue.version(work, run.workflow, run.version)
        rows = WrittenVariables(work).history(run.run_id, limit + 1, after=_number(place_of(cursor)))
    shown = rows[:limit]
    return ExecutionVariables(
        variables=variables_of(workflow, run),
        history=[
            VariableWritten(
                name=row["name"],
                value=masked(row["value"]),
                step=row["node"],
                by=row["by"],
                at=row["written_at"],
            )
            for row in shown
        ],
        next_cursor=cursor_of((shown[-1]["written_at"], str(shown[-1]["position"])))
        if len(rows) > limit
        else None,
    )


@router.get(
    "/{execution_id}/log",
    summary="What happened in an execution",
    dependencies=[requires(Scope.READ)],
    response_model=ExecutionLog,
    responses=_LOG_ANSWERS | documented(Code.NOT_FOUND),
)
def list_execution_log(
    execution_id: ExecutionId,
    request: Request,
    services: GivenServices,
    broadcast: Annotated[Broadcast, kept(Broadcast)],
    logs: Annotated[LogReader, kept(LogReader)],
    intake: GivenIntake,
    limit: Limit = 100,
    cursor: Cursor = None,
    last_event_id: LastEventId = None,
    accept: Accept = "",
) -> ExecutionLog | Response:
    """The oldest line first, page by page; `log_entries` of the execution says how many there are.

    With `Accept: text/event-stream`, server-sent events: what is there, then each line as it comes, until the
    execution has ended. The `id` of each is a cursor; after a disconnect send the last one back as `Last-Event-ID`
    (browsers do) or `cursor`. Who does so when everything was sent before is answered 204.
    """
    streamed = MEDIA_TYPE in accept
    after = place_of(last_event_id or cursor if streamed else cursor)
    with services.parts.database.transaction() as work:
        row = found_in(work, execution_id, intake.forms)
        lines = Executions(work).log(row.run_id, after=after, limit=1 if streamed else limit + 1)
    if streamed:
        if after is not None and not lines and row.finished_at is not None:
            return Response(status_code=204)
        return log_stream(broadcast, logs, row.run_id, after, Admission.of(services, request, Scope.READ))
    shown = lines[:limit]
    return ExecutionLog(
        entries=[entry_of(line) for line in shown],
        next_cursor=cursor_of((shown[-1].at, shown[-1].place)) if len(lines) > limit else None,
    )


def reader_of(parts: Parts, intake: TaskIntake) -> ExecutionReader:
    """What reads executions in this process."""
    return ExecutionReader(parts.database, intake.forms, parts.engine)


def found_in(work: UnitOfWork, execution_id: str, forms: TaskForms) -> TaskRow:
    """The execution of this id.

    Raises:
        Refusal: there is none (404).
    """
    row = TaskList(work, forms.subjects).find(execution_id)
    if row is None:
        raise unknown("execution", execution_id)
    return row


def run_in(work: UnitOfWork, row: TaskRow) -> RunRow:
    """The run of a task that was found."""
    return cast("RunRow", Executions(work).find(row.run_id))


def _number(place: Place | None) -> int:
    """The number of the last row of the page before.

    Raises:
        Refusal: the cursor is that of another list (422).
    """
    if place is None:
        return 0
    if not place[1].isdecimal() or len(place[1]) > _LONGEST_NUMBER:
        raise invalid([("cursor", "is not the next_cursor of a page of this list")])
    return int(place[1])
