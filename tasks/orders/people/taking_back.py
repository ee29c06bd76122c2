"""Takes back what the order system did for an order that has ended otherwise."""

from enum import StrEnum
from typing import Final

from runtime.mask import mask_text
from schemas.orders.effects import Audit
from storage.orders.actions import Actions, OrderAction
from storage.orders.timeline import Timeline
from tasks.orders.rules.context import Context
from tools.limits import TOOLS
from tools.order_system.contract import ActionRefused, OrderSystemRequest, Performed

TAKE_BACK: Final = "take_back"
"""The action type by which the order system takes back one that it has performed."""


class TakeBackResult(StrEnum):
    """The result of taking an action back."""

    DONE = "done"
    REPEATED = "repeated"
    """It was taken back before."""
    NOT_UNMATCHED = "not_unmatched"
    """The order took note of the action: only what it knows nothing of is taken back so."""
    REFUSED = "refused"
    """The order system refuses it for good."""
    NOT_ANSWERED = "not_answered"
    """The order system did not do it, or did not say; it may be tried again, under the same key."""
    UNKNOWN = "unknown"


def take_back_action(
    context: Context, task_id: str, action_id: str, *, by: str, reason: str
) -> tuple[TakeBackResult, OrderAction | None, str]:
    """Have the order system take back an action that an order which has ended knows nothing of.

    Returns:
        The result, the action, and what the order system said where it did not do it.
    """
    with context.database.looks() as work:
        action = Actions(work).find(task_id, action_id)
    if action is None:
        return TakeBackResult.UNKNOWN, None, ""
    if action.status != "unmatched":
        is_over = action.status == "taken_back"
        return TakeBackResult.REPEATED if is_over else TakeBackResult.NOT_UNMATCHED, action, ""
    answer = context.order_system.perform(
        OrderSystemRequest(
            key=f"{action.key}.{TAKE_BACK}",
            action_type=TAKE_BACK,
            order_id=action.order_id,
            task_id=task_id,
            parameters={"action_type": action.action_type, "key": action.key},
            timeout_seconds=TOOLS[action.action_type].timeout_seconds,
        )
    )
    match answer:
        case Performed():
            with context.database.transaction() as work:
                if Actions(work).take_back(action_id):
                    detail = {"action_id": action_id, "reason": mask_text(reason)}
                    Timeline(work).audit(
                        [
                            Audit(
                                task_id=task_id,
                                event_type="action_taken_back",
                                agent_id=by,
                                action=action.action_type,
                                metadata=detail,
                            )
                        ]
                    )
            return TakeBackResult.DONE, action, ""
        case ActionRefused(reason=why):
            return TakeBackResult.REFUSED, action, why
        case _:
            return TakeBackResult.NOT_ANSWERED, action, answer.reason
