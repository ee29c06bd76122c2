"""The states of steps, runs and definitions, each with one table of what may follow what.

The database constraints, the page `docs/state_machine.md` and the tests come from these tables. The enumerations
are plain ones, so that the type checker refuses a string in their place.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final


class StepState(Enum):
    """Where a step is."""

    SCHEDULED = "scheduled"
    """Its time is to come: a retry, a follow-up, a wait."""
    READY = "ready"
    """It may be published as soon as its queue has room."""
    PUBLISHED = "published"
    """A message asks a worker to look at it."""
    OFFERED = "offered"
    """An outside agent is to call for it."""
    LEASED = "leased"
    """A worker has claimed it."""
    PARKED = "parked"
    """The world outside has to answer first, or a person."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepEvent(Enum):
    """What moves a step."""

    DUE = "its time has come"
    PUBLISH = "a message is sent for it"
    RETURN = "it is held, its message is spent"
    CALL = "an outside agent calls for it"
    CLAIM = "a worker, or an outside agent, claims it"
    RESCUE = "its lease ran out, or its worker gave it back"
    OFFER = "the same, or its time has come, where outside agents do it"
    WAIT = "it comes back at a later moment"
    PARK = "the world outside has to answer"
    SUCCEED = "it is done"
    FAIL = "it cannot succeed"
    CANCEL = "its run ends or goes another way"


STEP_ENDS: Final = frozenset({StepState.DONE, StepState.FAILED, StepState.CANCELLED})
"""The states that nothing leaves."""

OPEN_STEPS: Final = frozenset(StepState) - STEP_ENDS
"""The states of a step that its run still waits for."""

TIMED_STEPS: Final = (StepState.SCHEDULED, StepState.PARKED, StepState.OFFERED)
"""The states of steps that wait for a moment."""

UNTOUCHED_STEPS: Final = (StepState.SCHEDULED, StepState.READY, StepState.PUBLISHED, StepState.OFFERED)
"""The states in which the work of a step need not have begun yet."""

WAITING_STEPS: Final = OPEN_STEPS - {StepState.LEASED}
"""The states in which a step is in nobody's hands: a signal may end it."""

STEP_TRANSITIONS: Final[Mapping[tuple[StepState, StepEvent], StepState]] = MappingProxyType(
    {
        (StepState.SCHEDULED, StepEvent.DUE): StepState.READY,
        (StepState.READY, StepEvent.PUBLISH): StepState.PUBLISHED,
        (StepState.PUBLISHED, StepEvent.RETURN): StepState.READY,
        (StepState.OFFERED, StepEvent.CALL): StepState.PUBLISHED,
        (StepState.OFFERED, StepEvent.CLAIM): StepState.LEASED,
        (StepState.READY, StepEvent.CLAIM): StepState.LEASED,
        (StepState.PUBLISHED, StepEvent.CLAIM): StepState.LEASED,
        (StepState.LEASED, StepEvent.RESCUE): StepState.READY,
        (StepState.LEASED, StepEvent.OFFER): StepState.OFFERED,
        (StepState.SCHEDULED, StepEvent.OFFER): StepState.OFFERED,
        **{
            (state, event): target
            for event, target in (
                (StepEvent.WAIT, StepState.SCHEDULED),
                (StepEvent.PARK, StepState.PARKED),
                (StepEvent.SUCCEED, StepState.DONE),
                (StepEvent.FAIL, StepState.FAILED),
                (StepEvent.CANCEL, StepState.CANCELLED),
            )
            for state in StepState
            if state in OPEN_STEPS
        },
    },
)
"""Every legal move of a step; a row is first written in any of the states."""


class RunState(Enum):
    """Where a run is (seed 003)."""

    CREATED = "created"
    """Shown until the first of its steps has begun; stored as running."""
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunEvent(Enum):
    """What moves a run."""

    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "its last step has ended"
    FAIL = "a step failed for good, or its time is up"
    CANCEL = "cancel"
    RETRY = "retry"


OPEN_RUNS: Final = frozenset({RunState.RUNNING, RunState.PAUSED})
"""The states of a run that something still waits for."""

RARE_RUNS: Final = frozenset({RunState.PAUSED, RunState.FAILED, RunState.CANCELLED})
"""The states of runs that did not go as they should, or do not go on: few of many."""

RUN_ENDS: Final = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})
"""The states of a run that nothing waits for any more; a failed one may be tried again."""

