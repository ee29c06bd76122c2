"""Checks what a step of each kind needs, and what it never reads."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from statemachine.workflow.options.gateways import GatewayMode
from statemachine.workflow.options.human import NO_RULES
from statemachine.workflow.options.loops import ForEach, Repeat
from statemachine.workflow.step import Kind, Step

_ALL: Final = frozenset(Kind)
_OPEN: Final = frozenset({Kind.ACTION, Kind.HUMAN, Kind.WAIT, Kind.WORKFLOW, Kind.SCOPE, Kind.COMPENSATE})
"""The kinds of steps that take time."""

_READ_BY: Final[Mapping[str, frozenset[Kind]]] = MappingProxyType(
    {
        "agent": frozenset({Kind.ACTION, Kind.HUMAN, Kind.WAIT}),
        "action": frozenset({Kind.ACTION, Kind.HUMAN, Kind.WAIT}),
        "condition": frozenset({Kind.GATEWAY}),
        "otherwise": frozenset({Kind.GATEWAY}),
        "next": _ALL - {Kind.HUMAN, Kind.STOP},
        "branches": _ALL - {Kind.HUMAN, Kind.STOP},
        "decisions": frozenset({Kind.HUMAN}),
        "deadline_seconds": frozenset({Kind.HUMAN}),
        "inline": frozenset({Kind.ACTION}),
        "not_before": frozenset({Kind.ACTION, Kind.WAIT}),
        "wait_seconds": frozenset({Kind.WAIT}),
        "until": frozenset({Kind.WAIT}),
        "catches": frozenset({Kind.WAIT}),
        "parameters": frozenset({Kind.ACTION, Kind.WORKFLOW}),
        "retry": frozenset({Kind.ACTION}),
        "writes": _ALL - {Kind.GATEWAY, Kind.STOP, Kind.EMIT, Kind.PASS},
        "loop": frozenset({Kind.ACTION, Kind.HUMAN, Kind.WAIT, Kind.WORKFLOW, Kind.SCOPE}),
        "on": _OPEN,
        "compensation": _OPEN - {Kind.WAIT, Kind.COMPENSATE},
        "compensates": frozenset({Kind.COMPENSATE}),
        "timeout_seconds": _OPEN,
        "start_seconds": frozenset({Kind.ACTION}),
        "concurrency": frozenset({Kind.ACTION}),
        "rate": frozenset({Kind.ACTION}),
        "stop": frozenset({Kind.STOP}),
        "emission": frozenset({Kind.EMIT}),
        "call": frozenset({Kind.WORKFLOW}),
    }
)
"""The kinds that read an option; one that is set elsewhere would be a hope that nobody fulfils."""

_WRITTEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "otherwise": "else",
        "wait_seconds": "seconds",
        "catches": "events",
        "branches": "next",
        "writes": "set",
        "loop": "for_each or repeat",
        "compensation": "compensate",
        "compensates": "for",
        "call": "workflow",
    }
)
"""Options that people write by another name than the grammar's."""


_OF_SEVERAL: Final = frozenset({"loop", "writes"})
"""Options that stand in one of several fields."""


def faults_of_kind(step: Step) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return what a step lacks or has in vain, for its kind, each with its field where there is one."""
    yield from (((), fault) for fault in _lacks(step))
    for option, kinds in _READ_BY.items():
        if step.kind not in kinds and getattr(step, option):
            written = _WRITTEN.get(option, option)
            at = () if option in _OF_SEVERAL else (written,)
            yield at, f"is of type {step.kind} and has '{written}', which has no effect there"
    if step.kind is not Kind.GATEWAY and step.mode is not GatewayMode.EXCLUSIVE:
        yield ("mode",), f"is of type {step.kind} and has 'mode', which has no effect there"
    if step.kind is not Kind.HUMAN and step.human != NO_RULES:
        yield (), f"is of type {step.kind} and has rules of a human step, which have no effect there"
    yield from (((), fault) for fault in _faults_together(step))


def _faults_together(step: Step) -> Iterator[str]:
    """Options that do not go together."""
    yield from _faults_of_join(step)
    if isinstance(step.loop, Repeat) and step.needs and len(step.needs) > 1 and step.join is not None:
        yield "is repeated and joins branches by count; let a gateway join them before"
    if isinstance(step.loop, ForEach) and (step.kind is Kind.HUMAN or step.catches):
        yield "has several ways to go on, and is done for each element; put it into a scope that is"
    if step.inline and (step.loop or step.on or step.writes or step.branches):
        yield "is inline and has more than what follows it; only a step of its own can have that"


def _lacks(step: Step) -> Iterator[str]:
    match step.kind:
        case Kind.ACTION if step.choice is None and not (step.agent and step.action):
            yield "is an action and names no agent or no action"
        case Kind.GATEWAY:
            yield from _lacks_of_gateway(step)
        case Kind.HUMAN if not step.decisions:
            yield "is a human step and lists no decisions"
        case Kind.WAIT if _ways_to_end(step) != 1:
            yield "is a wait and needs either seconds, not_before, until or events"
        case Kind.SET if not step.writes:
            yield "sets nothing"
        case Kind.EMIT if step.emission is None:
            yield "emits neither a message, a signal nor an event"
        case Kind.WORKFLOW if step.call is None:
            yield "begins a workflow and does not name it"
        case Kind.STOP if step.stop is not None and (
            sum((step.stop.error is not None, step.stop.escalation is not None, step.stop.terminates)) > 1
        ):
            yield "is an end and has more than one of error, escalation, terminate"
        case _:
            pass


def _lacks_of_gateway(step: Step) -> Iterator[str]:
    targets = bool(step.next or step.branches)
    if step.condition is not None:
        if step.branches or step.mode is not GatewayMode.EXCLUSIVE:
            yield "is a gateway with a condition, beside which only next and else stand"
        if not step.next or not step.otherwise:
            yield "is a gateway and needs condition, next and else"
    elif step.mode is GatewayMode.PARALLEL and step.branches:
        yield "is a parallel gateway, whose branches have no conditions"
    elif step.mode is not GatewayMode.PARALLEL and step.join is None and not step.branches:
        yield "is a gateway and needs condition, next and else"
    elif step.otherwise and not step.branches:
        yield "is a gateway with 'else' and without a condition"
    elif step.otherwise and any(branch.condition is None for branch in step.branches):
        yield "has a branch without 'if', which is taken where no other is, beside an 'else', which never is"
    elif not targets:
        yield "is a gateway that leads nowhere"


def _faults_of_join(step: Step) -> Iterator[str]:
    if step.join is None:
        return
    if step.kind is not Kind.GATEWAY and len(step.needs) < 2:  # noqa: PLR2004 - fewer are no join
        yield "has 'join', which only a gateway has, or a step that needs several"
    elif step.join.count is not None and step.needs and step.join.count > len(step.needs):
        yield f"waits for {step.join.count} of {len(step.needs)} steps"


def _ways_to_end(step: Step) -> int:
    """How many of the fields are set of which a wait has one."""
    ways = (step.wait_seconds, step.not_before, step.until, step.catches or None)
    return sum(way is not None for way in ways)
