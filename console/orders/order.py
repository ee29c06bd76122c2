"""One order: why it waits, what happened to it, what there is to show, and what is done to it with a reason."""

from datetime import date, timedelta
from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from api.server.refusal import unknown
from console.orders.order_view import OrderPage
from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.visit import Visit, see
from runtime.mask import mask_json
from schemas.access.scopes import Scope
from statemachine.orders.machine import IllegalTransition
from tasks.flows.executions.looking import ExecutionReader
from tasks.orders.explain.dossier import TimelineLane, phone_of, read_dossier
from tasks.orders.explain.dossier_view import dossier_view
from tasks.orders.explain.moment_format import MomentFormat
from tasks.orders.explain.status import explain
from tasks.orders.inbound.signals import ReceiptResult
from tasks.orders.inbound.staff_signals import change_priority
from tasks.orders.people.order_file import read_file
from tasks.orders.people.rescheduling import Rescheduled, reschedule
from tasks.orders.people.steering import OrderVerb, bar_customer
from tasks.orders.people.undo import Undone, undo
from tasks.orders.people.worklist import SHOWN
from tasks.verbs import Verb, VerbResult

_CONFLICT: Final = 409
_LONGEST_REASON: Final = 200
_PRIORITIES: Final = frozenset(str(number) for number in range(1, 11))
_DONE: Final = "done"


def show_order(visit: Visit) -> Response:
    """Everything that is known of it."""
    return visit.page(_page(visit))


def show_dossier(visit: Visit) -> Response:
    """The same as JSON, in the form of `GET /v1/tasks/{task_id}/dossier`."""
    task_id = visit.path["task_id"]
    with visit.parts.database.snapshot() as work:
        dossier = read_dossier(work, task_id, words=False)
    if dossier is None:
        raise unknown("order", task_id)
    return JSONResponse(dossier_view(dossier, visit.parts.personal).model_dump(mode="json"))


def show_diagram(visit: Visit) -> Response:
    """A picture of where its run stands."""
    task_id = visit.path["task_id"]
    reader = ExecutionReader(visit.parts.database, visit.forms, visit.parts.engine)
    picture = reader.picture(task_id)
    if picture is None:
        raise unknown("order", task_id)
    return Response(picture, media_type="image/svg+xml")


def steer(visit: Visit) -> Response:
    """Do what one of the buttons says: pause, resume, cancel, retry, undo, another priority or date."""
    named = visit.form["verb"]
    verb = OrderVerb(named) if named in list(OrderVerb) else None
    if verb is None or verb is OrderVerb.DO_NOT_CALL:
        return visit.faulty(_page(visit, visit.form.with_faults(verb="orders.order.fault.verb")))
    fault = _reason_fault(visit)
    if fault is not None:
        return visit.faulty(_page(visit, visit.form.with_faults(reason=fault)))
    if verb is OrderVerb.PRIORITY:
        given = visit.form["priority"]
        if given not in _PRIORITIES:
            return visit.faulty(_page(visit, visit.form.with_faults(priority="orders.order.fault.priority")))
    if verb is OrderVerb.DATE:
        return _rescheduled(visit)
    return _answer(visit, verb, _carried_out(visit, verb))


def bar(visit: Visit) -> Response:
    """Put the customer's number on the do-not-call list."""
    fault = _reason_fault(visit, "why")
    if fault is not None:
        return visit.faulty(_page(visit, visit.form.with_faults(why=fault)))
    parts = visit.parts
    barred = bar_customer(
        parts.database, parts.context, visit.path["task_id"], by=visit.login, reason=visit.form["why"]
    )
    return _answer(visit, OrderVerb.DO_NOT_CALL, "no_number" if barred is None else _DONE)


