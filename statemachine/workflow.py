"""The grammar of a workflow definition: steps, gateways, joins, human steps, waits. Frozen data, checked once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from statemachine.condition import Condition
from statemachine.retry import RetryPolicy

END: Final = "end"
"""The target that ends a branch."""
ORIGIN: Final = "$origin"
"""The decision target that runs the step again whose failure led to the human step."""


class Kind(StrEnum):
    """What a step is."""

    ACTION = "action"
    """Work for an agent."""
    GATEWAY = "gateway"
    """A condition; passed in the transaction that reaches it."""
    HUMAN = "human"
    """A question to a person; parked until it is decided."""
    WAIT = "wait"
    """A time to pass; holds a row, not a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node of a workflow.

    `next` holds the targets after success (several open parallel branches), `otherwise` those of a gateway
    whose condition fails, `needs` the steps that must all be done before this one is entered (a join).
    `not_before` names a value of the step's input: the business time before which it is not due.
    """

    id: str
    kind: Kind = Kind.ACTION
    agent: str = ""
    action: str = ""
    next: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    condition: Condition | None = None
    needs: tuple[str, ...] = ()
    on_error: str | None = None
    inline: bool = False
    retry: RetryPolicy | None = None
    not_before: str | None = None
    wait_seconds: int | None = None
    decisions: Mapping[str, str] = field(default_factory=dict)
    deadline_seconds: int | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    priority: int | None = None
    title: str = ""

    def targets(self) -> Iterator[str]:
        """Every step this one may lead to, joins aside."""
        yield from self.next
        yield from self.otherwise
        yield from self.decisions.values()
        if self.on_error:
            yield self.on_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A checked definition. A run keeps the version it began with."""

    name: str
    version: str
    trigger: str
    steps: Mapping[str, Step]
    start: tuple[str, ...]
    variables: Mapping[str, object] = field(default_factory=dict)
    timeout_seconds: int | None = None
    on_error: str | None = None
    waiting_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For each step, the joins that need it."""

    @property
    def has_joins(self) -> bool:
        """Whether any step waits for several others."""
        return bool(self.waiting_for)


class MalformedWorkflow(ValueError):  # noqa: N818 - reads as what it is where a definition is refused
    """A definition that cannot run; `problems` names every fault, each with its step."""

    def __init__(self, name: str, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__(f"workflow '{name}' cannot run: " + "; ".join(problems))


def build(
    *,
    name: str,
    version: str,
    trigger: str,
    steps: tuple[Step, ...],
    variables: Mapping[str, object],
    timeout_seconds: int | None,
    on_error: str | None,
) -> Workflow:
    """Check the steps and join them to a workflow; it starts where nothing leads.

    Raises:
        MalformedWorkflow: with every fault that was found, not only the first.
    """
    by_id = {step.id: step for step in steps}
    waiting: dict[str, list[str]] = {}
    for step in steps:
        for need in step.needs:
            waiting.setdefault(need, []).append(step.id)
    led_to = {target for step in steps for target in step.targets()} | {on_error}
    start = tuple(step.id for step in steps if step.id not in led_to and not step.needs)
    problems = tuple(_problems(steps, by_id, start, on_error))
    if problems:
        raise MalformedWorkflow(name, problems)
    return Workflow(
        name=name,
        version=version,
        trigger=trigger,
        steps=MappingProxyType(by_id),
        start=start,
        variables=MappingProxyType(dict(variables)),
        timeout_seconds=timeout_seconds,
        on_error=on_error,
        waiting_for=MappingProxyType({need: tuple(joins) for need, joins in waiting.items()}),
    )


def _problems(
    steps: tuple[Step, ...], by_id: Mapping[str, Step], start: tuple[str, ...], on_error: str | None
) -> Iterator[str]:
    if len(by_id) < len(steps):
        seen: set[str] = set()
        twice = {step.id for step in steps if step.id in seen or seen.add(step.id)}
        yield f"these step ids are used twice: {', '.join(sorted(twice))}"
    if not start:
        yield "it has no first step: every step is led to by another"
    for target in (on_error,) if on_error else ():
        if target not in by_id:
            yield f"on_error names '{target}', which is not a step"
    for step in steps:
        yield from (f"step '{step.id}' {fault}" for fault in _faults(step, by_id))
    yield from _cycles(steps, by_id)


def _faults(step: Step, by_id: Mapping[str, Step]) -> Iterator[str]:
    for target in step.targets():
        if target not in by_id and target not in (END, ORIGIN):
            yield f"leads to '{target}', which is not a step"
    for need in step.needs:
        if need not in by_id:
            yield f"needs '{need}', which is not a step"
    yield from _faults_of_kind(step)


def _faults_of_kind(step: Step) -> Iterator[str]:
    match step.kind:
        case Kind.ACTION if not (step.agent and step.action):
            yield "is an action and names no agent or no action"
        case Kind.GATEWAY if step.condition is None or not step.next or not step.otherwise:
            yield "is a gateway and needs condition, next and else"
        case Kind.HUMAN if not step.decisions:
            yield "is a human step and lists no decisions"
        case Kind.WAIT if (step.wait_seconds is None) == (step.not_before is None):
            yield "is a wait and needs either seconds or not_before"
        case _:
            pass


def _cycles(steps: tuple[Step, ...], by_id: Mapping[str, Step]) -> Iterator[str]:
    """A loop of gateways would never end, and a join inside a loop would mix its rounds."""
    for step in steps:
        if step.kind is Kind.GATEWAY and _reaches(step.id, step.id, by_id, through=Kind.GATEWAY):
            yield f"step '{step.id}' is a gateway in a loop of gateways alone"
        if step.needs and _reaches(step.id, step.id, by_id, through=None):
            yield f"step '{step.id}' joins branches and lies in a loop"


def _reaches(origin: str, goal: str, by_id: Mapping[str, Step], *, through: Kind | None) -> bool:
    joins: dict[str, list[str]] = {}
    for step in by_id.values():
        for need in step.needs:
            joins.setdefault(need, []).append(step.id)
    seen: set[str] = set()
    edge = [origin]
    while edge:
        step = by_id[edge.pop()]
        for target in (*step.targets(), *joins.get(step.id, ())):
            if target == goal:
                return True
            if target in by_id and target not in seen and (through is None or by_id[target].kind is through):
                seen.add(target)
                edge.append(target)
    return False
