"""What people may do to any task, an order or general work: cancel, pause, resume, retry."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from engine.engine import Engine
from engine.transaction import Transaction
from statemachine.workflow.states import RunState
from storage.access.system_audit import SystemAudit
from storage.engine.runs import Runs
from tasks.orders.people import intervention
from tasks.orders.people.intervention import Intervened
from tasks.orders.rules.context import Context


class Verb(StrEnum):
    """What is asked of a task."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"


AFTERWARDS: Final[Mapping[Verb, RunState]] = MappingProxyType(
    {
        Verb.CANCEL: RunState.CANCELLED,
        Verb.PAUSE: RunState.PAUSED,
        Verb.RESUME: RunState.RUNNING,
        Verb.RETRY: RunState.RUNNING,
    }
)
"""What a run is when the verb was carried out; one that was so before is left alone."""

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

_NO_REASON: Final = "no reason was given"


def steer(
    engine: Engine, context: Context, task_id: str, verb: Verb, *, by: str, reason: str | None = None
) -> Intervened:
    """Carry this out on an order, or on the general task of this id.

    Raises:
        IllegalTransition: the order's state does not allow it; nothing was changed.
    """
    became = _of_order(engine, context, task_id, verb, by, reason)
    return _general(engine, task_id, verb, by, reason) if became is Intervened.UNKNOWN else became


def _of_order(
    engine: Engine, context: Context, task_id: str, verb: Verb, by: str, reason: str | None
) -> Intervened:
    match verb:
        case Verb.CANCEL:
            return intervention.cancel(engine, task_id, by=by, reason=reason or _NO_REASON)[0]
        case Verb.PAUSE:
            return intervention.pause(engine, task_id, by=by)[0]
        case Verb.RESUME:
            return intervention.resume(engine, task_id, by=by)[0]
        case Verb.RETRY:
            return intervention.retry(engine, context, task_id, by=by, reason=reason)[0]


def _general(engine: Engine, run_id: str, verb: Verb, by: str, reason: str | None) -> Intervened:
    with engine.transaction() as transaction:
        runs = Runs(transaction.work).lock([run_id])
        if not runs or runs[0].subject_id is not None:
            return Intervened.UNKNOWN
        state = runs[0].state
        if state is AFTERWARDS[verb]:
            return Intervened.NOTHING_TO_DO
        if verb not in ALLOWED[state]:
            return Intervened.WAITS if state is RunState.PAUSED else Intervened.ENDED
        if not _carried_out(transaction, run_id, verb, by, reason):
            return Intervened.ENDED
        SystemAudit(transaction.work).write(
            by, f"task.{verb}", {"task_id": run_id, "from": state.value, "reason": reason}
        )
        return Intervened.DONE


def _carried_out(transaction: Transaction, run_id: str, verb: Verb, by: str, reason: str | None) -> bool:
    match verb:
        case Verb.CANCEL:
            ended = transaction.end([run_id], RunState.CANCELLED, agent_id=by, reason=reason or _NO_REASON)
            return bool(ended)
        case Verb.PAUSE:
            return bool(transaction.pause([run_id]))
        case Verb.RESUME:
            return bool(transaction.resume([run_id]))
        case Verb.RETRY:
            return bool(transaction.retry([run_id]))
