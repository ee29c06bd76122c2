"""Checks the data of a definition: the variables that are written, the names that expressions take."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.graph import Graph
from statemachine.workflow.checks.unread import Unread
from statemachine.workflow.expression.calculation import nearest
from statemachine.workflow.options.run_variable import RunVariable
from statemachine.workflow.reading import NamesRead
from statemachine.workflow.step import Kind, Step

_OF_RUN: Final = frozenset({"id", "workflow", "version"})


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What expressions of a definition may name, as far as it is known before a run begins."""

    variables: Mapping[str, RunVariable]
    closed: Mapping[str, frozenset[str]]
    """The names after `variables.`, `parameters.` and `run.`; what is not here may have any."""

    @classmethod
    def of(
        cls, variables: Mapping[str, RunVariable], parameters: Mapping[str, object], unread: Unread
    ) -> "KnownNames":
        """What may be named in a definition with these variables, and this description of its parameters."""
        closed = {"run": _OF_RUN}
        if "variables" not in unread.of_workflow:
            closed["variables"] = frozenset(variables)
        described = parameters.get("properties", {})
        if (
            parameters.get("additionalProperties") is False
            and isinstance(described, Mapping)
            and not parameters.get("patternProperties")
        ):
            closed["parameters"] = frozenset(described)
        return cls(variables, closed)


def faults_of_data(
    graph: Graph, known: KnownNames, reading: NamesRead, unread: Unread
) -> Iterator[DefinitionFault]:
    """Return every fault of what the steps, and the definition as a whole, read and write."""
    for step in graph.steps.values():
        for name in step.writes if "variables" in known.closed else ():
            if name not in known.variables:
                words = f"writes '{name}', which is no variable{nearest(name, known.variables)}"
                yield _of(step, words, "set")
        for field, names in reading.of_steps.get(step.id, {}).items():
            for path in sorted(names):
                found = _faults_of_name(path, field, step, graph, known)
                yield from (_of(step, fault, field) for fault in found)
    for field, names in reading.of_workflow.items():
        for path in sorted(names):
            found = _faults_of_name(path, field, None, graph, known)
            yield from (DefinitionFault(f"{field} {fault}", at=(field,)) for fault in found)
    if not unread.ways:
        yield from _written_twice(graph, known.variables)


def _faults_of_name(
    path: tuple[str, ...], field: str, step: Step | None, graph: Graph, known: KnownNames
) -> Iterator[str]:
    match path:
        case ("secret", *_) if step is None or not (field == "parameters" and step.kind is Kind.ACTION):
            yield "reads a secret, which only the parameters of an http step or a tool may"
        case ("steps", name, *_) if name not in graph.steps:
            if name not in graph.unread:
                yield f"reads steps.{name}, which is not a step{nearest(name, graph.steps)}"
        case ("steps", name, *_) if not _visible(graph.steps[name], step, graph):
            yield f"reads steps.{name}, which lies in the scope '{graph.steps[name].scope}' and is not seen from here"
        case (holder, name, *_) if name not in known.closed.get(holder, (name,)):
            yield f"reads {holder}.{name}, which there is not{nearest(name, known.closed[holder])}"
        case _:
            pass


def _visible(read: Step, reader: Step | None, graph: Graph) -> bool:
    """Whether a step lies in the reader's scope, or in one around it; or in the reader, which is that scope."""
    scope = None if reader is None else reader.scope
    while True:
        if read.scope == scope:
            return True
        if scope is None:
            return False
        scope = graph.steps[scope].scope if scope in graph.steps else None


def _written_twice(graph: Graph, variables: Mapping[str, RunVariable]) -> Iterator[DefinitionFault]:
    """Variables that steps of two branches which are open together both write, without saying what comes of it."""
    writers: dict[str, list[Step]] = {}
    for step in graph.steps.values():
        for name in step.writes:
            writers.setdefault(name, []).append(step)
    for name, steps in writers.items():
        if name not in variables or variables[name].merge is not None:
            continue
        for step in steps:
            if step.loop is not None and getattr(step.loop, "limit", 1) > 1:
                yield _of(step, f"writes '{name}' for several elements at once; say how they merge", "set")
        for one, other in _open_together(steps, graph):
            words = (
                f"writes '{name}', as '{one.id}' of another branch does; say how they merge, or join before"
            )
            yield _of(other, words, "set")


def _open_together(steps: list[Step], graph: Graph) -> Iterator[tuple[Step, Step]]:
    """Pairs of these of which neither comes after the other, and which no choice keeps apart."""
    after = {step.id: graph.reach(graph.leads(step), graph.leads) for step in steps}
    parting = [targets for targets in _partings(graph) if len(targets) > 1] if len(steps) > 1 else []
    for at, one in enumerate(steps):
        for other in steps[at + 1 :]:
            if other.id in after[one.id] or one.id in after[other.id]:
                continue
            if any(_on_two_sides(one.id, other.id, targets, graph) for targets in parting):
                yield one, other


def _partings(graph: Graph) -> Iterator[tuple[str, ...]]:
    """Groups of steps that are entered together."""
    yield graph.start
    yield from graph.inner.values()
    for step in graph.steps.values():
        yield (*step.next, *graph.joins.get(step.id, ()))
        yield step.otherwise
        several = tuple(target for branch in step.branches for target in branch.next)
        yield (
            (*step.next, *several) if step.kind is not Kind.GATEWAY or step.mode.value != "exclusive" else ()
        )


def _on_two_sides(one: str, other: str, targets: tuple[str, ...], graph: Graph) -> bool:
    reached = [graph.reach([target], graph.leads) for target in dict.fromkeys(targets)]
    sides_of_one = {at for at, found in enumerate(reached) if one in found}
    sides_of_other = {at for at, found in enumerate(reached) if other in found}
    return bool(
        sides_of_one and sides_of_other and (sides_of_one | sides_of_other) - (sides_of_one & sides_of_other)
    )


def _of(step: Step, words: str, field: str) -> DefinitionFault:
    return DefinitionFault(f"step '{step.id}' {words}", step.id, (field,))
