"""Rows that cannot be carried: each crash is counted, and after a bounded number the row is taken out."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from engine.outcomes import Failed
from engine.registry import Ending
from engine.rescue.isolation import Fault, in_halves
from engine.transaction import Transaction
from runtime.logs import logger
from statemachine.workflow.states import OPEN_RUNS, OPEN_STEPS, RunState, StepState
from storage.core.bulk import dump_json
from storage.engine.leases import Leases
from storage.engine.queues import Queues
from storage.engine.runs import Runs
from storage.engine.steps import StepChange, StepKey, Steps

if TYPE_CHECKING:
    from engine.engine import Engine

_log = logger(__name__)


def crash_unclaimed(engine: "Engine", key: StepKey, fault: Fault) -> None:
    """Count a fault against a row that could not be claimed alone, or whose lease has been given back."""
    with engine.database.transaction() as work:
        crashes = Queues(work).crash_unclaimed(key, _evidence(fault))
    if crashes > engine.limits.most_crashes:
        take_out(engine, [key.step_id], Failed(code="poison", message=f"the step cannot be carried: {fault}"))


def crash_waiting(engine: "Engine", step_id: int, fault: Fault) -> int:
    """Count a fault against a row whose wait could not be ended; 1 if that ended it."""
    with engine.database.transaction() as work:
        crashes = Queues(work).crash_waiting(step_id, _evidence(fault))
    if crashes <= engine.limits.most_crashes:
        return 0
    return take_out(
        engine, [step_id], Failed(code="deadline_fault", message=f"the wait cannot be ended: {fault}")
    )


def take_out(engine: "Engine", step_ids: Sequence[int], failed: Failed, *, lost: bool = False) -> int:
    """Fail these steps, as their definition has it; where that cannot be asked, with their run. How many there were.

    With `lost`, only those whose lease has still run out: its holder may have recorded or renewed it since.
    """
    if not step_ids:
        return 0
    _log.error("rows taken out", rows=len(step_ids), code=failed.code)

    def fail(some: Sequence[int]) -> list[int]:
        with engine.transaction() as transaction:
            transaction.fail(some, failed, lost=lost)
        return list(some)

    def fail_alone(step_id: int, fault: Fault) -> int:
        with engine.transaction() as transaction:
            abandon(transaction, step_id, {"code": failed.code, "message": f"{failed.message}; {fault}"})
        return step_id

    taken_out = in_halves(step_ids, fail, fail_alone)
    with engine.database.transaction() as work:
        Leases(work).clean()
    return len(taken_out)


def abandon(transaction: Transaction, step_id: int, error: Mapping[str, object]) -> None:
    """Fail a step and its run without asking its definition or its product, which cannot be asked."""
    (row,) = Steps(transaction.work).lock([step_id])
    if row.state not in OPEN_STEPS:
        return
    failed = StepChange(
        step_id=step_id, state=StepState.FAILED, delivery=row.delivery, tries=row.tries, error=error
    )
    Steps(transaction.work).change([failed])
    transaction.registry.withdraw(transaction.work, [step_id])
    abandon_run(transaction, row.run_id, {**error, "step": row.node})


def abandon_run(transaction: Transaction, run_id: str, error: Mapping[str, object]) -> None:
    """Fail a run without asking its definition or its product."""
    (run,) = Runs(transaction.work).lock([run_id])
    if run.state in OPEN_RUNS:
        Runs(transaction.work).set_state([run_id], RunState.FAILED, ends=True, error=error)
        transaction.registry.withdraw(transaction.work, Steps(transaction.work).cancel_open([run_id]))
        ending = Ending(
            run=run, state=RunState.FAILED, agent_id="orchestrator", reason=str(error.get("message"))
        )
        transaction.write(transaction.registry.abandon_effects(ending))


def _evidence(fault: Fault) -> str:
    return dump_json({"code": "crashed", "message": str(fault)})
