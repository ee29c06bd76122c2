"""The state machine's routes: the machine, an order in it, its history, moving it (seed 000 section 三)."""

from fastapi import APIRouter

from api.authentication import requires
from api.errors import documented
from api.orchestrator import TaskId
from api.refusal import Refusal, conflict, conflict_details, unknown
from api.route import Route
from api.services import Caller, GivenParts
from engine.transaction import Transaction
from schemas.http.error import Code
from schemas.http.states import (
    AllowedTransition,
    CurrentState,
    History,
    Machine,
    PastTransition,
    TableRow,
    TransitionMade,
    TransitionRequested,
)
from schemas.scopes import Scope
from statemachine.machine import TERMINAL, TRANSITIONS, allowed_from
from statemachine.states import Event, State
from storage.order import Order

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


@router.post(
    "/transition",
    summary="Move an order to another state",
    dependencies=[requires(Scope.STATES)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def make_transition(body: TransitionRequested, parts: GivenParts, caller: Caller) -> TransitionMade:
    """Carries out `task.cancel`; the fleet itself makes every other transition of an order it drives.

    `from_state` must be the order's state at that moment: two callers cannot both move it.
    """
    if body.agent_id is not None and body.agent_id != caller.agent_id:
        raise Refusal(Code.FORBIDDEN, "agent_id must be the agent of the key")
    with parts.engine.transaction() as transaction:
        order = transaction.work.orders.find([body.task_id]).get(body.task_id)
        if order is None:
            raise unknown("task", body.task_id)
        _require_legal(order, body)
        if body.event is not Event.CANCEL:
            raise _driven(order, body.to_state)
        return _cancel(transaction, order, body, caller.agent_id)


@router.get(
    "/{task_id}",
    summary="The state of an order",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def current_state(task_id: TaskId, parts: GivenParts) -> CurrentState:
    """Where the order stands, and the table's ways out of there."""
    with parts.database.transaction() as work:
        order = work.orders.find([task_id]).get(task_id)
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
        if task_id not in work.orders.find([task_id]):
            raise unknown("task", task_id)
        rows = work.timeline.transitions(task_id)
    return History(task_id=task_id, transitions=[PastTransition(**row) for row in rows])


def _require_legal(order: Order, body: TransitionRequested) -> None:
    """Return when the table has this transition out of the order's state.

    Raises:
        Refusal: the order is elsewhere, or the table has no such row (409).
    """
    if order.status is not body.from_state:
        raise conflict(
            order.status,
            body.to_state,
            f"Cannot transition from '{body.from_state}': the order is '{order.status}'",
        )
    row = TRANSITIONS.get((body.from_state, body.event))
    if row is None or row.target is not body.to_state:
        raise conflict(order.status, body.to_state)


def _driven(order: Order, requested: State) -> Refusal:
    who = (
        "the fleet drives this order and makes this transition itself"
        if order.mode == "auto"
        else "this order is driven by the calls of its agents, which make this transition"
    )
    return Refusal(
        Code.STATE_CONFLICT,
        f"{who}; only task.cancel is taken here",
        details=conflict_details(order.status, requested),
    )


def _cancel(
    transaction: Transaction, order: Order, body: TransitionRequested, agent_id: str
) -> TransitionMade:
    """End the order's run; what the order was when it ended is compared with what the caller believed.

    Raises:
        Refusal: its run has ended already, or it moved on meanwhile (409); nothing was changed.
    """
    reason = body.metadata.reason or "cancelled over the API"
    ended = transaction.end([order.run_id], "cancelled", agent_id=agent_id, reason=reason)
    if not ended:
        standing = transaction.work.orders.find([order.task_id])[order.task_id]
        raise conflict(standing.status, body.to_state)
    last = transaction.work.timeline.transitions(order.task_id)[-1]
    if last["from_state"] != body.from_state:
        raise conflict(
            State(last["from_state"]),
            body.to_state,
            f"Cannot transition from '{body.from_state}': it moved to '{last['from_state']}' meanwhile",
        )
    return TransitionMade(
        task_id=order.task_id,
        previous_state=State(last["from_state"]),
        current_state=State(last["to_state"]),
        transition_id=last["transition_id"],
    )
