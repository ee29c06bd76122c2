"""What people may do to any task, whatever product it belongs to: cancel, pause, resume, retry."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from statemachine.workflow.states import RunState


class Verb(StrEnum):
    """The kinds of interventions."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"


class VerbResult(StrEnum):
    """What became of a verb."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    """The task was so before: cancelled, paused, or not paused; nothing was changed."""
    ENDED = "ended"
    """The task, or the run that would move it, has ended otherwise."""
    WAITS = "waits"
    """It is paused, or waits for a person's decision, which cannot be this one."""
    UNKNOWN = "unknown"


NO_REASON: Final = "no reason was given"
"""What history says of a cancellation for which none was given."""

STATE_AFTER: Final[Mapping[Verb, RunState]] = MappingProxyType(
    {
        Verb.CANCEL: RunState.CANCELLED,
        Verb.PAUSE: RunState.PAUSED,
        Verb.RESUME: RunState.RUNNING,
        Verb.RETRY: RunState.RUNNING,
    }
)
"""The state of a run once the verb was carried out; a run that was in it before is left alone."""

ALLOWED: Final[Mapping[RunState, tuple[Verb, ...]]] = MappingProxyType(
    {
        RunState.RUNNING: (Verb.CANCEL, Verb.PAUSE),
        RunState.PAUSED: (Verb.CANCEL, Verb.RESUME),
        RunState.COMPLETED: (),
        RunState.FAILED: (Verb.RETRY,),
        RunState.CANCELLED: (),
    }
)
"""What may be done to a run in each of its states."""
