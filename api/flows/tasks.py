"""The task routes: create, list and show work of any kind (seed 003, SPEC.md §6)."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Union

from fastapi import APIRouter, Body, Path, Query, Request, Response

from api.flows.live_states import GivenLiveReader
from api.flows.task_view import listed, view_of
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.parts import Parts
from api.server.refusal import Refusal, invalid, overloaded, unknown
from api.server.route import Route
from api.server.services import GivenParts
from api.task_intake import GivenIntake, GivenSender, TaskIntake
from engine.catalogue import workflow_named
from schemas.access.scopes import Scope
from schemas.core.alternatives import ReadAs
from schemas.core.error import Code
from schemas.core.form import GivenMoment, Text
from schemas.core.identifier import Identifier
from schemas.core.problems import Problem
from schemas.flows.tasks import TaskPage, TaskTaken, TaskView
from statemachine.workflow.states import RunState
from storage.core.database import Database
from storage.flows.task_list import TaskFilter, TaskList, TaskRow
from tasks.flows.executions.task_fields import fields_of
from tasks.forms import Acceptance, ReadTask, Sender, TaskForms

TaskId = Annotated[
    Identifier, Path(description="An order's task_id, or that of general work.", examples=["HT20260313001"])
]


def router_of(forms: TaskForms) -> APIRouter:
    """The routes for tasks of these forms."""
    router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)
    states: Any = Union[(*forms.states, None)]

    @router.post(
        "",
        summary="Ask for work of any kind",
        dependencies=[requires(Scope.TASKS, repeatable=True)],
        responses=documented(Code.STATE_CONFLICT),
    )
    async def create_task(
        body: Annotated[Any, Body(), ReadAs(forms.body)],
        parts: GivenParts,
        intake: GivenIntake,
        sender: GivenSender,
        request: Request,
        response: Response,
    ) -> TaskTaken:
        """General work in seed 003's form, or an order in the form of `task.created`; told apart by `task_type`.

        Accepted means committed. Where the caller names the `task_id`, the same body again answers with the task as
        it stands, and another body answers 409 and is kept as rejected. While too much general work waits for a worker,
        more of it is answered 503 with `Retry-After`; orders are taken in all the same.
        """
        return await take(body, parts, intake, sender, request, response)

    @router.get("", summary="Every task, the newest first", dependencies=[requires(Scope.READ)])
    def list_tasks(
        parts: GivenParts,
        reader: GivenLiveReader,
        status: Annotated[RunState | None, Query(description="The lifecycle.")] = None,
        state: Annotated[Any, Query(description="The business state; orders only."), ReadAs(states)] = None,
        task_type: Annotated[
            Text | None, Query(max_length=64, examples=["pending_task"], description="Of this kind only.")
        ] = None,
        priority_min: Annotated[int | None, Query(ge=1, le=10, description="At least as urgent.")] = None,
        created_from: Annotated[
            GivenMoment | None, Query(description="The first moment that is wanted.")
        ] = None,
        created_to: Annotated[
            GivenMoment | None, Query(description="The first moment that is not wanted.")
        ] = None,
        order_id: Annotated[Identifier | None, Query(description="Of this order only.")] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="Tasks a page may have.")] = 50,
        cursor: Cursor = None,
    ) -> TaskPage:
        """Orders and general work in one list. What comes in while pages are read is before the first of them."""
        filters = TaskFilter(
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
            rows = TaskList(work, forms.subjects).page(filters, after=place_of(cursor), limit=limit + 1)
        shown = rows[:limit]
        live = reader.of(parts.database, forms.subjects, shown)
        return TaskPage(
            tasks=[listed(row, live.get(row.run_id)) for row in shown],
            next_cursor=cursor_of(shown[-1].position) if len(rows) > limit else None,
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
            row = TaskList(work, forms.subjects).find(task_id)
            if row is None:
                raise unknown("task", task_id)
            return view_of(work, row, forms)

    return router


async def take(
    body: Any,
    parts: Parts,
    intake: TaskIntake,
    sender: Sender,
    request: Request,
    response: Response,
) -> TaskTaken:
    """The same as `accepted`, answered with the task."""
    row, existing = await accepted(body, parts, intake, sender)
    response.headers["Location"] = request.app.url_path_for("find_task", task_id=row.task_id)
    return TaskTaken(**fields_of(row), verdict="existing" if existing else "accepted")


async def accepted(body: Any, parts: Parts, intake: TaskIntake, sender: Sender) -> tuple[TaskRow, bool]:
    """Accept a task in the form of its type; when this returns, everything is committed.

    Returns:
        The task, and whether this very body was accepted before.

    Raises:
        Refusal: it cannot be taken as it is (422, 409), or not now (503).
    """
    task = intake.forms.read_body(parts.engine, body, sender)
    if not isinstance(task, ReadTask):
        raise _invalid(task)
    receipt = await intake.accept(task)
    if receipt.result is Acceptance.OVERLOADED:
        raise overloaded(receipt.message)
    if receipt.result in (Acceptance.INVALID, Acceptance.UNSTORABLE):
        raise _invalid(receipt.problems)
    if receipt.problems:
        raise Refusal(Code.STATE_CONFLICT, receipt.message, details=receipt.details)
    row = await asyncio.to_thread(_row, parts.database, intake.forms, str(receipt.task_id))
    return row, receipt.result is Acceptance.EXISTING


def _invalid(problems: Sequence[Problem]) -> Refusal:
    return invalid([(problem.field, problem.message) for problem in problems])


def _row(database: Database, forms: TaskForms, task_id: str) -> TaskRow:
    with database.transaction() as work:
        row = TaskList(work, forms.subjects).find(task_id)
    assert row is not None, "a task that was accepted is there"
    return row
