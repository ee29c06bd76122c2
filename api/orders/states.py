"""The state machine's routes: the machine, an order in it, its history, moving it (seed 000 section 三)."""

from fastapi import APIRouter

from api.orders.agents.orchestrator import TaskId
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.orders.states import (
    AllowedTransition,
    CurrentState,
    History,
    Machine,
    PastTransition,
    TableRow,
)
from statemachine.orders.machine import TERMINAL, TRANSITIONS, allowed_from
from statemachine.orders.states import State
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders

router = APIRouter(prefix="/states", tags=["states"], route_class=Route)


@router.get("", summary="The state machine itself", dependencies=[requires(Scope.READ)])
async def machine() -> Machine:
    """Every state and every transition with its guard; `ours` marks what the seed's table does not have."""
    return Machine(
        states=list(State),
        initial=State.PENDING,
        terminal=sorted(TERMINAL),
        transitions=[
            TableRow(
                from_state=row.source,
                event=row.event,
                to_state=row.target,
                guard=row.guard.value,
                ours=row.ours,
            )
            for row in TRANSITIONS.values()
        ],
    )


@router.get(
    "/{task_id}",
    summary="The state of an order",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def current_state(task_id: TaskId, parts: GivenParts) -> CurrentState:
    """Where the order stands, and the table's ways out of there."""
    with parts.database.transaction() as work:
        order = Orders(work).find([task_id]).get(task_id)
    if order is None:
        raise unknown("task", task_id)
    return CurrentState(
        task_id=task_id,
        current_state=order.status,
        version=order.version,
        allowed_transitions=[
            AllowedTransition(event=row.event, to_state=row.target, guard=row.guard.value, ours=row.ours)
            for row in allowed_from(order.status)
        ],
    )


@router.get(
    "/{task_id}/history",
    summary="Every transition of an order",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def state_history(task_id: TaskId, parts: GivenParts) -> History:
    """Oldest first; `version` counts them."""
    with parts.database.transaction() as work:
        if task_id not in Orders(work).find([task_id]):
            raise unknown("task", task_id)
        rows = OrderView(work).transitions(task_id)
    return History(task_id=task_id, transitions=[PastTransition(**row) for row in rows])
