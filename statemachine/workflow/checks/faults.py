"""What makes a definition one that cannot run: names that lead nowhere, dead options, endless loops."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.graph import Graph
from statemachine.workflow.checks.joins import faults_of_joins
from statemachine.workflow.step import END, ORIGIN, Kind, Step

_WITHOUT_EFFECT: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {
        Kind.ACTION: ("condition", "otherwise", "decisions", "deadline_seconds"),
        Kind.WAIT: (
            "choice",
            "condition",
            "otherwise",
            "decisions",
            "deadline_seconds",
            "inline",
            "parameters",
        ),
        Kind.HUMAN: (
            "choice",
            "condition",
            "otherwise",
            "next",
            "inline",
            "not_before",
            "parameters",
            "wait_seconds",
        ),
        Kind.GATEWAY: (
            "agent",
            "choice",
            "action",
            "decisions",
            "deadline_seconds",
            "inline",
            "not_before",
            "parameters",
            "retry",
            "wait_seconds",
        ),
    },
)
"""Options that a step of this kind never reads; one that is set would be a hope that nobody fulfils."""

_WRITTEN: Final[Mapping[str, str]] = MappingProxyType(
    {"choice": "agent", "otherwise": "else", "wait_seconds": "seconds"}
)
"""Options that people write by another name than the grammar's."""


def faults(steps: tuple[Step, ...], graph: Graph) -> Iterator[DefinitionFault]:
    """Return every fault of these steps, in words for people, each with its step."""
    if twice := _repeated([step.id for step in steps]):
        yield DefinitionFault(f"these step ids are used twice: {', '.join(twice)}", at=("steps",))
    if twice := _repeated([step.purpose for step in steps if step.purpose]):
        yield DefinitionFault(f"these purposes are declared twice: {', '.join(twice)}", at=("steps",))
    if not graph.start:
        yield DefinitionFault("it has no first step: every step is led to by another", at=("steps",))
    if graph.on_error and graph.on_error not in graph.steps:
        yield DefinitionFault(f"on_error names '{graph.on_error}', which is not a step", at=("on_error",))
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
    if ORIGIN in (*step.next, *step.otherwise, step.on_error):
        yield f"leads to '{ORIGIN}', which only a decision may"
    for targets in (step.next, step.otherwise):
        yield from (f"leads to '{target}' twice" for target in _repeated(targets))
    yield from _faults_of_kind(step)
    yield from (
        f"is of type {step.kind} and has '{_WRITTEN.get(option, option)}', which has no effect there"
        for option in _WITHOUT_EFFECT[step.kind]
        if getattr(step, option)
    )


def _faults_of_kind(step: Step) -> Iterator[str]:
    match step.kind:
        case Kind.ACTION if step.choice is None and not (step.agent and step.action):
            yield "is an action and names no agent or no action"
        case Kind.GATEWAY if step.condition is None or not step.next or not step.otherwise:
            yield "is a gateway and needs condition, next and else"
        case Kind.HUMAN if not step.decisions:
            yield "is a human step and lists no decisions"
        case Kind.WAIT if (step.wait_seconds is None) == (step.not_before is None):
            yield "is a wait and needs either seconds or not_before"
        case _:
            pass


def _endless(graph: Graph) -> Iterator[DefinitionFault]:
    """Steps that no run reaches, and loops that no run leaves."""
    roots = (*graph.start, *((graph.on_error,) if graph.on_error else ()))
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
    choices: list[tuple[str, ...]]
    match step.kind:
        case Kind.HUMAN:
            choices = [(target,) for target in step.decisions.values()] or [()]
        case Kind.GATEWAY:
            choices = [step.next, step.otherwise]
        case _:
            choices = [step.next]
    return any(all(target in ending or target not in graph.steps for target in choice) for choice in choices)


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