def _rescheduled(visit: Visit) -> Response:
    """Give the follow-up the date that was typed."""
    parts = visit.parts
    try:
        day = date.fromisoformat(visit.form["day"])
    except ValueError:
        return visit.faulty(_page(visit, visit.form.with_faults(day="orders.order.fault.day")))
    became, _ = reschedule(
        parts.engine,
        parts.context,
        visit.path["task_id"],
        day,
        by=visit.login,
        reason=visit.form["reason"],
    )
    if became is Rescheduled.UNKNOWN:
        raise unknown("order", visit.path["task_id"])
    if became is Rescheduled.PAST:
        return visit.faulty(_page(visit, visit.form.with_faults(day="orders.order.fault.past")))
    return _answer(visit, OrderVerb.DATE, became.value)


def _reason_fault(visit: Visit, field: str = "reason") -> str | None:
    given = visit.form[field]
    if not given:
        return "orders.order.fault.reason"
    return "orders.order.fault.long" if len(given) > _LONGEST_REASON or "\x00" in given else None


def _carried_out(visit: Visit, verb: OrderVerb) -> str:
    """Do it: `done`, or the name of why not.

    Raises:
        Refusal: there is no such order.
    """
    parts, task_id, reason = visit.parts, visit.path["task_id"], visit.form["reason"]
    if verb is OrderVerb.UNDO:
        became, order, _ = undo(parts.engine, task_id, by=visit.login, reason=reason)
        if order is None:
            raise unknown("order", task_id)
        return _DONE if became in (Undone.DONE, Undone.REPEATED) else became.value
    if verb is OrderVerb.PRIORITY:
        priority = int(visit.form["priority"])
        receipt = change_priority(
            parts.engine, parts.context, task_id, priority, by=visit.login, reason=reason
        )
        if receipt.result is ReceiptResult.UNKNOWN:
            raise unknown("order", task_id)
        is_done = receipt.result in (ReceiptResult.APPLIED, ReceiptResult.NOTED)
        return _DONE if is_done else receipt.result.value
    try:
        result = visit.forms.steer(parts.engine, task_id, Verb(verb.value), by=visit.login, reason=reason)
    except IllegalTransition:
        return "not_allowed"
    if result is VerbResult.UNKNOWN:
        raise unknown("order", task_id)
    return _DONE if result is VerbResult.DONE else result.value


def _answer(visit: Visit, verb: OrderVerb, became: str) -> Response:
    if became == _DONE:
        return see(f"/orders/{visit.path['task_id']}?done={verb}")
    return visit.page(_page(visit, visit.form, f"orders.order.refusal.{became}"), _CONFLICT)


def _page(visit: Visit, form: Form = EMPTY, refusal: str | None = None) -> OrderPage:
    """The page as it stands now.

    Raises:
        Refusal: there is no such order.
    """
    task_id, parts = visit.path["task_id"], visit.parts
    found = read_file(parts.database, task_id)
    if found is None:
        raise unknown("order", task_id)
    situation, order = found.dossier.situation, found.dossier.order
    explanation = explain(situation)
    moment_format = MomentFormat(situation.moments, situation.zone, visit.language)
    until = explanation.until
    shown = {name: order.metadata[name] for name in SHOWN if order.metadata.get(name)}
    lane, done = visit.query.get("lane", ""), visit.query.get("done", "")
    return OrderPage(
        file=found,
        explanation=explanation,
        sentences=explanation.worded(moment_format).sentences,
        is_overdue=until is not None and moment_format.distance(until) < timedelta(),
        phone=phone_of(order),
        facts=mask_json(parts.personal.mask(shown)),
        lane=TimelineLane(lane) if lane in list(TimelineLane) else None,
        form=form,
        refusal=refusal,
        done=OrderVerb(done) if done in list(OrderVerb) and refusal is None else None,
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/orders/{task_id}", show_order),
    page("/orders/{task_id}/dossier.json", show_dossier),
    page("/orders/{task_id}/diagram.svg", show_diagram),
    change("/orders/{task_id}/steer", steer, scope=Scope.TASKS),
    change("/orders/{task_id}/do-not-call", bar, scope=Scope.STOPS),
)
"""The routes of one order."""
