"""The order system this installation works with, and one action carried out in it by the action agent."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import orjson

from engine.outcomes import Failed, TryAgain
from runtime.ids import Prefix, new_id
from runtime.logs import logger
from runtime.settings import Settings
from schemas.core.effects import Effect
from schemas.orders.effects import ActionTaken
from schemas.people.why import Why, WhyCode
from statemachine.workflow.options.call_limits import without_limits
from storage.core.database import Database
from storage.engine.steps import StepRow
from storage.orders.capacity import Capacity, DayCapacity
from storage.orders.order import Order
from tasks.orders.rules.reasons import failed, unavailable
from tasks.orders.rules.traces import audit
from tools.limits import TOOLS
from tools.order_system.built_in import BuiltIn
from tools.order_system.contract import (
    ActionRefused,
    ActionUnclear,
    NotPerformed,
    Offered,
    OrderSystem,
    OrderSystemRequest,
    Performed,
    Slot,
)
from tools.order_system.webhook import WebhookOrderSystem

_log = logger(__name__)

_AGENT: Final = "action_agent"

REMOTE: Final = frozenset({"update_appointment", "notify_engineer", "cancel_order"})
"""The actions that another order system carries out; what else an order needs is ours alone."""

Wanted = tuple[str, Mapping[str, object]]
"""An action type with its parameters."""


def open_order_system(settings: Settings, database: Database) -> OrderSystem:
    """Another system where the settings name one, else our own tables.

    Raises:
        ValueError: the address or its secret cannot be used, or only one of both is set.
    """
    url, secret = settings.order_system_url, settings.order_system_secret
    if (url is None) != (secret is None):
        raise ValueError("order_system_url and order_system_secret go together; set both, or neither")
    if url is not None and secret is not None:
        return WebhookOrderSystem(url, secret.get_secret_value())

    def offered(region: str, first: date, last: date) -> Offered:
        with database.looks() as work:
            days = Capacity(work).offered([region], first, last).get(region)
        return Offered(limited=days is not None, slots=tuple(map(slot_of, (days or {}).values())))

    return BuiltIn(offered)


def slot_of(day: DayCapacity) -> Slot:
    """What is left of a day, as the order system tells it."""
    return Slot(day=day.day, free=day.free, capacity=day.capacity)


def key_of(step: StepRow, order: Order, action_type: str) -> str:
    """The action's key: the same on every delivery and try, and when a person lets the failed step run again.

    A step that runs again has the input it had, so the input names it, not its row.
    """
    given = orjson.dumps(without_limits(step.input), option=orjson.OPT_SORT_KEYS)
    return f"{order.task_id}.{order.round}.{action_type}.{hashlib.sha256(given).hexdigest()[:24]}"


def carry_out(
    system: OrderSystem, step: StepRow, order: Order, wanted: Sequence[Wanted]
) -> list[Performed] | Failed | TryAgain:
    """Have these actions performed, one after another; what each came to, or why the step cannot go on.

    Whatever is repeated goes under the same key. What another system performed before another one could not be is
    kept with the failure; of one that was refused the audit log tells it too.
    """

    def known(performed: Sequence[Performed]) -> tuple[ActionTaken, ...]:
        if not system.remote:
            return ()
        return tuple(
            replace(action_taken(system, step, order, name, given, done.result), status="performed")
            for (name, given), done in zip(wanted, performed, strict=False)
        )

    performed: list[Performed] = []
    for action_type, parameters in wanted:
        request = OrderSystemRequest(
            key=key_of(step, order, action_type),
            action_type=action_type,
            order_id=order.order_id,
            task_id=order.task_id,
            parameters=parameters,
            timeout_seconds=step.limits.seconds(TOOLS[action_type].timeout_seconds),
        )
        outcome = system.perform(request)
        if system.remote:
            _log.info(
                "order system answered",
                task_id=order.task_id,
                action_type=action_type,
                action_key=request.key,
                outcome=type(outcome).__name__,
            )
        match outcome:
            case Performed():
                performed.append(outcome)
            case ActionRefused():
                names = [name for name, _ in wanted[: len(performed)]]
                return _refused(step, action_type, outcome, names, known(performed))
            case NotPerformed(reason=reason, retry_after_seconds=seconds):
                why = Why(WhyCode.ORDER_SYSTEM_UNAVAILABLE, {"action": action_type, "said": reason})
                return unavailable(why, after_seconds=seconds, effects=known(performed))
            case ActionUnclear(reason=reason):
                why = Why(WhyCode.ORDER_SYSTEM_UNCLEAR, {"action": action_type, "said": reason})
                return unavailable(why, effects=known(performed))
    return performed


def action_taken(
    system: OrderSystem,
    step: StepRow,
    order: Order,
    action_type: str,
    parameters: Mapping[str, object],
    result: Mapping[str, object],
) -> ActionTaken:
    """The action under its key: once for what the step was given, whatever is repeated (SPEC.md §3)."""
    return ActionTaken(
        action_id=new_id(Prefix.ACTION),
        task_id=order.task_id,
        action_type=action_type,
        key=key_of(step, order, action_type),
        parameters=parameters,
        result=result,
        outside=system.remote and action_type in REMOTE,
    )


def _refused(
    step: StepRow,
    action_type: str,
    refused: ActionRefused,
    performed: Sequence[str],
    known: Sequence[ActionTaken],
) -> Failed:
    reasons = [Why(WhyCode.ORDER_SYSTEM_REFUSED, {"action": action_type, "said": refused.reason})]
    if refused.offered_days:
        reasons.append(Why(WhyCode.DAYS_OFFERED, {"days": refused.offered_days}))
    if performed:
        reasons.append(Why(WhyCode.PERFORMED_BEFORE, {"actions": performed}))
    effects: tuple[Effect, ...] = tuple(
        audit(step, "action_executed", _AGENT, name, followed_by=f"{action_type} refused")
        for name in performed
    )
    return failed(*reasons, code=refused.code, effects=(*known, *effects))
