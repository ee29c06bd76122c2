"""The route for signals to an order between its steps (SPEC.md §6)."""

import asyncio
import hashlib
import time
from typing import Annotated, Final, assert_never

from fastapi import APIRouter, Header, Path

from api.orders.services import GivenOrdersParts, OrdersParts
from api.server.authentication import requires
from api.server.errors import documented
from api.server.limits.idempotency import HEADER, LONGEST_KEY
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller, RequestName
from runtime.ids import Prefix, new_id
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.orders.signal_bodies import SignalSent, SignalTaken
from schemas.orders.signals import PhoneChanged, Signal
from tasks.orders.inbound.signals import Receipt, ReceiptResult, receive
from tasks.orders.rules.customer_number import callable_number
from tasks.orders.rules.transitions import transitions_from

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)

BUSY_WAIT_SECONDS: Final = 2.0
"""How long a signal waits for what is at work in its order, before it is kept and its sender asked to come back."""
_PAUSE_SECONDS: Final = 0.1
_COME_BACK: Final = "5"

TaskId = Annotated[
    Identifier,
    Path(description="The order's task_id, or the id of a general task.", examples=["HT20260313001"]),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=HEADER,
        min_length=1,
        max_length=LONGEST_KEY,
        pattern="^[!-~]+$",
        description="Names the signal where the body has no `signal_id`.",
    ),
]


@router.post(
    "/{task_id}/signals",
    summary="Tell a task what happened",
    # A signal that had to wait is applied when it is sent again: an answer that is merely replayed would lose it.
    dependencies=[requires(Scope.TASKS, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
async def send_signal(
    task_id: TaskId,
    body: SignalSent,
    parts: GivenOrdersParts,
    caller: Caller,
    request_id: RequestName,
    idempotency_key: IdempotencyKey = None,
) -> SignalTaken:
    """What the world says in between: it wakes or ends what waits for it, or is noted.

    - `part_arrived`: an order that waits for its follow-up is contacted at the next permitted time from now.
    - `phone_changed`: the next contact uses the number; an order in review for want of one goes on by itself.
    - `priority_changed`: the order, its run and its open steps change their place in line.
    - `order_cancelled`: the order ends as cancelled, whatever it waits for.
    - `customer_called`: the words count as the customer's answer where the order can take one; else a person
      is alerted. While a contact is being placed this waits up to 2 seconds; then the words are kept and 409
      with `Retry-After` asks for the same signal again.
    - `continue`: a step of type `wait` ends now; the only signal that a task without an order takes.

    Idempotent on `signal_id`, or on `Idempotency-Key` where there is none: the same body again is answered as
    before, with outcome `repeated`; another body under the same id answers 409. A refused signal is not kept.
    """
    said = body.said()
    if isinstance(said, PhoneChanged):
        await asyncio.to_thread(_require_callable, parts, said)
    signal = Signal(
        signal_id=body.signal_id or _named(caller.agent_id, idempotency_key),
        said=said,
        sent_by=caller.agent_id,
        at=body.at,
        request_id=request_id,
    )
    receipt = await _received(parts, task_id, signal)
    match receipt.result:
        case ReceiptResult.APPLIED | ReceiptResult.NOTED | ReceiptResult.REPEATED:
            return SignalTaken(
                signal_id=signal.signal_id,
                task_id=task_id,
                type=signal.type,
                outcome=receipt.result.value,
                status=receipt.status,
                effect=receipt.effect,
            )
        case ReceiptResult.UNKNOWN:
            raise unknown("task", task_id)
        case ReceiptResult.OTHER_BODY:
            raise _conflict(signal, receipt, "this signal_id was used for another signal of this task")
        case ReceiptResult.REFUSED:
            raise _conflict(signal, receipt, receipt.effect)
        case ReceiptResult.KEPT | ReceiptResult.BUSY:
            raise _conflict(signal, receipt, receipt.effect, headers={"Retry-After": _COME_BACK})
        case _:
            assert_never(receipt.result)


def _named(agent_id: str, idempotency_key: str | None) -> str:
    """The id of a signal whose body has none: made of the header, of each caller its own, else new."""
    if idempotency_key is None:
        return new_id(Prefix.SIGNAL)
    named = hashlib.sha256(f"{agent_id} {idempotency_key}".encode()).hexdigest()
    return f"{Prefix.SIGNAL}{named[:48]}"


async def _received(parts: OrdersParts, task_id: str, signal: Signal) -> Receipt:
    """The receipt, once nothing is at work in the order or patience has come to its end."""
    until = time.monotonic() + BUSY_WAIT_SECONDS
    while True:
        retries_soon = time.monotonic() < until
        receipt = await asyncio.to_thread(
            receive, parts.engine, parts.context, task_id, signal, retries_soon=retries_soon
        )
        if receipt.result is not ReceiptResult.BUSY:
            return receipt
        await asyncio.sleep(_PAUSE_SECONDS)


def _require_callable(parts: OrdersParts, said: PhoneChanged) -> None:
    """Return when a customer can be called by this number.

    Raises:
        Refusal: they cannot (422).
    """
    if not callable_number(said.phone, masked=parts.context.reaches_masked):
        raise invalid([("data.phone", "is no number that can be called: it is masked or malformed")])


def _conflict(
    signal: Signal, receipt: Receipt, message: str, *, headers: dict[str, str] | None = None
) -> Refusal:
    order = receipt.order
    state = transitions_from(order.status, None) if order else {"current_state": receipt.status}
    return Refusal(
        Code.STATE_CONFLICT,
        message,
        details={"signal_id": signal.signal_id, "type": signal.type.value, **state},
        headers=headers,
    )
