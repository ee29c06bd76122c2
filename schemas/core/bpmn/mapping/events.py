"""Events: what is waited for, what breaks in, what begins, what is sent, what ends."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.core.bpmn.mapping.foreign.elements import read_value
from schemas.core.bpmn.mapping.foreign.timers import UnreadableTimer, schedule_of, time_of
from schemas.core.bpmn.mapping.level import Level, one
from schemas.core.bpmn.mapping.ways import following
from schemas.core.bpmn.model import ElementKind, EventDefinition, EventKind, FlowNode
from schemas.core.bpmn.own_fields import ANY_KEY, CATCH_PART, completed, has_mark

Fields = dict[str, Any]

_ANY_CODE: Final = "*"
_SENT: Final = (EventKind.MESSAGE, EventKind.SIGNAL)


# What is caught


def entry(event: EventDefinition, node: FlowNode, level: Level) -> Fields:
    """What is caught, without what follows."""
    read = _CAUGHT[event.kind](event, node, level)
    if not node.interrupts and event.kind is not EventKind.ERROR:
        read["interrupts"] = False
    level.record.entries[node.id] = read
    return completed(read, node.extensions, level.left_open(node), CATCH_PART)


def _message(event: EventDefinition, node: FlowNode, level: Level) -> Fields:
    read: Fields = {"message": _name(event, node, level, "message")}
    if has_mark(node.attributes, ANY_KEY):
        return read
    if key := level.record.keys.get(event.reference or ""):
        read["key"] = read_value(key, level.left_open(node))
    else:
        level.point(node, f"the message '{read['message']}' has no key by which its receiver is found", "key")
    return read


def _signal(event: EventDefinition, node: FlowNode, level: Level) -> Fields:
    return {"signal": _name(event, node, level, "signal")}


def _timer(event: EventDefinition, node: FlowNode, level: Level) -> Fields:
    try:
        return {"timer": time_of(event)}
    except UnreadableTimer as error:
        level.point(node, f"the timer has {error}", "timer", "until", "seconds", "not_before")
        return {"timer": "PT0S"}


def _conditional(event: EventDefinition, node: FlowNode, level: Level) -> Fields:
    if event.expression is None:
        level.point(node, "the event has no condition", "condition")
        return {"condition": "null"}
    return {"condition": level.condition(event.expression, node, "condition")}


def _coded(event: EventDefinition, *_: Any) -> Fields:
    return {event.kind.value: [event.name] if event.name else _ANY_CODE}


def _not_caught(event: EventDefinition, node: FlowNode, level: Level) -> Fields:
    level.point(node, f"nothing catches an event of the kind {event.kind.value} here")
    return {"signal": node.name or node.id}


_CAUGHT: Final[Mapping[EventKind, Callable[[EventDefinition, FlowNode, Level], Fields]]] = MappingProxyType(
    {
        EventKind.MESSAGE: _message,
        EventKind.SIGNAL: _signal,
        EventKind.TIMER: _timer,
        EventKind.CONDITIONAL: _conditional,
        EventKind.ERROR: _coded,
        EventKind.ESCALATION: _coded,
        EventKind.COMPENSATE: _not_caught,
        EventKind.LINK: _not_caught,
        EventKind.TERMINATE: _not_caught,
    }
)


def _name(event: EventDefinition, node: FlowNode, level: Level, field: str) -> str:
    if not event.name:
        level.point(node, f"the {event.kind.value} event has no name", field, "events")
    return event.name or node.name or node.id


def entries(node: FlowNode, level: Level) -> list[Fields]:
    """Everything that an event waits for."""
    return [entry(event, node, level) for event in node.events]


def catch(node: FlowNode, level: Level) -> Fields:
    """An intermediate event that waits."""
    if any(event.kind is EventKind.LINK for event in node.events):
        return {"type": "pass", **following(node, level)}
    if _behind_event_gateway(node, level):
        return {"type": "pass", **following(node, level)}
    if not node.events:
        level.point(node, "the event waits for nothing", "events", "seconds", "until", "not_before")
        return {"type": "wait", **following(node, level)}
    then = one(level.all_targets(node))
    return {"type": "wait", "events": [{**each, "next": then} for each in entries(node, level)]}


def _behind_event_gateway(node: FlowNode, level: Level) -> bool:
    return any(level.nodes[flow.source].kind is ElementKind.EVENT_GATEWAY for flow in level.coming(node))


def receive(node: FlowNode, level: Level) -> Fields:
    """A task that waits for a message."""
    if _behind_event_gateway(node, level):
        return {"type": "pass", **following(node, level)}
    if node.message is None:
        level.point(node, "the task receives no message", "events", "seconds", "until", "not_before")
        return {"type": "wait", **following(node, level)}
    received = entry(received_by(node), node, level)
    return {"type": "wait", "events": [{**received, "next": one(level.all_targets(node))}]}


def received_by(node: FlowNode) -> EventDefinition:
    """The message of a task as an event."""
    return EventDefinition(kind=EventKind.MESSAGE, reference=node.reference, name=node.message)


# What is sent, and what ends


def throw(node: FlowNode, level: Level) -> Fields:
    """An intermediate event that sends something, or does nothing."""
    if any(event.kind is EventKind.LINK for event in node.events):
        caught = level.linked(node)
        if len(caught) != 1:
            level.point(node, "the link leads to no event that catches it", "next")
        return {"type": "pass", **({"next": one(caught)} if caught else {})}
    if node.events and node.events[0].kind is EventKind.ESCALATION:
        level.point(node, "only the end of a branch reports an escalation; use an end event", "type")
        return {"type": "pass", **following(node, level)}
    return {**_thrown(node, level), **following(node, level)}


def _thrown(node: FlowNode, level: Level) -> Fields:
    if len(node.events) > 1:
        level.point(node, "the event sends several things at once; use one event for each", "type")
    event = next(iter(node.events), None)
    if event is None:
        return {"type": "pass"}
    if event.kind is EventKind.COMPENSATE:
        names = (
            {} if event.activity is None else {"for": level.record.ids.get(event.activity, event.activity)}
        )
        return {"type": "compensate", **names}
    if event.kind in _SENT:
        return {"type": "emit", event.kind.value: _name(event, node, level, event.kind.value)}
    level.point(node, f"an event of the kind {event.kind.value} cannot be sent", "type")
    return {"type": "pass"}


def end(node: FlowNode, level: Level) -> Fields:
    """An end event."""
    event = next(iter(node.events), None)
    if event is None:
        return {"type": "end"}
    if event.kind is EventKind.TERMINATE:
        return {"type": "end", "terminate": True}
    if event.kind in (EventKind.ERROR, EventKind.ESCALATION):
        return {"type": "end", event.kind.value: _name(event, node, level, event.kind.value)[:64]}
    return {**_thrown(node, level), "next": "end"}


# What begins


def start(node: FlowNode, level: Level) -> Fields:
    """A start event."""
    if level.inside_process:
        level.record.starts.append((node, _trigger(node, level)))
    elif node.events:
        level.point(node, "a sub-process begins when it is reached; put the event before it")
    return {"type": "pass", **following(node, level)}


def _trigger(node: FlowNode, level: Level) -> Fields | None:
    event = next(iter(node.events), None)
    if event is None:
        return None
    if len(node.events) > 1:
        level.point(node, "the start event has several triggers; use a start event for each")
    match event.kind:
        case EventKind.MESSAGE | EventKind.SIGNAL:
            return {event.kind.value: _name(event, node, level, "triggers")}
        case EventKind.TIMER:
            try:
                return {"schedule": schedule_of(event)}
            except UnreadableTimer as error:
                level.point(node, f"the timer has {error}")
        case EventKind.CONDITIONAL:
            level.point(node, "a condition begins no run; use an event, a message or a signal")
        case _:
            level.point(node, f"an event of the kind {event.kind.value} begins no run")
    return None
