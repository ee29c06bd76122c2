"""Calls for an action: what the order's intent leads to, carried out once (seed 000 section 四, Action)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from schemas.orders.agents.action import ActionExecuted
from schemas.orders.step_inputs import ActionInput
from storage.core.unit_of_work import UnitOfWork
from storage.orders.order_view import OrderView, StepResult, WaitingStep
from tasks.orders.agents.action_request import ACTION, ACTIONS_OF
from tasks.orders.calls.call import Asked, Call, Matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """What is to be carried out, and with which parameters."""

    action_type: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def _gives(wanted: ActionCall) -> Mapping[str, object]:
    return {**wanted.parameters, "action_type": wanted.action_type}


def _refuses(asked: Asked[ActionCall], step: WaitingStep) -> str | None:
    intent = str(ActionInput.of(step.input).intent_level1)
    fitting = ACTIONS_OF.get(intent, ())
    if asked.wanted.action_type in fitting:
        return None
    leads = "、".join(fitting) or "no action"
    return f"the order was classified as {intent}, which leads to {leads}, not to {asked.wanted.action_type}"


def _recognises(asked: Asked[ActionCall], step: StepResult) -> bool:
    return _answers(asked.work, asked.call, step) is not None


def _answers(work: UnitOfWork, call: Call[ActionCall], step: StepResult) -> ActionExecuted | None:
    """The action that the step carried out; `None` when it was another, or had other parameters."""
    wanted, carried_out = (
        call.wanted,
        [str(action_id) for action_id in (step.output or {}).get("actions", ())],
    )
    taken = OrderView(work).action_taken(carried_out, wanted.action_type)
    if taken is None or not _agrees(taken["parameters"], wanted.parameters):
        return None
    return ActionExecuted(action_id=taken["action_id"], status="executed", result=taken["result"])


def _agrees(recorded: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether what was recorded is what is wanted, as far as both say something of it."""
    return all(_plain(recorded[name]) == _plain(value) for name, value in wanted.items() if name in recorded)


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


MATCHER: Final = Matcher(gives=_gives, refuses=_refuses, recognises=_recognises, answers=_answers)
"""How calls for an action are matched and answered."""

__all__ = ["ACTION", "MATCHER", "ActionCall"]
