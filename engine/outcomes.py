"""What work may come to: values, never exceptions. `record` writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from runtime.clock import Clock
from schemas.core.effects import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The step is finished; its output is the input of what follows."""

    output: Mapping[str, object] = field(default_factory=dict)
    effects: Sequence[Effect] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The step cannot succeed; what the definition's `on_error` names follows."""

    code: str
    message: str
    effects: Sequence[Effect] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """A fault that may pass: repeated by the retry policy, then `Failed` with the same code."""

    code: str
    message: str
    effects: Sequence[Effect] = ()
    after_seconds: float | None = None
    """A wait the other side asked for; the policy's own when it asked for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """Not now: the step comes back at this moment. Costs no try."""

    until: datetime
    clock: Clock
    reason: str
    effects: Sequence[Effect] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """The world has to answer first: the step holds a row, not a process, until a signal or the deadline."""

    until: datetime | None
    clock: Clock
    reason: str
    effects: Sequence[Effect] = ()


Outcome = Done | Failed | TryAgain | Snooze | Park


class SignalResult(StrEnum):
    """What became of a signal."""

    APPLIED = "applied"
    EARLY = "early"
    """The step is still at work; `record` will find the signal there."""
    LATE = "late"
    """The step has ended; nothing was changed."""
