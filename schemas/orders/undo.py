"""Request and response bodies of the route that takes a cancellation back."""

from typing import Literal

from pydantic import Field

from schemas.core.form import Sent, Succeeded, Text


class UndoAsked(Sent):
    """Why a cancellation is taken back."""

    reason: Text = Field(min_length=1, max_length=200, pattern=r"\S")


class UndoTaken(Succeeded):
    """The cancellation is not carried out; a person decides how the order goes on."""

    task_id: str
    outcome: Literal["applied", "repeated"]
    review_id: str
