"""A checked workflow definition: its steps, what leads where, and what holds for all of its runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Final

from statemachine.workflow.checks.data import KnownNames, faults_of_data
from statemachine.workflow.checks.definition_fault import MOST_FAULTS, DefinitionFault
from statemachine.workflow.checks.faults import faults
from statemachine.workflow.checks.graph import Graph
from statemachine.workflow.checks.unread import NOTHING_UNREAD, Unread
from statemachine.workflow.expression.template import ValueTemplate
from statemachine.workflow.options.catches import Catch, CatchKind
from statemachine.workflow.options.gateways import GatewayMode
from statemachine.workflow.options.limits import Concurrency, Rate
from statemachine.workflow.options.retry import RetryPolicy
from statemachine.workflow.options.run_variable import RunVariable
from statemachine.workflow.options.triggers import Trigger
from statemachine.workflow.reading import NamesRead
from statemachine.workflow.step import END, ORIGIN, Kind, Step

__all__ = [
    "END",
    "NO_OPTIONS",
    "ORIGIN",
    "Kind",
    "MalformedWorkflow",
    "Step",
    "Workflow",
    "WorkflowOptions",
    "build",
    "examine",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowOptions:
    """What a definition may say of all its runs; the defaults are those of one that says nothing."""

    title: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    on: tuple[Catch, ...] = ()
    """What breaks in upon a run."""
    keeps_failures: bool = False
    """Whether a failure that no step handles waits for a person, instead of failing the run."""
    compensates_on_cancel: bool = False
    retry: tuple[RetryPolicy, ...] = ()
    """Of the steps that have none of their own."""
    priority: int | None = None
    key: ValueTemplate | None = None
    """What makes a second start the same as the first."""
    concurrency: Concurrency | None = None
    rate: Rate | None = None
    output: ValueTemplate | None = None
    """What a run comes to; none: what its last step returned."""


NO_OPTIONS: Final = WorkflowOptions()
_MORE_THAN_STEPS: Final = frozenset({Kind.SCOPE, Kind.COMPENSATE, Kind.STOP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A checked definition. A run keeps the version it started with."""

    name: str
    version: str
    trigger: str
    """The event of a product whose subjects it carries; empty: it carries none."""
    steps: Mapping[str, Step]
    """All of them by id, those in scopes too."""
    start: tuple[str, ...]
    starts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The first steps of each scope."""
    variables: Mapping[str, object] = field(default_factory=dict)
    """What each begins with."""
    declared: Mapping[str, RunVariable] = field(default_factory=dict)
    timeout_seconds: int | None = None
    on_error: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    """What a run is begun with, as a JSON Schema; empty means any object."""
    waiting_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each step, the joins that need it."""
    flows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each step at which branches wait for one another, the steps that lead to it."""
    coming: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    """For each of those that does not wait for all, by flow, the steps from which a branch can still come by it."""
    reading: NamesRead = field(default_factory=NamesRead)
    """What its expressions look at."""
    options: WorkflowOptions = NO_OPTIONS
    plain: bool = False
    """Whether its runs have steps alone: no scopes, loops, joins, called runs, or events that are waited for."""
    watches: bool = False
    """Whether something waits for a condition over its variables."""

    def step_for(self, purpose: str) -> Step:
        """The step that is for this purpose.

        Raises:
            LookupError: no step of this definition is.
        """
        for step in self.steps.values():
            if step.purpose == purpose:
                return step
        raise LookupError(f"no step of workflow '{self.name}' {self.version} has the purpose '{purpose}'")


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
    declared: Iterable[RunVariable] = (),
    timeout_seconds: int | None = None,
    on_error: str | None = None,
    parameters: Mapping[str, object] = MappingProxyType({}),
    options: WorkflowOptions = NO_OPTIONS,
) -> Workflow:
    """Check the steps and create a workflow; its first steps are those that nothing leads to.

    Args:
        name: Its name.
        version: Its version.
        trigger: The event of a product.
        steps: All of them; one that lies in a scope names it.
        declared: Its variables.
        timeout_seconds: What a run may take.
        on_error: The step that handles failures that no step handles itself.
        parameters: What a run is begun with, as a JSON Schema.
        options: What else holds for its runs.

    Raises:
        MalformedWorkflow: with every fault that was found, not only the first.
    """
    workflow, found = examine(
        name=name,
        version=version,
        trigger=trigger,
        steps=steps,
        declared=declared,
        timeout_seconds=timeout_seconds,
        on_error=on_error,
        parameters=parameters,
        options=options,
    )
    if found:
        raise MalformedWorkflow(name, found)
    return workflow


def examine(
    *,
    name: str,
    version: str,
    trigger: str,
    steps: tuple[Step, ...],
    declared: Iterable[RunVariable],
    timeout_seconds: int | None,
    on_error: str | None,
    parameters: Mapping[str, object],
    options: WorkflowOptions,
    unread: Unread = NOTHING_UNREAD,
) -> tuple[Workflow, tuple[DefinitionFault, ...]]:
    """The workflow of these (see `build`), and what is wrong with it; with faults it is there to be looked at alone.

    `unread` is what was written beside and could not be read.
    """
    graph = Graph.of(steps, on_error, options.on, unread.steps)
    variables = {variable.name: variable for variable in declared}
    reading = NamesRead.of(
        steps, options.output, options.key, options.on, (options.concurrency, options.rate)
    )
    found = (
        *islice(faults(steps, graph, unread), MOST_FAULTS),
        *islice(
            faults_of_data(graph, KnownNames.of(variables, parameters, unread), reading, unread), MOST_FAULTS
        ),
    )
    # What is only for runs costs far more than the rest, of a definition that is too large.
    flows = {} if found else graph.flows()
    workflow = Workflow(
        name=name,
        version=version,
        trigger=trigger,
        steps=MappingProxyType(dict(graph.steps)),
        start=graph.start,
        starts=MappingProxyType(dict(graph.inner)),
        variables=MappingProxyType({each.name: each.default for each in variables.values()}),
        declared=MappingProxyType(variables),
        timeout_seconds=timeout_seconds,
        on_error=on_error,
        parameters=MappingProxyType(dict(parameters)),
        waiting_for=MappingProxyType(dict(graph.joins)),
        flows=MappingProxyType(flows),
        coming={
            join: graph.coming(join, flows[join]) for join in flows if _is_asked_again(graph.steps[join])
        },
        reading=reading,
        options=options,
        plain=not (flows or options.on or options.concurrency or options.rate) and all(map(_is_plain, steps)),
        watches=any(
            catch.kind is CatchKind.CONDITION
            for catch in (*options.on, *(catch for step in steps for catch in (*step.catches, *step.on)))
        ),
    )
    return workflow, found


def _is_asked_again(step: Step) -> bool:
    """Whether a step at which branches wait does not wait for all of them."""
    return step.join is not None and (step.join.count is not None or step.mode is GatewayMode.INCLUSIVE)


def _is_plain(step: Step) -> bool:
    limited = step.concurrency is not None or step.rate is not None
    inside = step.loop is not None or step.call is not None or step.kind in _MORE_THAN_STEPS
    return not (limited or inside or step.subscribes)
