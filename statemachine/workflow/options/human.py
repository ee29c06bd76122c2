"""What a human step asks for beside its answers: who may answer, in which form, how many, and who is told when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

STARTER: Final = "starter"
"""In `not_by`: whoever began the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """A role that is told when nobody has answered for a while, and may answer from then on."""

    after_seconds: int
    """In business time, from when it was asked."""
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanRules:
    """The rules of one human step; the defaults are those of a step that says nothing."""

    role: str | None = None
    """Who may answer; none: whoever may answer at all."""
    person: str | None = None
    """The one person who may answer; an expression in `${}` is filled when it is asked."""
    form: Mapping[str, object] = field(default_factory=dict)
    """What an answer carries, as a JSON Schema; empty: a decision and a note."""
    escalations: tuple[Escalation, ...] = ()
    """By time."""
    quorum: int = 1
    """How many people must give the same answer."""
    not_by: tuple[str, ...] = ()
    """Who may not answer: `STARTER`, and human steps, whose answerers may not answer this one too."""


NO_RULES: Final = HumanRules()
"""A human step that says nothing of them."""
