"""Request and response bodies of the action agent's route (seed 000 section 四, Action)."""

from typing import Any, Literal

from pydantic import Field

from schemas.core.form import Sent, Succeeded
from schemas.core.identifier import Identifier
from schemas.orders.agents.calls import ActionName, ActionParameters


class ActionWanted(Sent):
    """An action to be carried out."""

    task_id: Identifier
    action_type: ActionName
    action_params: ActionParameters = Field(default_factory=ActionParameters)
    requires_approval: bool = False
    """Whether a person must agree first; the action is called for again once they have."""


class ActionExecuted(Succeeded):
    """What was carried out, or the review that must agree to it first."""

    action_id: str | None
    status: Literal["executed", "pending_approval"]
    result: dict[str, Any]
