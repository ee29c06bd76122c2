"""The routes of orders as people look at them: the newest, and everything that is known of one."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.server.actor import Actor
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.scopes import Scope
from schemas.access.visibility import Content, visible_to
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.orders.explain.dossier import DossierView, OrderList, OrderSummary
from statemachine.orders.states import State
from storage.orders.lists.order_list import OrderFilter
from tasks.orders.explain.dossier import read_dossier
from tasks.orders.explain.dossier_view import dossier_view
from tasks.orders.explain.lists import orders_page
from tasks.orders.people.revealing import put_on_record

router = APIRouter(tags=["tasks"], route_class=Route)

TaskId = Annotated[Identifier, Path(description="An order's task_id.", examples=["HT20260313001"])]


@router.get("/orders", summary="Orders, the newest first", dependencies=[requires(Scope.READ)])
def list_orders(
    parts: GivenParts,
    state: Annotated[State | None, Query(description="In this state only.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Orders a page may have.")] = 100,
    cursor: Cursor = None,
) -> OrderList:
    """Each with its round, its attempt, what the customer wants, and when it is contacted next; page by page."""
    with parts.database.transaction() as work:
        page = orders_page(
            work, OrderFilter(status=state and state.value), after=place_of(cursor), limit=limit
        )
    return OrderList(
        orders=[OrderSummary.model_validate(asdict(order)) for order in page.orders],
        next_cursor=cursor_of(page.next) if page.next else None,
    )


@router.get(
    "/tasks/{task_id}/dossier",
    summary="Everything that is known of an order",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def show_dossier(
    task_id: TaskId,
    parts: GivenParts,
    caller: Caller,
    actor: Actor,
    *,
    words: Annotated[
        bool, Query(description="Also what the customer said, numbers masked; needs the scope `reveal`.")
    ] = False,
) -> DossierView:
    """Its contacts, transitions, audit log, steps, reviews and alerts, and a timeline of all of them.

    With `words` each look is a line `personal_data_revealed` in the order's audit log.
    """
    if words:
        if Content.WORDS not in visible_to(caller.scopes):
            raise Refusal(Code.FORBIDDEN, "this key may not see what customers said")
        put_on_record(parts.database, task_id, by=actor)
    with parts.database.snapshot() as work:
        dossier = read_dossier(work, task_id, words=words)
    if dossier is None:
        raise unknown("task", task_id)
    return dossier_view(dossier, parts.personal)
