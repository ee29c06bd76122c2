"""Checks the joins of a definition: every step they wait for ends exactly once and is visible to the join."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.graph import Graph
from statemachine.workflow.options.gateways import GatewayMode
from statemachine.workflow.step import INSTANT, ORIGIN, Kind, Step


@dataclass(frozen=True, slots=True)
class _Choice:
    """A step that sends a run one way or another, and by which of its sides each needed step is reached."""

    step_id: str
    sides: Mapping[str, frozenset[str]]


def faults_of_joins(graph: Graph) -> Iterator[DefinitionFault]:
    """Return every fault of the joins of this graph, each with its step."""
    joins = [step for step in graph.steps.values() if step.needs]
    flows = {join: flows for join, flows in graph.flows().items() if not graph.steps[join].needs}
    # Asked once for the graph: asked for each pair of needs, a large definition would take minutes.
    twice = frozenset(need for need in graph.joins if joins and _reached_twice(need, graph))
    led = frozenset(flow for several in flows.values() for flow in several)
    choices = tuple(_choices_of(graph, frozenset(graph.joins) | led)) if joins or led else ()
    for step in joins:
        yield from (
            DefinitionFault(f"step '{step.id}' {fault}", step.id, ("needs",))
            for fault in _faults_of(step, graph, twice, choices)
        )
    for join, several in flows.items():
        yield from (
            DefinitionFault(f"step '{join}' {fault}", join, ("join",))
            for fault in _faults_of_gateway(graph.steps[join], several, choices)
        )


def _faults_of_gateway(join: Step, flows: Sequence[str], choices: Sequence[_Choice]) -> Iterator[str]:
    """Why a gateway at which branches wait for one another never has all that it waits for."""
    if join.join is None or join.mode is GatewayMode.INCLUSIVE:
        return
    if join.join.count is None:
        for one, other in combinations(flows, 2):
            yield from _excluding(one, other, choices, "waits for")
    elif join.join.count > len(flows):
        yield f"can never be entered: it waits for {join.join.count} branches, and {len(flows)} lead to it"


def _faults_of(join: Step, graph: Graph, twice: frozenset[str], choices: Sequence[_Choice]) -> Iterator[str]:
    for need in sorted({need for need in join.needs if join.needs.count(need) > 1}):
        yield f"needs '{need}' twice"
    if graph.returns(join, graph.leads):
        yield "joins branches and lies in a loop"
    leading = [step.id for step in graph.steps.values() if join.id in graph.branches(step)]
    if leading:
        yield f"needs other steps and is led to by '{leading[0]}' besides; one of the two must go"
    for need in dict.fromkeys(join.needs):
        yield from (f"needs '{need}', {fault}" for fault in _faults_of_need(need, join, graph, twice))
    if join.join is None or join.join.count is None:
        for one, other in combinations(dict.fromkeys(join.needs), 2):
            yield from _excluding(one, other, choices, "needs")


def _faults_of_need(need: str, join: Step, graph: Graph, twice: frozenset[str]) -> Iterator[str]:
    step = graph.steps.get(need)
    if step is None:
        return
    if step.scope != join.scope:
        yield "which lies in another scope"
    if step.kind in INSTANT and step.kind is not Kind.GATEWAY:
        yield f"which is of type {step.kind} and has no end of its own; name the step before it"
    if step.kind is Kind.GATEWAY:
        yield "which is a gateway and has no end of its own; name the step before it"
    if step.inline and len(join.needs) > 1:
        yield "which is inline and ends within another step's transaction, where the join is not looked at"
    if ORIGIN in step.decisions.values():
        yield f"whose answers lead to '{ORIGIN}', so that it may be asked more than once"
    if step.id in graph.reach(graph.after_success(step), graph.branches):
        yield "which lies in a loop and may end more than once"
    elif step.id in twice:
        yield "which parallel branches reach more than once; let them join first"


def _reached_twice(goal: str, graph: Graph) -> bool:
    """Whether two branches that are open at the same time both lead to this step, no join between."""
    joins = {join for waiting in graph.joins.values() for join in waiting}
    together = [(*graph.start, *joins)]
    together += [targets for step in graph.steps.values() for targets in (step.next, step.otherwise)]
    return any(
        sum(goal in graph.reach([target], graph.branches) for target in dict.fromkeys(targets)) > 1
        for targets in together
    )


def _excluding(one: str, other: str, choices: Sequence[_Choice], needs: str) -> Iterator[str]:
    """Two needs on different sides of one choice never both end, and the run would pass the join by."""
    for choice in choices:
        of_one, of_other = choice.sides.get(one), choice.sides.get(other)
        if of_one and of_other and not of_one & of_other:
            yield (
                f"can never be entered: it {needs} '{one}' and '{other}', which lie on different sides of"
                f" '{choice.step_id}'"
            )
            return


def _choices_of(graph: Graph, goals: frozenset[str]) -> Iterator[_Choice]:
    """The choices that a run makes once, of one way alone."""
    for choice in graph.steps.values():
        if len(dict(_choices(choice))) > 1 and not graph.returns(choice, graph.leads):
            yield _Choice(choice.id, _sides_of(choice, graph, goals))


def _sides_of(choice: Step, graph: Graph, goals: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """The sides of a choice by which each of these is reached; those that are reached without it are left out."""

    def around(step: Step) -> Iterator[str]:
        return iter(()) if step.id == choice.id else graph.leads(step)

    without = graph.reach(graph.start, around)
    reached = {name: graph.reach(targets, graph.leads) for name, targets in _choices(choice)}
    return {
        goal: frozenset(name for name, by in reached.items() if goal in by)
        for goal in goals
        if goal != choice.id and goal not in without
    }


def _choices(choice: Step) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The ways of which a step takes exactly one; none, where it may take several."""
    if choice.kind is Kind.HUMAN:
        yield from ((decision, (target,)) for decision, target in choice.decisions.items())
    elif choice.kind is Kind.WAIT:
        yield from ((f"events.{at}", catch.next) for at, catch in enumerate(choice.catches))
    elif choice.condition is not None:
        yield from (("next", choice.next), ("else", choice.otherwise))
    elif choice.kind is Kind.GATEWAY and choice.mode is GatewayMode.EXCLUSIVE and choice.branches:
        yield from ((f"next.{at}", branch.next) for at, branch in enumerate(choice.branches))
        yield from (("next", choice.next), ("else", choice.otherwise))
