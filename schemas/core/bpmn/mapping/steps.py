"""The flow nodes of a process or sub-process as steps, each by the function of its element."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.core.bpmn.mapping import activities, events, gateways
from schemas.core.bpmn.mapping.level import Level, one
from schemas.core.bpmn.mapping.loops import loop_of
from schemas.core.bpmn.model import ElementKind, EventKind, FlowNode, Inside
from schemas.core.bpmn.own_fields import ON_ERROR, completed, has_mark
from schemas.core.definition.step_body import StepBody
from schemas.core.definition.validation import names_of_fields

Fields = dict[str, Any]

ELEMENTS: Final[Mapping[ElementKind, Callable[[FlowNode, Level], Fields]]] = MappingProxyType(
    {
        ElementKind.TASK: activities.task,
        ElementKind.USER_TASK: activities.human,
        ElementKind.MANUAL_TASK: activities.human,
        ElementKind.SERVICE_TASK: activities.task,
        ElementKind.SEND_TASK: activities.send,
        ElementKind.RECEIVE_TASK: events.receive,
        ElementKind.SCRIPT_TASK: activities.script,
        ElementKind.BUSINESS_RULE_TASK: activities.task,
        ElementKind.CALL_ACTIVITY: activities.call,
        ElementKind.SUB_PROCESS: activities.sub_process,
        ElementKind.EXCLUSIVE_GATEWAY: gateways.exclusive,
        ElementKind.INCLUSIVE_GATEWAY: gateways.inclusive,
        ElementKind.PARALLEL_GATEWAY: gateways.parallel,
        ElementKind.COMPLEX_GATEWAY: gateways.counting,
        ElementKind.EVENT_GATEWAY: gateways.by_event,
        ElementKind.START_EVENT: events.start,
        ElementKind.END_EVENT: events.end,
        ElementKind.CATCH_EVENT: events.catch,
        ElementKind.THROW_EVENT: events.throw,
    }
)
"""Boundary events are entries of `on` of their hosts."""

_ORDER: Final = {name: at for at, name in enumerate(names_of_fields(StepBody))}
_LAST: Final = ("next", "else", "decisions", "events", "on_error", "on", "compensate")


def steps_of(level: Level) -> list[Fields]:
    """The steps of a process or sub-process."""
    steps: list[Fields] = []
    for node in level.steps():
        steps.append(_step(node, level))
        if node.inside is not None:
            steps += _lifted(node.inside, steps[-1], level)
    return [*steps, *level.invented]


def _lifted(inside: Inside, scope: Fields, level: Level) -> Iterator[Fields]:
    """The event sub-processes of a sub-process: steps beside it, for what breaks in leads there; then it goes on."""
    for node in inside.nodes:
        if not node.by_event or node.inside is None:
            continue
        starts = [each for each in node.inside.nodes if each.kind is ElementKind.START_EVENT]
        goes_on = "next" in scope and any(each.interrupts for each in starts)
        yield {**_step(node, level), **({"next": scope["next"]} if goes_on else {})}


def broken_in(level: Level) -> list[Fields]:
    """What breaks in upon a process or sub-process: the event sub-processes in it."""
    found: list[Fields] = []
    for node in level.inside.nodes:
        if not node.by_event or node.inside is None:
            continue
        starts = [each for each in node.inside.nodes if each.kind is ElementKind.START_EVENT and each.events]
        if not starts:
            level.point(node, "the event sub-process has no event that begins it")
        for each in starts:
            if each.events[0].kind is EventKind.COMPENSATE:
                level.point(each, "undo a sub-process by a compensation event at its border")
                continue
            caught = (events.entry(event, each, level) for event in each.events)
            found += [{**fields, "next": level.record.ids[node.id]} for fields in caught]
    return found


def _step(node: FlowNode, level: Level) -> Fields:
    read: Fields = {"id": level.record.ids[node.id]}
    if node.name:
        read["title"] = node.name
    if lane := level.lane(node):
        read["lane"] = lane
    read |= ELEMENTS[node.kind](node, level)
    if needs := level.needs(node):
        read["needs"] = needs
    read |= loop_of(node, level)
    read |= _border(node, level)
    if node.inside is not None:
        inner = Level(node.inside, level.record, by_event=node.by_event)
        read["steps"] = steps_of(inner)
        if found := broken_in(inner):
            read["on"] = [*read.get("on", ()), *found]
    level.record.steps[node.id] = read
    return ordered(completed(read, node.extensions, level.left_open(node)))


def _border(node: FlowNode, level: Level) -> Fields:
    """What breaks in upon an activity, and what undoes it."""
    read: Fields = {}
    for event in level.attached(node):
        targets = level.all_targets(event)
        if any(each.kind is EventKind.COMPENSATE for each in event.events):
            read |= _compensation(event, level)
        elif has_mark(event.attributes, ON_ERROR) and len(targets) == 1:
            read["on_error"] = targets[0]
        else:
            if not event.events:
                level.point(event, "the event at the border is about nothing")
            caught = events.entries(event, level)
            read.setdefault("on", []).extend({**each, "next": one(targets)} for each in caught)
    return {name: value for name, value in read.items() if value}


def _compensation(event: FlowNode, level: Level) -> Fields:
    undoing = (target for source, target in level.inside.associations if source == event.id)
    found = next((level.record.ids[each] for each in undoing if each in level.record.ids), None)
    if found is None:
        level.point(event, "the compensation event leads to nothing that undoes", "compensate")
        return {}
    return {"compensate": found}


def ordered(step: Mapping[str, Any]) -> Fields:
    """The fields in the order in which they are read best."""
    return dict(
        sorted(
            step.items(),
            key=lambda each: (each[0] == "steps", each[0] in _LAST, _ORDER.get(each[0], len(_ORDER))),
        )
    )
