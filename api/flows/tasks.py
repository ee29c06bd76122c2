"""The task routes: work of any kind is asked for, listed and looked at (seed 003, SPEC.md §6)."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.flows.task_view import fields_of, summary_of, view_of
from api.orders.agents.orchestrator import accepted_order
from api.orders.services import GivenOrders, OrdersServices
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts, RequestName
from engine.catalogue import workflow_named
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import GivenMoment, Text
from schemas.core.identifier import Identifier
from schemas.flows.tasks import TaskPage, TaskSent, TaskTaken, TaskView
from schemas.orders.intake import TaskCreated
from statemachine.orders.states import State
from storage.flows.task_list import Lifecycle, TaskList, TaskRow, Wanted
from tasks.flows import general
from tasks.flows.general import NewTask, submit
from tasks.orders.intake.intake import Submission, Verdict
from tasks.orders.intake.task_batch import Sender, read_general, submission_of

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)

TaskId = Annotated[
    Identifier, Path(description="An order's task_id, or that of general work.", examples=["HT20260313001"])
]


@router.post(
    "",
    summary="Ask for work of any kind",
    dependencies=[requires(Scope.TASKS, repeatable=True)],
    responses=documented(Code.STATE_CONFLICT),
)
async def create_task(
    body: TaskSent,
    services: GivenOrders,
    caller: Caller,
    request_id: RequestName,
    request: Request,
    response: Response,
) -> TaskTaken:
    """General work in seed 003's form, or an order in the form of `task.created`; told apart by `task_type`.

    Accepted means committed. Where the caller names the `task_id`, the same body again answers with the task as
    it stands, and another body answers 409 and is kept as rejected.
    """
    sender = Sender(caller.agent_id, request_id, caller.default_mode)
    item = (
        submission_of(body, sender)
        if isinstance(body, TaskCreated)
        else read_general(services.parts.engine, body, sender)
    )
    if isinstance(item, Submission):
        task_id, existing = await _take_order(services, item)
    elif isinstance(item, NewTask):
        task_id, existing = await _take_work(services, item, caller.agent_id, request_id)
    else:
        raise invalid([(problem.field, problem.message) for problem in item])
    row = await asyncio.to_thread(_row, services, task_id)
    response.headers["Location"] = request.app.url_path_for("find_task", task_id=task_id)
    return TaskTaken(**fields_of(row), verdict="existing" if existing else "accepted")


@router.get("", summary="Every task, the newest first", dependencies=[requires(Scope.READ)])
def list_tasks(
    parts: GivenParts,
    status: Annotated[Lifecycle | None, Query(description="The lifecycle.")] = None,
    state: Annotated[State | None, Query(description="The business state; orders only.")] = None,
    task_type: Annotated[
        Text | None, Query(max_length=64, examples=["pending_task"], description="Of this kind only.")
    ] = None,
    priority_min: Annotated[int | None, Query(ge=1, le=10, description="At least as urgent.")] = None,
    created_from: Annotated[GivenMoment | None, Query(description="The first moment that is wanted.")] = None,
    created_to: Annotated[
        GivenMoment | None, Query(description="The first moment that is not wanted.")
    ] = None,
    order_id: Annotated[Identifier | None, Query(description="Of this order only.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Tasks a page may have.")] = 50,
    cursor: Cursor = None,
) -> TaskPage:
    """Orders and general work in one list. What comes in while pages are read is before the first of them."""
    wanted = Wanted(
        status=status,
        state=state,
        workflow=None if task_type is None else workflow_named(task_type),
        order_id=order_id,
        priority_min=priority_min,
        created_from=created_from,
        created_to=created_to,
    )
    with parts.database.transaction() as work:
        # One more than is shown tells whether there is a next page.
        rows = TaskList(work).page(wanted, after=place_of(cursor), limit=limit + 1)
    shown = rows[:limit]
    return TaskPage(
        tasks=[summary_of(row) for row in shown],
        next_cursor=cursor_of(shown[-1].place) if len(rows) > limit else None,
    )


@router.get(
    "/{task_id}",
    summary="A task in full",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def find_task(task_id: TaskId, parts: GivenParts) -> TaskView:
    """An order or general work: what it was begun with, how far it is, what it came to."""
    with parts.database.transaction() as work:
        row = TaskList(work).find(task_id)
        if row is None:
            raise unknown("task", task_id)
        return view_of(work, row)


async def _take_order(services: OrdersServices, submission: Submission) -> tuple[str, bool]:
    """The order's id, and whether it was there before.

    Raises:
        Refusal: its id has another body, or its order another task (409).
    """
    received = await services.intake.submit(submission)
    return accepted_order(received).task_id, received.verdict is Verdict.EXISTING


async def _take_work(services: OrdersServices, task: NewTask, by: str, request_id: str) -> tuple[str, bool]:
    """The task's id, and whether it was there before.

    Raises:
        Refusal: there is no such work, or it does not take this (422); its id has another body (409).
    """
    engine = services.parts.engine
    taken = await asyncio.to_thread(submit, engine, task, by=by, request_id=request_id)
    if taken.verdict is general.Verdict.INVALID:
        raise invalid([(problem.field, problem.message) for problem in taken.problems])
    if taken.verdict is general.Verdict.OTHER_BODY:
        raise Refusal(
            Code.STATE_CONFLICT,
            "; ".join(f"{problem.field} {problem.message}" for problem in taken.problems),
            details={
                "task_id": taken.task_id,
                "fields": [problem.model_dump() for problem in taken.problems],
            },
        )
    assert taken.task_id is not None, "a task that was accepted has an id"
    return taken.task_id, taken.verdict is general.Verdict.EXISTING


def _row(services: OrdersServices, task_id: str) -> TaskRow:
    with services.parts.database.transaction() as work:
        row = TaskList(work).find(task_id)
    assert row is not None, "a task that was accepted is there"
    return row
