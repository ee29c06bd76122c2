"""The contact agent's routes: a contact is made, or what came of one is recorded (seed 000 section 四)."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter

from api.orders.agents.performance import Prefer, perform
from api.orders.errors import conflict
from api.orders.next_action import next_action
from api.orders.services import GivenOrders, OrdersServices
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.orders.agents.calls import CallAccepted
from schemas.orders.agents.contact import ContactInitiated, ContactKept, ContactMade, ContactRecorded
from storage.access.keys import Key
from storage.access.system_audit import SystemAudit
from storage.orders.order import Order
from storage.orders.orders import Orders
from storage.people.reviews import Reviews
from tasks.orders.calls import contact
from tasks.orders.calls.call import Call
from tasks.orders.calls.contact import ContactCall
from tasks.orders.calls.contact_record import ContactRecord, Unrecordable, record
from tasks.orders.rules.customer_number import same_number

ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": CallAccepted, "description": "It goes on; ask at `poll`, or send the same call again."}
}
"""What a route that waits for a tool may answer instead."""

NUMBER_GIVEN: Final = "contact_number_given"
"""The line of the installation's audit log about a number that came with a call for a contact."""

router = APIRouter(tags=["contact"], route_class=Route)


@router.post(
    "/agents/contact/initiate",
    summary="Contact the customer",
    dependencies=[requires(Scope.CONTACT)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT) | ACCEPTED,
    response_model=ContactMade,
)
@router.post(
    "/contact/initiate",
    summary="Contact the customer (short form)",
    dependencies=[requires(Scope.CONTACT)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT) | ACCEPTED,
    response_model=ContactMade,
    name="initiate_contact_short",
)
async def initiate_contact(
    body: ContactInitiated, services: GivenOrders, caller: Caller, prefer: Prefer = None
) -> Any:
    """Places the call or sends the text through the configured channel, and answers with the result.

    In a manual order this is what makes the attempt. In one that the fleet drives, the fleet makes it, and
    this waits beside it. An attempt that was made before answers what came of it; no attempt is made twice.
    Another channel or script than that attempt's answers 409, and so does one that is not due yet, with
    `not_before`. The order's own number is called, whatever `phone_number` says: the answer does not tell whether it
    was the right one, and each given number is on record. What the customer said is answered to the key's owner that
    made the contact, and to nobody else. `attempt` counts within the round: once a follow-up is due in a manual
    order, 1 is the first of the next round.
    """
    return await perform(services, await contact_call(body, services, caller), prefer=prefer)


async def contact_call(body: ContactInitiated, services: OrdersServices, caller: Key) -> Call[ContactCall]:
    """The call for the contact that this body asks for.

    Raises:
        Refusal: no such order (404), or no such script (422).
    """
    if body.phone_number is not None:
        await asyncio.to_thread(note_number, services, body.task_id, body.phone_number, caller.agent_id)
    if body.script_id is not None and services.parts.context.scripts.find(body.script_id) is None:
        known = ", ".join(services.parts.context.scripts.names)
        raise invalid([("script_id", f"is no script of this installation; there are {known}")])
    return Call(
        task_id=body.task_id,
        action=contact.ACTION,
        action_type=contact.TOOL_OF[body.contact_method],
        agent_id=caller.agent_id,
        wanted=ContactCall(channel=body.contact_method, script=body.script_id, attempt=body.attempt),
    )


@router.post(
    "/agents/contact/result/record",
    summary="Record what came of a contact",
    dependencies=[requires(Scope.CONTACT)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def record_result(body: ContactRecorded, services: GivenOrders) -> ContactKept:
    """Completes the contact step that waits for it, as a channel's callback would.

    `contact_id` is the one `initiate` answered. In a manual order it may be the caller's own, for a contact
    made without us. Early, late, repeated and out-of-order results are kept and change nothing they should not.
    """
    parts = services.parts
    outcome, order = record(
        parts.engine,
        parts.context,
        ContactRecord(
            task_id=body.task_id,
            contact_id=body.contact_id,
            result=body.result,
            channel=body.contact_method,
            feedback=body.user_feedback,
            transcript=body.raw_transcript,
            at=body.contact_time,
            duration_seconds=body.duration_seconds,
            recording_url=body.recording_url,
        ),
    )
    if order is None:
        raise unknown("task", body.task_id)
    if isinstance(outcome, Unrecordable):
        raise _unrecordable(outcome, order, body.contact_id)
    with services.parts.database.transaction() as work:
        review_open = Reviews(work).open_of(order.task_id) is not None
    return ContactKept(next_step=next_action(order, review_open=review_open).name, outcome=outcome.value)


def note_number(services: GivenOrders, task_id: str, number: str, by: str) -> None:
    """Put on record whether the number that came with a call is the order's own; nobody is answered by it.

    The order's own number is the one that is called, whatever came. The line is written for a right number too, so
    that neither the answer nor its time tells them apart, and into the installation's log, which no route reads.

    Raises:
        Refusal: no such order (404).
    """
    with services.parts.database.transaction() as work:
        order = Orders(work).find([task_id]).get(task_id)
        if order is None:
            raise unknown("task", task_id)
        is_own = same_number(order.phone, number)
        SystemAudit(work).write(by, NUMBER_GIVEN, {"task_id": task_id, "is_own": is_own})


def _unrecordable(why: Unrecordable, order: Order, contact_id: str) -> Refusal:
    match why:
        case Unrecordable.NOT_WAITING:
            return conflict(order.status, None, "the order does not wait for a contact")
        case Unrecordable.OTHER_CONTACT:
            return conflict(order.status, None, "this attempt was made under another contact_id")
        case _:
            return unknown("contact", contact_id)
