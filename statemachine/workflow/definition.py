"""A checked workflow definition: steps, gateways, joins, human steps, waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.faults import faults
from statemachine.workflow.checks.graph import Graph
from statemachine.workflow.options.triggers import Trigger
from statemachine.workflow.step import END, ORIGIN, Kind, Step

__all__ = ["END", "ORIGIN", "Kind", "MalformedWorkflow", "Step", "Workflow", "build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A checked definition. A run keeps the version it started with."""

    name: str
    version: str
    trigger: str
    steps: Mapping[str, Step]
    start: tuple[str, ...]
    variables: Mapping[str, object] = field(default_factory=dict)
    timeout_seconds: int | None = None
    on_error: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    """What a run is begun with, as a JSON Schema; empty means any object."""
    triggers: tuple[Trigger, ...] = ()
    """What begins runs by itself, beside `trigger`."""
    waiting_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each step, the joins that need it."""

    def step_for(self, purpose: str) -> Step:
        """The step that is for this purpose.

        Raises:
            LookupError: no step of this definition is.
        """
        for step in self.steps.values():
            if step.purpose == purpose:
                return step
        raise LookupError(f"no step of workflow '{self.name}' {self.version} has the purpose '{purpose}'")

    def joins_of(self, node: str) -> tuple[str, ...]:
        """The steps that need this one and others besides."""
        return tuple(join for join in self.waiting_for.get(node, ()) if len(self.steps[join].needs) > 1)


class MalformedWorkflow(ValueError):
    """The definition is invalid; `faults` are all that were found, each with its place."""

    def __init__(self, name: str, faults: tuple[DefinitionFault, ...]) -> None:
        self.faults = faults
        super().__init__(f"workflow '{name}' cannot run: " + "; ".join(self.problems))

    @property
    def problems(self) -> tuple[str, ...]:
        """The faults in words."""
        return tuple(fault.message for fault in self.faults)


def build(
    *,
    name: str,
    version: str,
    trigger: str,
    steps: tuple[Step, ...],
    variables: Mapping[str, object],
    timeout_seconds: int | None,
    on_error: str | None,
    parameters: Mapping[str, object] = MappingProxyType({}),
    triggers: tuple[Trigger, ...] = (),
) -> Workflow:
    """Check the steps and create a workflow; its first steps are those that nothing leads to.

    Raises:
        MalformedWorkflow: with every fault that was found, not only the first.
    """
    graph = Graph.of(steps, on_error)
    found = tuple(faults(steps, graph))
    if found:
        raise MalformedWorkflow(name, found)
    return Workflow(
        name=name,
        version=version,
        trigger=trigger,
        steps=MappingProxyType(dict(graph.steps)),
        start=graph.start,
        variables=MappingProxyType(dict(variables)),
        timeout_seconds=timeout_seconds,
        on_error=on_error,
        parameters=MappingProxyType(dict(parameters)),
        triggers=triggers,
        waiting_for=MappingProxyType(dict(graph.joins)),
    )