RUN_TRANSITIONS: Final[Mapping[tuple[RunState, RunEvent], RunState]] = MappingProxyType(
    {
        (RunState.RUNNING, RunEvent.PAUSE): RunState.PAUSED,
        (RunState.PAUSED, RunEvent.RESUME): RunState.RUNNING,
        (RunState.FAILED, RunEvent.RETRY): RunState.RUNNING,
        **{
            (state, event): target
            for event, target in (
                (RunEvent.COMPLETE, RunState.COMPLETED),
                (RunEvent.FAIL, RunState.FAILED),
                (RunEvent.CANCEL, RunState.CANCELLED),
            )
            for state in RunState
            if state in OPEN_RUNS
        },
        # A run that is counted down to nothing and fails in the same transaction has failed.
        (RunState.COMPLETED, RunEvent.FAIL): RunState.FAILED,
    },
)
"""Every legal move of a run."""


class DefinitionState(Enum):
    """Where a version of a definition is."""

    DRAFT = "draft"
    """Kept and checked; nothing begins with it."""
    ACTIVE = "active"
    """New runs begin with the one that was activated last."""
    RETIRED = "retired"
    """Nothing begins with it any more; runs that have begun go on."""


class DefinitionEvent(Enum):
    """What moves a version of a definition."""

    ACTIVATE = "activate"
    RETIRE = "retire"


DEFINITION_TRANSITIONS: Final[Mapping[tuple[DefinitionState, DefinitionEvent], DefinitionState]] = (
    MappingProxyType(
        {
            (DefinitionState.DRAFT, DefinitionEvent.ACTIVATE): DefinitionState.ACTIVE,
            (DefinitionState.ACTIVE, DefinitionEvent.RETIRE): DefinitionState.RETIRED,
        }
    )
)
"""Every legal move of a version; one from a file of the configuration is written as active."""


class InboxState(Enum):
    """Where an entry of the inbox is."""

    WAITING = "waiting"
    """It is to begin runs and to reach who waits for it."""
    KEPT = "kept"
    """A message that nobody waited for yet: the first that does takes it."""
    TAKEN = "taken"
    """It has begun its runs and reached who waited, however many."""
    EXPIRED = "expired"
    """A message that nobody waited for in its time."""
    REFUSED = "refused"
    """It cannot be dispatched; it is kept among the refused input, with the reason."""


class InboxEvent(Enum):
    """What moves an entry of the inbox."""

    DISPATCH = "what it begins is begun, who waits is reached"
    KEEP = "nobody waits for this message yet"
    RECEIVE = "one begins to wait for this message"
    EXPIRE = "its time is over"
    REFUSE = "it cannot be dispatched"


INBOX_TRANSITIONS: Final[Mapping[tuple[InboxState, InboxEvent], InboxState]] = MappingProxyType(
    {
        (InboxState.WAITING, InboxEvent.DISPATCH): InboxState.TAKEN,
        (InboxState.WAITING, InboxEvent.KEEP): InboxState.KEPT,
        (InboxState.WAITING, InboxEvent.REFUSE): InboxState.REFUSED,
        (InboxState.KEPT, InboxEvent.RECEIVE): InboxState.TAKEN,
        (InboxState.KEPT, InboxEvent.EXPIRE): InboxState.EXPIRED,
    }
)
"""Every legal move of an entry; it is first written as waiting."""


class SlotState(Enum):
    """Where a slot of a limit is, for the step or the run that asks for it."""

    WAITING = "waiting"
    HELD = "held"
    SPENT = "spent"
    """Given back; it counts until the time of a rate has passed."""


class SlotEvent(Enum):
    """What moves a slot."""

    GRANT = "there is room"
    RELEASE = "its step or run has ended"


SLOT_TRANSITIONS: Final[Mapping[tuple[SlotState, SlotEvent], SlotState]] = MappingProxyType(
    {
        (SlotState.WAITING, SlotEvent.GRANT): SlotState.HELD,
        (SlotState.HELD, SlotEvent.RELEASE): SlotState.SPENT,
    }
)
"""Every legal move of a slot; one that no rate counts is removed instead of spent."""


def sources(event: RunEvent) -> frozenset[RunState]:
    """The states in which this event may reach a run."""
    return frozenset(state for state, known in RUN_TRANSITIONS if known is event)


def events_of(state: RunState) -> tuple[RunEvent, ...]:
    """What may happen to a run in this state."""
    return tuple(event for known, event in RUN_TRANSITIONS if known is state)


def literals(states: Iterable[Enum]) -> str:
    """These states as a list of SQL literals, in the order of their enumeration."""
    wanted = set(states)
    (kind,) = {type(state) for state in wanted}
    return ", ".join(f"'{state.value}'" for state in kind if state in wanted)
