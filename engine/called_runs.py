"""Runs that steps of other runs have begun: their ends are reported, and they are cancelled with the step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engine.outcomes import Done, Failed, Outcome
from engine.rescue.isolation import Fault, in_halves
from engine.rescue.poison import abandon_run
from statemachine.workflow.states import RunState
from storage.engine.flow.called_runs import BegunRuns, EndedChild

if TYPE_CHECKING:
    from engine.engine import Engine

_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class CalledRuns:
    """Carries what happens between runs and the steps that have begun them; each in a transaction of its own."""

    engine: "Engine"

    def look(self) -> int:
        """Report the ends that are to be reported, and cancel what is to be cancelled; how many there were."""
        with self.engine.database.looks() as work:
            ended = BegunRuns(work).to_report(_CHUNK)
            unwanted = BegunRuns(work).to_cancel(_CHUNK)
        reported = in_halves(ended, self._report, self._report_failed) if ended else []
        cancelled = in_halves(unwanted, self._cancel, self._abandon) if unwanted else []
        return len(reported) + len(cancelled)

    def _report(self, ended: Sequence[EndedChild]) -> list[None]:
        with self.engine.transaction() as transaction:
            transaction.child_ended({each.parent_step_id: _outcome(each) for each in ended})
            BegunRuns(transaction.work).mark_reported([each.run_id for each in ended])
        return [None] * len(ended)

    def _report_failed(self, ended: EndedChild, fault: Fault) -> None:
        """Let the step fail whose run's end cannot be told it."""
        message = f"what the run came to cannot be used: {fault}"
        with self.engine.transaction() as transaction:
            transaction.fail([ended.parent_step_id], Failed(code="called_run", message=message))
            BegunRuns(transaction.work).mark_reported([ended.run_id])

    def _cancel(self, run_ids: Sequence[str]) -> list[None]:
        with self.engine.transaction() as transaction:
            transaction.end(
                run_ids,
                RunState.CANCELLED,
                agent_id="orchestrator",
                reason="the step that began it was cancelled",
            )
        return [None] * len(run_ids)

    def _abandon(self, run_id: str, fault: Fault) -> None:
        with self.engine.transaction() as transaction:
            abandon_run(transaction, run_id, {"code": "cancelled", "message": str(fault)})


def _outcome(ended: EndedChild) -> Outcome:
    """What a step comes to whose run has ended."""
    if ended.state is RunState.COMPLETED:
        output = ended.output if isinstance(ended.output, Mapping) else {"value": ended.output}
        return Done(output={"run_id": ended.run_id, **output})
    error = ended.error or {}
    code = str(error.get("code", ended.state.value))
    return Failed(code=code, message=f"run {ended.run_id}: {error.get('message', ended.state.value)}")
