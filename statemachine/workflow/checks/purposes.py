"""What a product needs of a definition: the purposes that its code looks steps up by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.definition import Kind, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeNeed:
    """A purpose that exactly one step of a definition must have, and what that step must be."""

    purpose: str
    kind: Kind
    action: str
    """The action that the step performs, as `agent.verb`."""


def unmet_needs(workflow: Workflow, needs: Sequence[PurposeNeed]) -> Iterator[DefinitionFault]:
    """Every need that this definition does not meet."""
    for need in needs:
        step = next((step for step in workflow.steps.values() if step.purpose == need.purpose), None)
        wanted = f"a step of type {need.kind} with the action {need.action}"
        if step is None:
            yield DefinitionFault(
                f"no step has the purpose '{need.purpose}', which needs {wanted}", at=("steps",)
            )
        elif (step.kind, f"{step.agent}.{step.action}") != (need.kind, need.action):
            yield DefinitionFault(
                f"step '{step.id}' has the purpose '{need.purpose}' and is not {wanted}", step.id
            )
