"""Moving an order over the API: what its waiting step needs, done by its agent (seed 000 section 三)."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from fastapi import APIRouter
from pydantic import ValidationError

from api.orders.agents.contact import ACCEPTED
from api.orders.agents.performance import Prefer, perform
from api.orders.errors import conflict
from api.orders.services import GivenOrders, OrdersParts
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller
from engine.engine import Engine
from runtime.personal import PersonalFields
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.problems import problems_of
from schemas.orders.agents.calls import ActionParameters
from schemas.orders.states import TransitionMade, TransitionRequested
from statemachine.orders.guards import Facts
from statemachine.orders.intents import INTENTS, Level2
from statemachine.orders.machine import TRANSITIONS, transition
from statemachine.orders.states import Event, State
from storage.access.keys import Key
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.orders.order import Order
from storage.orders.order_view import OrderView, StepResult
from storage.orders.orders import Orders
from storage.people.reviews import Reviews
from tasks.orders.calls.call import Call
from tasks.orders.calls.contact_record import ContactRecord, Unrecordable, record
from tasks.orders.calls.transition import CannotBeCalled, call_for
from tasks.orders.people.intervention import cancel_within, start
from tasks.verbs import VerbResult
from tools.policies.permissions import Permissions

_LONGEST_WAIT = 30.0
EVENT_SCOPES: Final[Mapping[Event, frozenset[Scope]]] = MappingProxyType(
    {
        Event.START: frozenset({Scope.TASKS}),
        Event.USER_RESPONDED: frozenset({Scope.CONTACT}),
        Event.USER_NO_ANSWER: frozenset({Scope.CONTACT}),
        Event.CONTACT_RETRY: frozenset({Scope.CONTACT, Scope.TASKS}),
        Event.CONTACT_MAX_REACHED: frozenset({Scope.CONTACT, Scope.TASKS}),
        Event.TRIAGE_COMPLETE: frozenset({Scope.TRIAGE}),
        Event.ACTION_EXECUTE: frozenset({Scope.ACTIONS}),
        Event.INTENT_POSTPONE: frozenset({Scope.ACTIONS, Scope.TASKS}),
        Event.INTENT_RESUME: frozenset({Scope.ACTIONS, Scope.TASKS}),
        Event.INTENT_TERMINATE: frozenset({Scope.ACTIONS, Scope.TASKS}),
        Event.FOLLOWUP_TIME_REACHED: frozenset({Scope.CONTACT, Scope.TASKS}),
        Event.CANCEL: frozenset({Scope.TASKS}),
        Event.TIMEOUT: frozenset({Scope.TASKS}),
        Event.REVIEW_CLOSE: frozenset({Scope.REVIEWS}),
        Event.REVIEW_RECONTACT: frozenset({Scope.REVIEWS}),
    },
)
"""What a key needs beside `states` to move an order by an event, one of these: as where it is done by its own route."""

_BEGUN: Final = "an order begins when it is taken in, unless it is held; this one waits for a person"
_PAUSED: Final = "the order is paused; resume it first"

_DESCRIPTION = """\
Must be what the order's waiting step needs: it is done by its agent, and this answers once it is.
`task.start` begins an order that came with `hold`.

`from_state` must be the order's state at that moment: two callers cannot both move it. `task.cancel` is possible from
every open state. What a person decides is decided at `/v1/reviews`.

Beside `states` a key needs a scope of the event, as for the route that does the same:

