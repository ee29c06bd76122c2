"""Runs that steps of other runs begin."""

from dataclasses import dataclass
from typing import Final

from engine.begin import Begin
from engine.catalogue import Catalogue, UnknownWorkflow
from engine.flow.rows import Pending
from engine.outcomes import Failed
from runtime.ids import Prefix, new_id
from schemas.core.parameters import problems_with
from storage.core.unit_of_work import UnitOfWork

DEEPEST_CALL: Final = 10
"""Runs that may stand above one."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Finds what a step begins."""

    work: UnitOfWork
    catalogue: Catalogue

    def begin(self, step_id: int, pending: Pending) -> Begin | Failed:
        """The run that a step begins, or why it cannot."""
        call, entered, run = pending.step.call, pending.entered, pending.run
        if call is None or entered is None or entered.called is None:
            raise ValueError(f"step '{pending.step.id}' begins no workflow")
        if run.depth >= DEEPEST_CALL:
            return Failed(code="too_deep", message=f"{DEEPEST_CALL} runs stand above this one already")
        try:
            if call.version is None:
                workflow = self.catalogue.current(self.work, entered.called)
            else:
                workflow = self.catalogue.version(self.work, entered.called, call.version)
        except UnknownWorkflow as error:
            return Failed(code="unknown_workflow", message=str(error))
        if problems := problems_with(entered.parameters, workflow.parameters):
            words = "; ".join(f"{problem.field} {problem.message}" for problem in problems)
            return Failed(code="invalid_input", message=f"workflow '{workflow.name}': {words}")
        if call.continues:
            parent, depth = run.parent_step_id, run.depth
        else:
            parent, depth = (step_id if call.waits else None), run.depth + 1
        return Begin(
            run_id=new_id(Prefix.RUN),
            workflow=workflow,
            variables=dict(entered.parameters),
            priority=run.priority,
            created_by=run.created_by,
            parent_step_id=parent,
            depth=depth,
            trace_id=run.trace_id,
        )
