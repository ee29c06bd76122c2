"""What creating steps needs to know of a run, seen from one of its scopes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from statemachine.workflow.definition import Workflow
from statemachine.workflow.states import RunState
from storage.engine.flow.scopes import ScopeRow
from storage.engine.runs import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """The data of a run that creating steps needs."""

    run_id: str
    subject_id: str | None
    workflow: Workflow
    variables: Mapping[str, Any]
    priority: int
    held: bool = False
    behind: timedelta = timedelta()
    """How far the step that led here still stands behind new work; what follows it does too."""
    manual: bool = False
    """Whether its agents' steps are offered to outside agents instead of driven by the fleet (SPEC.md §6)."""
    scope: ScopeRow | None = None
    """The scope of the step that led here; `None`: outside of all."""
    written: Mapping[str, Any] = field(default_factory=dict)
    """The variables that its steps have written, as they were when this transaction read it."""
    created_by: str | None = None
    parent_step_id: int | None = None
    """The step of another run that has begun it."""
    depth: int = 0
    """How many runs stand above it."""
    trace_id: str

    @classmethod
    def of(cls, run: RunRow, workflow: Workflow) -> "RunFacts":
        """What a run's row says, seen from outside of its scopes."""
        return cls(
            run_id=run.run_id,
            subject_id=run.subject_id,
            workflow=workflow,
            variables=run.variables,
            priority=run.priority,
            held=run.state is RunState.PAUSED,
            manual=run.manual,
            written=run.written or {},
            created_by=run.created_by,
            parent_step_id=run.parent_step_id,
            depth=run.depth,
            trace_id=run.trace_id,
        )

    @property
    def scope_id(self) -> int | None:
        """The id of that scope."""
        return None if self.scope is None else self.scope.scope_id

    @property
    def chain(self) -> tuple[int, ...]:
        """The scopes around, the outermost first."""
        return () if self.scope is None else self.scope.chain
