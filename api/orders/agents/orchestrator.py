"""The orchestrator's routes: orders come in, and are asked after (seed 000 section 四)."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.orders.next_action import next_action
from api.orders.services import GivenOrders
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.task_intake import GivenSender
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.orders.agents.orchestrator import TaskProgress, TaskStarted, TaskStatus
from schemas.orders.contact import ContactResult
from schemas.orders.intake import TaskCreated
from statemachine.orders.states import State
from tasks.forms import Acceptance, ReadTask
from tasks.orders.intake.intake import OrderReceipt

router = APIRouter(prefix="/agents/orchestrator", tags=["orchestrator"], route_class=Route)

TaskId = Annotated[Identifier, Path(description="The order's task_id.", examples=["HT20260313001"])]


@router.post(
    "/tasks/start",
    summary="Take a suspended order in",
    dependencies=[requires(Scope.TASKS, repeatable=True)],
    responses=documented(Code.STATE_CONFLICT),
)
async def start_task(body: TaskCreated, services: GivenOrders, sender: GivenSender) -> TaskStarted:
    """Accepted means committed. The same body again answers with the order as it stands.

    Another body under the same `task_id`, or an `order_id` that already has an open task, answers 409 and is
    kept as rejected.
    """
    intake, engine = services.intake, services.parts.engine
    task = intake.forms.read_body(engine, body, sender)
    assert isinstance(task, ReadTask), "an order that is valid can be read"
    receipt = await intake.accept(task)
    if receipt.result is Acceptance.UNSTORABLE:
        raise invalid([(problem.field, problem.message) for problem in receipt.problems])
    if receipt.problems:
        raise Refusal(Code.STATE_CONFLICT, receipt.message, details=receipt.details)
    assert isinstance(receipt, OrderReceipt), "an order is answered with its own receipt"
    assert receipt.order is not None, "an order that was accepted is there"
    order = receipt.order
    review_open = False
    if receipt.result is Acceptance.EXISTING or order.status is State.PENDING:
        progress = await services.progress.submit(order.task_id)
        review_open = progress is not None and progress.review_open
    following = next_action(order, review_open=review_open)
    return TaskStarted(
        task_id=order.task_id,
        status=order.status,
        next_action=following.name,
        assigned_agent=following.agent,
    )


@router.get(
    "/tasks/{task_id}/status",
    summary="Where an order stands",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
async def task_status(task_id: TaskId, services: GivenOrders) -> TaskStatus:
    """The order's state, how far it has come, and what happens next."""
    order = await services.progress.submit(task_id)
    if order is None:
        raise unknown("task", task_id)
    return TaskStatus(
        task_id=order.task_id,
        status=order.status,
        progress=TaskProgress(
            contact_count=order.contact_count,
            max_contacts=order.max_contacts,
            last_contact_result=_last_result(order.last_contact_result),
            user_intent=order.user_intent_l1,
            confidence=order.confidence,
        ),
        next_action=next_action(order, review_open=order.review_open).name,
        created_at=order.created_at,
        updated_at=order.updated_at,
    )


def _last_result(result: str | None) -> str | None:
    """What came of a contact, in the seed's word for an answer."""
    return "responded" if result == ContactResult.ANSWERED else result
