"""What makes a definition one that cannot run: names that lead nowhere, dead options, endless loops."""

from collections.abc import Iterator, Sequence

from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.graph import Graph
from statemachine.workflow.checks.joins import faults_of_joins
from statemachine.workflow.checks.kinds import faults_of_kind
from statemachine.workflow.options.catches import CatchKind
from statemachine.workflow.step import END, ORIGIN, Kind, Step

MOST_STEPS = 2_000
"""Steps a definition may have, those in scopes counted."""


def faults(steps: tuple[Step, ...], graph: Graph) -> Iterator[DefinitionFault]:
    """Return every fault of these steps, in words for people, each with its step."""
    if len(steps) > MOST_STEPS:
        yield DefinitionFault(f"it has {len(steps):,} steps, and may have {MOST_STEPS:,}", at=("steps",))
        return
    if twice := _repeated([step.id for step in steps]):
        yield DefinitionFault(f"these step ids are used twice: {', '.join(twice)}", at=("steps",))
    if twice := _repeated([step.purpose for step in steps if step.purpose]):
        yield DefinitionFault(f"these purposes are declared twice: {', '.join(twice)}", at=("steps",))
    if not graph.start:
        yield DefinitionFault("it has no first step: every step is led to by another", at=("steps",))
    if graph.on_error and graph.on_error not in graph.steps:
        yield DefinitionFault(f"on_error names '{graph.on_error}', which is not a step", at=("on_error",))
    for at, catch in enumerate(graph.on):
        for target in catch.next:
            if target not in graph.steps and target != END:
                yield DefinitionFault(f"on leads to '{target}', which is not a step", at=("on", at, "next"))
    for step in steps:
        yield from (
            DefinitionFault(f"step '{step.id}' {fault}", step.id) for fault in _faults_of_step(step, graph)
        )
    yield from _endless(graph)
    yield from faults_of_joins(graph)


def _faults_of_step(step: Step, graph: Graph) -> Iterator[str]:
    if step.id in (END, ORIGIN):
        yield f"has a name that means something else: '{step.id}' is a target"
    for target in step.targets():
        if target not in graph.steps and target not in (END, ORIGIN):
            yield f"leads to '{target}', which is not a step"
        elif target in graph.steps and graph.steps[target].scope != step.scope:
            yield f"leads to '{target}', which lies in another scope"
    if ORIGIN in (*step.next, *step.otherwise, step.on_error):
        yield f"leads to '{ORIGIN}', which only a decision may"
    for targets in (step.next, step.otherwise):
        yield from (f"leads to '{target}' twice" for target in _repeated(targets))
    if step.kind is Kind.SCOPE and not graph.inner.get(step.id):
        yield "is a scope without a first step"
    yield from _faults_of_compensation(step, graph)
    yield from _faults_of_catches(step)
    yield from faults_of_kind(step)


def _faults_of_compensation(step: Step, graph: Graph) -> Iterator[str]:
    for name in step.compensates:
        if name not in graph.steps:
            yield f"compensates '{name}', which is not a step"
        elif graph.steps[name].compensation is None and graph.steps[name].kind is not Kind.SCOPE:
            yield f"compensates '{name}', for which no step is named that does"
    if step.compensation is None:
        return
    undoing = graph.steps.get(step.compensation)
    if undoing is None:
        yield f"is compensated by '{step.compensation}', which is not a step"
    elif undoing.scope != step.scope:
        yield f"is compensated by '{step.compensation}', which lies in another scope"
    elif undoing.kind is not Kind.ACTION or undoing.loop is not None:
        yield f"is compensated by '{step.compensation}', which must be one action"


def _faults_of_catches(step: Step) -> Iterator[str]:
    for catch in (*step.catches, *step.on):
        if not catch.next:
            yield f"waits for a {catch.kind.value} and does not say what is next"
    for catch in step.catches:
        if catch.kind in (CatchKind.ERROR, CatchKind.ESCALATION):
            yield f"waits for an {catch.kind.value}, which only breaks in ('on')"


def _endless(graph: Graph) -> Iterator[DefinitionFault]:
    """Steps that no run reaches, and loops that no run leaves."""
    roots = (
        *graph.start,
        *((graph.on_error,) if graph.on_error else ()),
        *(target for catch in graph.on for target in catch.next),
    )
    reached = graph.reach(roots, graph.leads)
    if graph.start:
        yield from (
            DefinitionFault(f"step '{step_id}' is never reached", step_id)
            for step_id in graph.steps
            if step_id not in reached
        )
    ending = _ending(graph)
    for step in graph.steps.values():
        if step.instant and graph.returns(step, lambda one: _instant_after(one, graph)):
            yield DefinitionFault(
                f"step '{step.id}' lies in a loop of gateways and inline steps alone, which takes no time",
                step.id,
            )
        if step.id not in ending:
            yield DefinitionFault(
                f"step '{step.id}' never comes to an end: everything after it leads back", step.id
            )
        if graph.returns(step, lambda one: _unattended_after(one, graph)):
            yield DefinitionFault(
                f"step '{step.id}' catches, by on_error, its own failure in a circle without a person",
                step.id,
            )


def _instant_after(step: Step, graph: Graph) -> Iterator[str]:
    return (target for target in graph.leads(step) if graph.steps[target].instant)


def _unattended_after(step: Step, graph: Graph) -> Iterator[str]:
    handler = graph.handler(step)
    if handler in graph.steps and graph.steps[str(handler)].kind is not Kind.HUMAN:
        yield str(handler)


def _ending(graph: Graph) -> set[str]:
    """The steps after which some choice of branches comes to an end; all parallel branches must."""
    ending: set[str] = set()
    known = -1
    while len(ending) > known:
        known = len(ending)
        ending |= {step.id for step in graph.steps.values() if _can_end(step, graph, ending)}
    return ending


def _can_end(step: Step, graph: Graph, ending: set[str]) -> bool:
    if not all(target in ending for target in graph.inner.get(step.id, ())):
        return False
    choices: list[tuple[str, ...]] = [branch.next for branch in step.branches]
    match step.kind:
        case Kind.HUMAN:
            choices = [(target,) for target in step.decisions.values()] or [()]
        case Kind.GATEWAY if step.condition is not None:
            choices = [step.next, step.otherwise]
        case Kind.WAIT if step.catches:
            choices = [catch.next for catch in step.catches]
        case _ if step.next or not choices:
            choices.append(step.next)
    return any(all(target in ending or target not in graph.steps for target in choice) for choice in choices)


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
