"""The states of steps, runs and definitions as SQL literals, for the statements about the engine's tables."""

from typing import Final

from statemachine.workflow.states import (
    OPEN_RUNS,
    RUN_ENDS,
    STEP_ENDS,
    TIMED_STEPS,
    UNTOUCHED_STEPS,
    DefinitionState,
    InboxState,
    RunState,
    SlotState,
    StepState,
    literals,
)

SCHEDULED: Final = literals([StepState.SCHEDULED])
READY: Final = literals([StepState.READY])
PUBLISHED: Final = literals([StepState.PUBLISHED])
OFFERED: Final = literals([StepState.OFFERED])
LEASED: Final = literals([StepState.LEASED])
PARKED: Final = literals([StepState.PARKED])
DONE: Final = literals([StepState.DONE])
FAILED: Final = literals([StepState.FAILED])
CANCELLED: Final = literals([StepState.CANCELLED])

ENDED: Final = literals(STEP_ENDS)
"""The states that no step leaves, as a list."""
TIMED: Final = literals(TIMED_STEPS)
"""The states of steps that wait for a moment; in this order the index `ix_steps_due` names them."""

UNTOUCHED: Final = literals(UNTOUCHED_STEPS)
"""The states in which the work of a step need not have begun yet."""

RUNNING: Final = literals([RunState.RUNNING])
RUN_PAUSED: Final = literals([RunState.PAUSED])
RUN_COMPLETED: Final = literals([RunState.COMPLETED])
RUN_FAILED: Final = literals([RunState.FAILED])
RUNS_OPEN: Final = literals(OPEN_RUNS)
"""The states of runs that something still waits for."""
RUNS_ENDED: Final = literals(RUN_ENDS)
"""The states of runs that nothing waits for any more."""

INBOX_WAITING: Final = literals([InboxState.WAITING])
INBOX_KEPT: Final = literals([InboxState.KEPT])
INBOX_TAKEN: Final = literals([InboxState.TAKEN])
INBOX_EXPIRED: Final = literals([InboxState.EXPIRED])

SLOT_WAITING: Final = literals([SlotState.WAITING])
SLOT_HELD: Final = literals([SlotState.HELD])
SLOT_SPENT: Final = literals([SlotState.SPENT])

DRAFT: Final = literals([DefinitionState.DRAFT])
ACTIVE: Final = literals([DefinitionState.ACTIVE])
RETIRED: Final = literals([DefinitionState.RETIRED])
