"""An action as an agent calls for it, and what was carried out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from engine.transaction import Transaction
from storage.orders.calls import CalledStep, Calls, WaitingStep
from storage.orders.order import Order
from tasks.orders.agents.action_request import ACTION, ACTIONS_OF
from tasks.orders.calls.calling import Call

MOMENTS = ("followup_date", "visit_at")
"""The parameters that are moments."""


def action_call(*, task_id: str, agent_id: str, action_type: str, parameters: Mapping[str, Any]) -> Call:
    """Carry out what was classified (seed 000 section 四, Action)."""

    def refuses(_: Transaction, __: Order, step: WaitingStep) -> str | None:
        intent = str(step.input.get("intent_level1"))
        if action_type not in ACTIONS_OF.get(intent, ()):
            fitting = "、".join(ACTIONS_OF.get(intent, ())) or "no action"
            return f"the order was classified as {intent}, which leads to {fitting}, not to {action_type}"
        return None

    def recognises(transaction: Transaction, _: Order, step: CalledStep) -> bool:
        taken = Calls(transaction.work).action_taken(actions_of(step), action_type)
        return taken is not None and agrees(taken["parameters"], parameters)

    return Call(
        task_id=task_id,
        action=ACTION,
        action_type=action_type,
        agent_id=agent_id,
        given={**parameters, "action_type": action_type},
        refuses=refuses,
        recognises=recognises,
    )


def agrees(recorded: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether what was recorded is what is wanted, as far as both say something of it."""
    return all(_plain(recorded[name]) == _plain(value) for name, value in wanted.items() if name in recorded)


def actions_of(step: CalledStep) -> list[str]:
    """The ids of the actions that a step carried out."""
    return [str(action_id) for action_id in (step.output or {}).get("actions", ())]


def _plain(value: Any) -> Any:
    """A value as it compares: the same moment may be written in any zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment.astimezone(UTC) if moment.tzinfo else value
