"""A run to begin, and the row it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from runtime.trace import new_trace_id
from statemachine.workflow.definition import Workflow
from storage.engine.clock import Moments
from storage.engine.runs import NewRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A run to begin."""

    run_id: str
    workflow: Workflow
    subject_id: str | None = None
    variables: Mapping[str, object] = field(default_factory=dict)
    priority: int | None = None
    """None: that of the workflow, or 1."""
    request_id: str | None = None
    trace_id: str = field(default_factory=new_trace_id)
    """Of the request or the run that it follows from; a new one where there is none."""
    timeout_seconds: int | None = None
    manual: bool = False
    """Its agents' steps are offered to outside agents instead of driven by the fleet."""
    description: str | None = None
    created_by: str | None = None
    parent_step_id: int | None = None
    """The step of another run that begins it."""
    depth: int = 0
    """How many runs stand above it."""

    @property
    def urgency(self) -> int:
        """The priority of the run."""
        return self.priority or self.workflow.options.priority or 1

    def new_run(self, open_steps: int, moments: Moments, *, begun: bool) -> NewRun:
        """Return the row of this run, with this number of open steps; `begun` where one was touched already."""
        timeout = self.timeout_seconds or self.workflow.timeout_seconds
        return NewRun(
            run_id=self.run_id,
            workflow=self.workflow.name,
            version=self.workflow.version,
            subject_id=self.subject_id,
            priority=self.urgency,
            variables=self.variables,
            open_steps=open_steps,
            request_id=self.request_id,
            trace_id=self.trace_id,
            deadline_at=moments.database_now + timedelta(seconds=timeout) if timeout else None,
            manual=self.manual,
            description=self.description,
            created_by=self.created_by,
            parent_step_id=self.parent_step_id,
            depth=self.depth,
            begun=begun,
        )
