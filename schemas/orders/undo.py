"""Taking a cancellation back: why, and the question to a person that it leads to."""

from typing import Literal

from pydantic import ConfigDict, Field

from schemas.core.form import Sent, Succeeded, Text


class UndoAsked(Sent):
    """Why a cancellation is taken back."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"reason": "客户来电，仍要维修"}]}
    )

    reason: Text = Field(min_length=1, max_length=200, pattern=r"\S")


class UndoTaken(Succeeded):
    """The cancellation is not carried out; a person decides how the order goes on."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "task_id": "HT20260313001",
                    "outcome": "applied",
                    "review_id": "REV0199f2c4a1b3c5d7e9f1a2b3c4",
                }
            ]
        },
    )

    task_id: str
    outcome: Literal["applied", "repeated"]
    review_id: str
