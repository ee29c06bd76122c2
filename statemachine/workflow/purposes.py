"""What a product needs of a definition: the purposes that its code looks steps up by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from statemachine.workflow.definition import Kind, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeNeed:
    """A purpose that exactly one step of a definition must have, and what that step must be."""

    purpose: str
    kind: Kind
    action: str
    """The action that the step performs, as `agent.verb`."""


@dataclass(frozen=True, slots=True)
class PurposeFault:
    """A need that a definition does not meet; `step_id` names the step that has the purpose, if one has."""

    message: str
    step_id: str | None = None


def unmet_needs(workflow: Workflow, needs: Sequence[PurposeNeed]) -> Iterator[PurposeFault]:
    """Every need that this definition does not meet."""
    for need in needs:
        step = next((step for step in workflow.steps.values() if step.purpose == need.purpose), None)
        wanted = f"a step of type {need.kind} with the action {need.action}"
        if step is None:
            yield PurposeFault(f"no step has the purpose '{need.purpose}', which needs {wanted}")
        elif (step.kind, f"{step.agent}.{step.action}") != (need.kind, need.action):
            yield PurposeFault(
                f"step '{step.id}' has the purpose '{need.purpose}' and is not {wanted}", step.id
            )
