"""What people do to an execution of general work beside pausing and cancelling it, each recorded with who and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.engine import Engine
from engine.flow.intervening import InterventionRefused
from engine.transaction import Transaction
from statemachine.workflow.options.catches import CatchKind
from statemachine.workflow.states import OPEN_RUNS, RunState
from storage.access.system_audit import SystemAudit
from storage.engine.runs import RunRow, Runs
from tasks.verbs import NO_REASON, VerbResult


@dataclass(frozen=True, slots=True)
class Terminate:
    """End the execution as cancelled; nothing that it has done is undone."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """Go on from this step once more; none given: with the input it had."""

    step: str
    input: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """End an open step as done, with this output."""

    step_id: int
    output: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SetVariables:
    """Write these values to variables."""

    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SendSignal:
    """Hand a message or a signal to this execution alone."""

    kind: CatchKind
    name: str
    key: str
    payload: Any


Intervention = Terminate | Rerun | Skip | SetVariables | SendSignal


def intervene(engine: Engine, run_id: str, what: Intervention, *, by: str, reason: str | None) -> VerbResult:
    """Carry an intervention out on general work, and record who asked for it.

    Returns:
        `NOTHING_TO_DO` where it was so before, `UNKNOWN` where there is no such run.

    Raises:
        InterventionRefused: the run is that of a product, or in a state in which this may not be done.
        UnknownDecision, UnknownRunStep, UnusableIntervention: what was given cannot be used.
    """
    with engine.transaction() as transaction:
        runs = Runs(transaction.work).lock([run_id])
        if not runs:
            return VerbResult.UNKNOWN
        (run,) = runs
        if run.subject_id is not None:
            raise InterventionRefused(
                f"the run carries '{run.subject_id}', which goes by its own state machine: use the verbs of its task"
            )
        if isinstance(what, Terminate) and run.state is RunState.CANCELLED:
            return VerbResult.NOTHING_TO_DO
        verb, detail = _carried_out(transaction, run, what, by, reason)
        SystemAudit(transaction.work).write(
            by, f"task.{verb}", {"task_id": run_id, "from": run.state.value, "reason": reason, **detail}
        )
    return VerbResult.DONE


def _carried_out(
    transaction: Transaction, run: RunRow, what: Intervention, by: str, reason: str | None
) -> tuple[str, Mapping[str, object]]:
    """Do it; what history calls it, and what it keeps of it: names, never values."""
    intervening = transaction.intervening
    match what:
        case Terminate():
            if run.state not in OPEN_RUNS:
                raise InterventionRefused(f"the run is {run.state.value}")
            transaction.end(
                [run.run_id],
                RunState.CANCELLED,
                agent_id=by,
                reason=reason or NO_REASON,
                compensates=False,
            )
            return "terminate", {}
        case Rerun(step=step, input=given):
            intervening.rerun(run, step, given)
            return "rerun", {"step": step}
        case Skip(step_id=step_id, output=output):
            skipped = intervening.skip(run, step_id, output)
            return "skip", {"step": skipped.node, "step_id": step_id}
        case SetVariables(variables=variables):
            intervening.set_variables(run, variables, by=by)
            return "set", {"variables": sorted(variables)}
        case SendSignal(kind=kind, name=name, key=key, payload=payload):
            received = intervening.signal(run, kind, name, key, payload)
            return "signal", {"kind": kind.value, "name": name, "receivers": received}
