"""The outcomes of work: values, never exceptions. `record` writes them."""

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
    details: Mapping[str, object] = field(default_factory=dict)
    """What programs may know of it beside; kept with code and message."""

    def as_error(self) -> dict[str, object]:
        """The failure as its step's row keeps it."""
        return {**self.details, "code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """A temporary fault: repeated by the retry policy, then `Failed` with the same code."""

    code: str
    message: str
    effects: Sequence[Effect] = ()
    after_seconds: float | None = None
    """A wait the other side asked for; the policy's own when it asked for none."""
    details: Mapping[str, object] = field(default_factory=dict)
    """Of the failure that it becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """Not now: the step is due again at this moment. Counts as no try."""

    until: datetime
    clock: Clock
    reason: str
    effects: Sequence[Effect] = ()
    details: Mapping[str, object] = field(default_factory=dict)
    """What programs may know of it beside; kept with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """The step waits, as a row and not as a process, for a signal or its deadline."""

    until: datetime | None
    clock: Clock
    reason: str
    effects: Sequence[Effect] = ()


Outcome = Done | Failed | TryAgain | Snooze | Park


class SignalResult(StrEnum):
    """The result of a signal to a step."""

    APPLIED = "applied"
    EARLY = "early"
    """The step is still at work; `record` will find the signal there."""
    LATE = "late"
    """The step has ended; nothing was changed."""
