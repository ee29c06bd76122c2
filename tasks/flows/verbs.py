"""The verbs of general work: cancel, pause, resume and retry a run that is about nothing but itself."""

from engine.engine import Engine
from engine.transaction import Transaction
from statemachine.workflow.states import RunState
from storage.access.system_audit import SystemAudit
from storage.engine.runs import Runs
from tasks.verbs import ALLOWED, NO_REASON, STATE_AFTER, Verb, VerbResult


def steer(engine: Engine, run_id: str, verb: Verb, *, by: str, reason: str | None) -> VerbResult:
    """Carry a verb out on general work, and record who asked for it; `UNKNOWN` for the run of a subject."""
    with engine.transaction() as transaction:
        runs = Runs(transaction.work).lock([run_id])
        if not runs or runs[0].subject_id is not None:
            return VerbResult.UNKNOWN
        state = runs[0].state
        if state is STATE_AFTER[verb]:
            return VerbResult.NOTHING_TO_DO
        if verb not in ALLOWED[state]:
            return VerbResult.WAITS if state is RunState.PAUSED else VerbResult.ENDED
        if not _carried_out(transaction, run_id, verb, by, reason):
            return VerbResult.ENDED
        SystemAudit(transaction.work).write(
            by, f"task.{verb}", {"task_id": run_id, "from": state.value, "reason": reason}
        )
        return VerbResult.DONE


def _carried_out(transaction: Transaction, run_id: str, verb: Verb, by: str, reason: str | None) -> bool:
    match verb:
        case Verb.CANCEL:
            ended = transaction.end([run_id], RunState.CANCELLED, agent_id=by, reason=reason or NO_REASON)
            return bool(ended)
        case Verb.PAUSE:
            return bool(transaction.pause([run_id]))
        case Verb.RESUME:
            return bool(transaction.resume([run_id]))
        case Verb.RETRY:
            return bool(transaction.retry([run_id]))
