"""Checks the joins of a definition: every step they wait for ends exactly once and is visible to the join."""

from collections.abc import Iterator
from itertools import combinations

from statemachine.workflow.definition_fault import DefinitionFault
from statemachine.workflow.graph import Graph
from statemachine.workflow.step import ORIGIN, Kind, Step


def faults_of_joins(graph: Graph) -> Iterator[DefinitionFault]:
    """Return every fault of the joins of this graph, each with its step."""
    for step in graph.steps.values():
        if step.needs:
            yield from (
                DefinitionFault(f"step '{step.id}' {fault}", step.id) for fault in _faults_of(step, graph)
            )


def _faults_of(join: Step, graph: Graph) -> Iterator[str]:
    for need in sorted({need for need in join.needs if join.needs.count(need) > 1}):
        yield f"needs '{need}' twice"
    if graph.returns(join, graph.leads):
        yield "joins branches and lies in a loop"
    leading = [step.id for step in graph.steps.values() if join.id in graph.branches(step)]
    if leading:
        yield f"needs other steps and is led to by '{leading[0]}' besides; one of the two must go"
    for need in dict.fromkeys(join.needs):
        yield from (f"needs '{need}', {fault}" for fault in _faults_of_need(need, join, graph))
    for one, other in combinations(dict.fromkeys(join.needs), 2):
        yield from _excluding(one, other, graph)


def _faults_of_need(need: str, join: Step, graph: Graph) -> Iterator[str]:
    step = graph.steps.get(need)
    if step is None:
        yield "which is not a step"
        return
    if step.kind is Kind.GATEWAY:
        yield "which is a gateway and has no end of its own; name the step before it"
    if step.inline and len(join.needs) > 1:
        yield "which is inline and ends within another step's transaction, where the join is not looked at"
    if ORIGIN in step.decisions.values():
        yield f"whose answers lead to '{ORIGIN}', so that it may be asked more than once"
    if step.id in graph.reach(graph.after_success(step), graph.branches):
        yield "which lies in a loop and may end more than once"
    elif _reached_twice(step.id, graph):
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


def _excluding(one: str, other: str, graph: Graph) -> Iterator[str]:
    """Two needs on different sides of one choice never both end, and the run would pass the join by."""
    for choice in graph.steps.values():
        if choice.kind not in (Kind.GATEWAY, Kind.HUMAN) or graph.returns(choice, graph.leads):
            continue
        of_one, of_other = _sides_of(one, choice, graph), _sides_of(other, choice, graph)
        if of_one and of_other and not of_one & of_other:
            yield (
                f"can never be entered: it needs '{one}' and '{other}', which lie on different sides of"
                f" '{choice.id}'"
            )
            return


def _sides_of(goal: str, choice: Step, graph: Graph) -> frozenset[str]:
    """The sides of a choice by which a step is reached; empty where it is reached without the choice."""

    def around(step: Step) -> Iterator[str]:
        return iter(()) if step.id == choice.id else graph.leads(step)

    if goal == choice.id or goal in graph.reach(graph.start, around):
        return frozenset()
    return frozenset(name for name, targets in _choices(choice) if goal in graph.reach(targets, graph.leads))


def _choices(choice: Step) -> Iterator[tuple[str, tuple[str, ...]]]:
    if choice.kind is Kind.HUMAN:
        yield from ((decision, (target,)) for decision, target in choice.decisions.items())
    else:
        yield from (("next", choice.next), ("else", choice.otherwise))
