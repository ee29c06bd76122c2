"""Request and response bodies of the routes that take back: a cancellation that waits, an action of an ended order."""

from typing import Literal

from pydantic import Field

from schemas.core.form import Sent, Succeeded, Text


class UndoAsked(Sent):
    """Why a cancellation or an action is taken back."""

    reason: Text = Field(min_length=1, max_length=200, pattern=r"\S")


class ActionTakenBack(Succeeded):
    """The order system has taken the action back."""

    task_id: str
    action_id: str
    outcome: Literal["applied", "repeated"]


class UndoTaken(Succeeded):
    """The cancellation is not carried out; a person decides how the order goes on."""

    task_id: str
    outcome: Literal["applied", "repeated"]
    review_id: str
