"""What the action agent's route takes and answers (seed 000 section 四, Action)."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from schemas.core.form import Sent, Succeeded
from schemas.core.identifier import Identifier
from schemas.orders.agents.calls import ActionName, ActionParameters


class ActionWanted(Sent):
    """An action to be carried out."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "task_id": "HT20260313001",
                    "action_type": "schedule_followup",
                    "action_params": {"followup_date": "2026-03-16T10:00:00Z", "reason": "配件未到"},
                    "requires_approval": False,
                }
            ]
        },
    )

    task_id: Identifier
    action_type: ActionName
    action_params: ActionParameters = Field(default_factory=ActionParameters)
    requires_approval: bool = False
    """Whether a person must agree first; the action is called for again once they have."""


class ActionExecuted(Succeeded):
    """What was carried out, or the review that must agree to it first."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "action_id": "ACT001",
                    "status": "executed",
                    "result": {"followup_scheduled": True, "followup_id": "FU20260316001"},
                },
                {
                    "success": True,
                    "action_id": None,
                    "status": "pending_approval",
                    "result": {"review_id": "REV001"},
                },
            ]
        },
    )

    action_id: str | None
    status: Literal["executed", "pending_approval"]
    result: dict[str, Any]