""" + "\n".join(
    f"- `{event}`: {' or '.join(f'`{scope}`' for scope in sorted(scopes))}"
    for event, scopes in EVENT_SCOPES.items()
)

router = APIRouter(prefix="/states", tags=["states"], route_class=Route)


@router.post(
    "/transition",
    summary="Move an order to another state",
    description=_DESCRIPTION,
    dependencies=[requires(Scope.STATES)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT) | ACCEPTED,
    response_model=TransitionMade,
)
async def make_transition(
    body: TransitionRequested, services: GivenOrders, caller: Caller, prefer: Prefer = None
) -> Any:
    """Have the order's waiting step done by its agent, when the event is what it needs and the caller's to make."""
    _require_mover(body.event, caller)
    if body.agent_id is not None and body.agent_id != caller.agent_id:
        raise Refusal(Code.FORBIDDEN, "agent_id must be the agent of the key")
    parts = services.parts
    if body.event is Event.CANCEL:
        return await asyncio.to_thread(_cancelled, parts.engine, body, caller.agent_id)
    if body.event is Event.START:
        return await asyncio.to_thread(_started, parts.engine, body, caller.agent_id)
    order = await asyncio.to_thread(_movable, parts.engine, parts.context.permissions, body, caller.agent_id)
    metadata = body.metadata.model_dump(mode="json", exclude_none=True)
    if "action_params" in metadata:
        metadata["action_params"] = _checked(metadata["action_params"], parts.personal)
    try:
        wanted = call_for(order, body.event, caller.agent_id, metadata, parts.context.blind_index)
    except CannotBeCalled as error:
        raise conflict(order.status, body.to_state, str(error)) from error

    def made(work: UnitOfWork, _: Call[Any], __: StepResult) -> TransitionMade:
        found = _made(work, order, body.event)
        if found is None:
            current = Orders(work).find([order.task_id])[order.task_id]
            why = f"the step was done, and did not lead to '{body.to_state}'; see where the order stands"
            raise conflict(current.status, body.to_state, why)
        return found

    if isinstance(wanted, ContactRecord):
        return await asyncio.to_thread(_record, parts, wanted, order, body)
    return await perform(services, wanted, seconds=_LONGEST_WAIT, prefer=prefer, answer=made)


def _require_mover(event: Event, caller: Key) -> None:
    """Return when the key may move an order by this event.

    Raises:
        Refusal: it may not (403).
    """
    if EVENT_SCOPES[event].isdisjoint(caller.scopes):
        raise Refusal(Code.FORBIDDEN, "this key may not do this")


def _checked(given: object, personal: PersonalFields) -> dict[str, Any]:
    """The parameters of an action, as its own route would take them.

    Raises:
        Refusal: they are not (422).
    """
    try:
        return ActionParameters.model_validate(given).as_given(personal)
    except ValidationError as error:
        problems = problems_of(error, "an action")
        raise invalid([(f"metadata.action_params.{p.field}", p.message) for p in problems]) from error


def _movable(engine: Engine, permissions: Permissions, body: TransitionRequested, agent_id: str) -> Order:
    """The order, when the table and the guard let this event pass now.

    Raises:
        Refusal: no such order (404), or it is elsewhere (409).
        IllegalTransition: the guard does not hold (409).
    """
    with engine.database.transaction() as work:
        order = Orders(work).find([body.task_id]).get(body.task_id)
        now = BusinessClock(work).now().business_now
        asked = Reviews(work).open_of(body.task_id) is not None
    if order is None:
        raise unknown("task", body.task_id)
    _require_legal(order, body)
    given: Mapping[str, Any] = body.metadata.model_extra or {}
    # What the fleet's own classification will come to is not known: its step itself holds the guard against it.
    classified = asked or given.get("level2_intent") is not None
    confidence = given.get("confidence", order.confidence) if classified else 1.0
    transition(
        order.status,
        body.event,
        Facts(
            contact_count=order.contact_count,
            max_contacts=order.max_contacts,
            confidence=confidence if isinstance(confidence, float | int) else None,
            permitted=permissions.allow(agent_id, str(given.get("action_type") or _action_of(order))),
            next_contact_time=order.next_contact_time,
            now=now,
            review_open=True,
            reason=body.metadata.reason,
        ),
    )
    return order


def _action_of(order: Order) -> str | None:
    intent = INTENTS.get(Level2(order.user_intent_l2)) if order.user_intent_l2 else None
    return intent.action if intent else None


def _record(
    parts: OrdersParts, given: ContactRecord, order: Order, body: TransitionRequested
) -> TransitionMade:
    outcome, _ = record(parts.engine, parts.context, given)
    if isinstance(outcome, Unrecordable):
        raise conflict(order.status, body.to_state, "the order does not wait for the result of a contact")
    with parts.database.transaction() as work:
        made = _made(work, order, body.event)
        current = Orders(work).find([order.task_id])[order.task_id]
    if made is None:
        raise conflict(current.status, body.to_state)
    return made


def _made(work: UnitOfWork, order: Order, event: Event) -> TransitionMade | None:
    """The transition by this event that was made since the order was looked at."""
    for row in OrderView(work).transitions(order.task_id):
        if row["version"] > order.version and row["event"] == event:
            return TransitionMade(
                task_id=order.task_id,
                previous_state=State(row["from_state"]),
                current_state=State(row["to_state"]),
                transition_id=row["transition_id"],
            )
    return None


def _started(engine: Engine, body: TransitionRequested, agent_id: str) -> TransitionMade:
    """Begin an order that is held.

    Raises:
        Refusal: there is none (404), it is elsewhere, or it is not held (409); nothing was changed.
    """
    with engine.database.transaction() as work:
        order = Orders(work).find([body.task_id]).get(body.task_id)
    if order is None:
        raise unknown("task", body.task_id)
    _require_legal(order, body)
    result, after = start(engine, order.task_id, by=agent_id)
    with engine.database.transaction() as work:
        made = _made(work, order, body.event)
    if result is not VerbResult.DONE or made is None:
        paused = result is VerbResult.WAITS
        raise conflict((after or order).status, body.to_state, _PAUSED if paused else _BEGUN)
    return made


def _cancelled(engine: Engine, body: TransitionRequested, agent_id: str) -> TransitionMade:
    """Cancel the order; what it was when it ended is compared with what the caller believed.

    Raises:
        Refusal: its run has ended already, or it moved on meanwhile (409); nothing was changed.
    """
    with engine.transaction() as transaction:
        order = Orders(transaction.work).find([body.task_id]).get(body.task_id)
        if order is None:
            raise unknown("task", body.task_id)
        _require_legal(order, body)
        reason = body.metadata.reason or "cancelled over the API"
        result, cancelled = cancel_within(transaction, order.task_id, by=agent_id, reason=reason)
        if result is not VerbResult.DONE:
            raise conflict((cancelled or order).status, body.to_state)
        last = OrderView(transaction.work).transitions(order.task_id)[-1]
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
