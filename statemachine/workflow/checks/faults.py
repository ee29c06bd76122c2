"""What makes a definition one that cannot run: names that lead nowhere, dead options, endless loops."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.graph import Graph
from statemachine.workflow.checks.joins import faults_of_joins
from statemachine.workflow.checks.kinds import faults_of_kind
from statemachine.workflow.checks.unread import NOTHING_UNREAD, Unread
from statemachine.workflow.options.catches import CatchKind
from statemachine.workflow.step import END, ORIGIN, Kind, Step

MOST_STEPS = 2_000
"""Steps a definition may have, those in scopes counted."""

_MOST_NAMED: Final = 5

Place = tuple[str | int, ...]
"""The fields that lead to a fault, from the step."""

_SEVERAL: Final[tuple[tuple[Place, Callable[[Step], tuple[str, ...]]], ...]] = (
    (("next",), lambda step: step.next),
    (("else",), lambda step: step.otherwise),
)
"""The fields that may name several targets, each once."""


def faults(
    steps: tuple[Step, ...], graph: Graph, unread: Unread = NOTHING_UNREAD
) -> Iterator[DefinitionFault]:
    """Return every fault of these steps, in words for people, each with its step.

    Where it is not known what leads where, nothing is said that depends on it, but that.
    """
    if len(steps) > MOST_STEPS:
        yield DefinitionFault(f"it has {len(steps):,} steps, and may have {MOST_STEPS:,}", at=("steps",))
        return
    if twice := _repeated([step.id for step in steps]):
        yield DefinitionFault(f"these step ids are used twice: {', '.join(twice)}", at=("steps",))
    if twice := _repeated([step.purpose for step in steps if step.purpose]):
        yield DefinitionFault(f"these purposes are declared twice: {', '.join(twice)}", at=("steps",))
    if not graph.start and not unread.ways:
        yield DefinitionFault("it has no first step: every step is led to by another", at=("steps",))
    yield from _faults_of_whole(graph)
    for step in steps:
        yield from (
            DefinitionFault(f"step '{step.id}' {fault}", step.id, at)
            for at, fault in _faults_of_step(step, graph, unread)
        )
    if unread.ways:
        yield DefinitionFault(f"it is not checked what leads where: {_left_out(unread)}", at=("steps",))
        return
    yield from _endless(graph)
    yield from faults_of_joins(graph)


def _faults_of_whole(graph: Graph) -> Iterator[DefinitionFault]:
    if graph.on_error and (unknown := graph.unknown(graph.on_error)):
        yield DefinitionFault(f"on_error names {unknown}", at=("on_error",))
    for at, catch in enumerate(graph.on):
        for target in catch.next:
            if target != END and (unknown := graph.unknown(target)):
                yield DefinitionFault(f"on leads to {unknown}", at=("on", at, "next"))


def _left_out(unread: Unread) -> str:
    names = sorted({*unread.of_steps, *unread.steps})
    shown = ", ".join(f"'{name}'" for name in names[:_MOST_NAMED]) or "steps without an id"
    return f"first mend {shown}" + (f" and {len(names) - _MOST_NAMED} others" * (len(names) > _MOST_NAMED))


def _faults_of_step(step: Step, graph: Graph, unread: Unread) -> Iterator[tuple[Place, str]]:
    if step.id in (END, ORIGIN):
        yield ("id",), f"has a name that means something else: '{step.id}' is a target"
    yield from _faults_of_targets(step, graph)
    for need in dict.fromkeys(step.needs):
        if unknown := graph.unknown(need):
            yield ("needs",), f"needs {unknown}"
    if step.id in unread.of_steps:
        return
    if step.kind is Kind.SCOPE and not graph.inner.get(step.id):
        yield ("steps",), "is a scope without a first step"
    yield from (((), fault) for fault in _faults_of_compensation(step, graph))
    yield from _faults_of_catches(step)
    yield from faults_of_kind(step)


def _faults_of_targets(step: Step, graph: Graph) -> Iterator[tuple[Place, str]]:
    for at, target in _targets(step):
        if target not in (END, ORIGIN) and (unknown := graph.unknown(target)):
            yield at, f"leads to {unknown}"
        elif target in graph.steps and graph.steps[target].scope != step.scope:
            yield at, f"leads to '{target}', which lies in another scope"
    for at, targets in _SEVERAL:
        yield from ((at, f"leads to '{target}' twice") for target in _repeated(targets(step)))
        if ORIGIN in targets(step):
            yield at, f"leads to '{ORIGIN}', which only a decision may"
    if step.on_error == ORIGIN:
        yield ("on_error",), f"leads to '{ORIGIN}', which only a decision may"


def _targets(step: Step) -> Iterator[tuple[Place, str]]:
    """All possible successors, each with the field that names it."""
    yield from ((("next",), target) for target in step.next)
    yield from ((("next",), target) for branch in step.branches for target in branch.next)
    yield from ((("else",), target) for target in step.otherwise)
    yield from ((("decisions", name), target) for name, target in step.decisions.items())
    for field, caught in (("events", step.catches), ("on", step.on)):
        for at, catch in enumerate(caught):
            yield from (((field, at, "next"), target) for target in catch.next)
    if step.on_error:
        yield ("on_error",), step.on_error


def _faults_of_compensation(step: Step, graph: Graph) -> Iterator[str]:
    for name in step.compensates:
        if name not in graph.steps:
            if unknown := graph.unknown(name):
                yield f"compensates {unknown}"
        elif graph.steps[name].compensation is None and graph.steps[name].kind is not Kind.SCOPE:
            yield f"compensates '{name}', for which no step is named that does"
    if step.compensation is None:
        return
    undoing = graph.steps.get(step.compensation)
    if undoing is None:
        if unknown := graph.unknown(step.compensation):
            yield f"is compensated by {unknown}"
    elif undoing.scope != step.scope:
        yield f"is compensated by '{step.compensation}', which lies in another scope"
    elif undoing.kind is not Kind.ACTION or undoing.loop is not None:
        yield f"is compensated by '{step.compensation}', which must be one action"


def _faults_of_catches(step: Step) -> Iterator[tuple[Place, str]]:
    for field, caught in (("events", step.catches), ("on", step.on)):
        for at, catch in enumerate(caught):
            if not catch.next:
                yield (field, at), f"waits for a {catch.kind.value} and does not say what is next"
    for at, catch in enumerate(step.catches):
        if catch.kind in (CatchKind.ERROR, CatchKind.ESCALATION):
            yield ("events", at), f"waits for an {catch.kind.value}, which only breaks in ('on')"


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
    before: defaultdict[str, list[Step]] = defaultdict(list)
    for step in graph.steps.values():
        for target in chain(graph.inner.get(step.id, ()), *_choices(step)):
            before[target].append(step)
    ending: set[str] = set()
    edge = list(graph.steps.values())
    while edge:
        step = edge.pop()
        if step.id not in ending and _can_end(step, graph, ending):
            ending.add(step.id)
            edge += before[step.id]
    return ending


def _can_end(step: Step, graph: Graph, ending: set[str]) -> bool:
    return all(target in ending for target in graph.inner.get(step.id, ())) and any(
        all(target in ending or target not in graph.steps for target in choice) for choice in _choices(step)
    )


def _choices(step: Step) -> list[tuple[str, ...]]:
    """The branches of which one is taken; what is within one of them is taken together."""
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
    return choices


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted(name for name, times in Counter(names).items() if times > 1)
