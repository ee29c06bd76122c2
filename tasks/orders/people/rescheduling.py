"""Gives a follow-up that an order waits for another date, on a person's word."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from engine.engine import Engine
from runtime.mask import mask_text
from schemas.orders.effects import Audit, OrderNoted
from schemas.outbound.effects import ProductEvent
from schemas.outbound.product_events import ProductEventType
from statemachine.orders.states import State
from statemachine.workflow.states import StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.runs import Runs
from storage.engine.steering import Steering
from storage.orders.order import Order
from storage.orders.order_view import OrderView, WaitingStep
from storage.orders.orders import Orders
from tasks.orders.people.agreed_date import contact_on
from tasks.orders.rules.context import Context

RESCHEDULED: Final = "followup_rescheduled"
"""The audit line of a follow-up that was given another date."""


class Rescheduled(StrEnum):
    """What became of another date."""

    DONE = "done"
    PAST = "past"
    """The day has passed by the business clock; nothing was changed."""
    NOT_WAITING = "not_waiting_followup"
    """The order waits for no follow-up; nothing was changed."""
    UNKNOWN = "unknown"


def reschedule(
    engine: Engine, context: Context, task_id: str, day: date, *, by: str, reason: str
) -> tuple[Rescheduled, datetime | None]:
    """Contact the customer at the first permitted time of this day, or after it; and when that is."""
    with engine.transaction() as transaction:
        work, now = transaction.work, transaction.moments.business_now
        order = Orders(work).find([task_id]).get(task_id)
        if order is None:
            return Rescheduled.UNKNOWN, None
        Runs(work).lock([order.run_id])
        # Read again under the lock: from here on it stands still.
        order = Orders(work).find([task_id])[task_id]
        step = followup_step(work, order)
        if step is None:
            return Rescheduled.NOT_WAITING, None
        if day < now.astimezone(context.zone(order)).date():
            return Rescheduled.PAST, None
        at = contact_on(context, order, day, now)
        if not Steering(work).reschedule(step.step_id, at):
            return Rescheduled.NOT_WAITING, None
        line = {"from": order.next_contact_time, "to": at, "reason": mask_text(reason)}
        transaction.write(
            [
                # The guard of the follow-up reads the order's time, and the step has its own.
                OrderNoted(task_id=task_id, changes={"next_contact_time": at}),
                Audit(
                    task_id=task_id, event_type=RESCHEDULED, agent_id=by, action="reschedule", metadata=line
                ),
                ProductEvent(
                    execution_id=order.run_id,
                    task_id=task_id,
                    event_type=ProductEventType.FOLLOWUP_RESCHEDULED.value,
                    stage=ProductEventType.FOLLOWUP_RESCHEDULED.stage.value,
                    title=ProductEventType.FOLLOWUP_RESCHEDULED.value,
                    status="waiting",
                    until=at,
                ),
            ]
        )
        return Rescheduled.DONE, at


def followup_step(work: UnitOfWork, order: Order) -> WaitingStep | None:
    """The step that waits for the follow-up of an order; `None` where none does."""
    if order.status is not State.WAITING_FOLLOWUP:
        return None
    waiting = OrderView(work).waiting_steps(order.run_id)
    return next(
        (step for step in waiting if step.state is StepState.SCHEDULED and step.due_clock == "business"), None
    )
