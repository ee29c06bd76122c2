"""What a person may do to an order as it stands; and its customer's number, put on the do-not-call list."""

from enum import StrEnum
from typing import Final

from runtime.phone import normalise
from schemas.orders.step_inputs import ActionInput
from statemachine.orders.intents import Level1
from statemachine.orders.states import State
from statemachine.workflow.states import OPEN_RUNS
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.do_not_call import Entry
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from tasks.orders.agents.action_request import ACTION
from tasks.orders.explain.situation import Situation
from tasks.orders.people.barring import bar_number
from tasks.orders.people.rescheduling import followup_step
from tasks.orders.rules.context import Context
from tasks.verbs import ALLOWED, Verb


class OrderVerb(StrEnum):
    """What people do to an order."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"
    UNDO = "undo"
    PRIORITY = "priority"
    DATE = "date"
    """Another date of the follow-up."""
    DO_NOT_CALL = "do_not_call"


_OF_RUN: Final = {
    Verb.PAUSE: OrderVerb.PAUSE,
    Verb.RESUME: OrderVerb.RESUME,
    Verb.CANCEL: OrderVerb.CANCEL,
    Verb.RETRY: OrderVerb.RETRY,
}


def possible_verbs(work: UnitOfWork, situation: Situation) -> frozenset[OrderVerb]:
    """What the order's state allows at this moment; whoever does it later may be refused all the same."""
    order, run = situation.order, situation.run
    if order is None:
        return frozenset()
    callable_number = {OrderVerb.DO_NOT_CALL} if order.phone and normalise(order.phone) else set()
    if order.status is State.CLOSED:
        return frozenset(callable_number)
    found = {_OF_RUN[verb] for verb in ALLOWED[run.state]} | callable_number | {OrderVerb.PRIORITY}
    if followup_step(work, order) is not None:
        found.add(OrderVerb.DATE)
    if run.state in OPEN_RUNS:
        if situation.review is not None and "retry" in situation.review.decisions:
            found.add(OrderVerb.RETRY)
        if any(
            step.action == ACTION and ActionInput.of(step.input).intent_level1 == Level1.TERMINATE
            for step in OrderView(work).waiting_steps(run.run_id)
        ):
            found.add(OrderVerb.UNDO)
    return frozenset(found)


def bar_customer(
    database: Database, context: Context, task_id: str, *, by: str, reason: str
) -> tuple[Entry, bool] | None:
    """Put the number of an order's customer on the do-not-call list; `None` where it has none that can be called."""
    with database.transaction() as work:
        order = Orders(work).find([task_id]).get(task_id)
        number = order.phone if order else None
    phone = normalise(number) if number else None
    if phone is None:
        return None
    return bar_number(database, context.blind_index, phone, channel=None, reason=reason, until=None, by=by)
