"""A workflow that a step begins: waited for, let go, or taking the run's place."""

from dataclasses import dataclass

from statemachine.workflow.expression.template import ValueTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledWorkflow:
    """Which workflow, and how the step holds to it."""

    workflow: ValueTemplate
    version: str | None = None
    """None: the current one, when the step is reached."""
    waits: bool = True
    """Whether the step ends with the called run, and has its output."""
    cancels: bool = True
    """Whether the called run is cancelled with the step."""
    continues: bool = False
    """Whether this run ends here, and the called one goes on in its place."""
