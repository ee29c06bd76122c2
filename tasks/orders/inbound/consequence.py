"""The result of a signal: whether anything changed, in words for its sender and for operators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class ConsequenceKind(StrEnum):
    """How a signal was taken."""

    APPLIED = "applied"
    NOTED = "noted"
    """Kept, and nothing else was changed."""
    KEPT = "kept"
    """Something is at work in the task just now: the signal is kept, and is applied when it is sent again."""
    BUSY = "busy"
    """The same, and nothing was written: worth another try at once."""
    REFUSED = "refused"
    """The task cannot take it as it stands; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What a signal did.

    Attributes:
        outcome: How it was taken.
        effect: What it did, for its sender; never a number, never what a customer said.
        title: Which of the titles of the event for people who watch the task; no event where it is `None`.
        parameters: Those of that title.
        watched: How the task looks to them.
    """

    outcome: ConsequenceKind
    effect: str
    title: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    watched: Literal["running", "waiting", "ready"] = "running"


def refused(why: str) -> Consequence:
    """The task cannot take the signal as it stands."""
    return Consequence(outcome=ConsequenceKind.REFUSED, effect=why)


def closed() -> Consequence:
    """The order has ended, and nothing can be changed about it."""
    return refused("the order is closed and takes no more signals")
