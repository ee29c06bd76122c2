"""A step as a flow node, without what it leads to."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.core.bpmn.exporting.drawing import Drawing
from schemas.core.bpmn.exporting.written import expression, names, objects, said
from schemas.core.bpmn.model import BpmnExpression, ElementKind, EventDefinition, EventKind, Loop
from schemas.core.bpmn.own_fields import ANY_AGENT, ANY_KEY
from schemas.core.bpmn.xml.names import UNPEND

Fields = Mapping[str, Any]
Shape = dict[str, Any]
"""What is particular of a flow node."""

_NAME: Final = re.compile(r"[A-Za-z_][\w-]*")
_COLLECTION: Final = re.compile(r"\$\{([A-Za-z]\w*(?:\.[A-Za-z]\w*)*)\}")
_NEEDS_ACTIVITY: Final = ("on", "on_error", "compensate", "for_each", "repeat")
_SENT: Final = (EventKind.MESSAGE, EventKind.SIGNAL)
_CAUGHT: Final[Mapping[str, EventKind]] = MappingProxyType(
    {
        "message": EventKind.MESSAGE,
        "signal": EventKind.SIGNAL,
        "timer": EventKind.TIMER,
        "condition": EventKind.CONDITIONAL,
        "error": EventKind.ERROR,
        "escalation": EventKind.ESCALATION,
    }
)
_WORK: Final = ("agent", "action", "tool", "request")


def shape_of(step: Fields, drawing: Drawing) -> Shape:
    """The kind of a step's node, and what is particular of it."""
    draw = _SHAPES.get(str(step.get("type", "action")), _work)
    shape = draw(step, drawing)
    return {**shape, **(_loop(step) if is_activity(shape["kind"]) else {})}


def is_activity(kind: ElementKind) -> bool:
    """Whether events can be attached to it."""
    return kind.value.lower().endswith("task") or kind in (ElementKind.CALL_ACTIVITY, ElementKind.SUB_PROCESS)


def event_of(entry: Fields, drawing: Drawing) -> EventDefinition | None:
    """What is caught, as far as BPMN says it."""
    field = next((name for name in _CAUGHT if entry.get(name) is not None), None)
    if field is None:
        return None
    kind, value = _CAUGHT[field], entry[field]
    match kind:
        case EventKind.TIMER:
            return _timer(value)
        case EventKind.CONDITIONAL:
            return EventDefinition(kind=kind, expression=expression(value))
        case EventKind.MESSAGE | EventKind.SIGNAL:
            return _named(kind, value, drawing)
        case _:
            codes = [each for each in names(value) if each != "*"]
            return _named(kind, codes[0] if len(codes) == 1 else None, drawing)


def marks_of(entry: Fields) -> dict[str, str]:
    """What is to be known of an event besides."""
    return {ANY_KEY: "true"} if entry.get("message") is not None and "key" not in entry else {}


def _named(kind: EventKind, name: Any, drawing: Drawing) -> EventDefinition:
    text = said(name)
    if not text:
        return EventDefinition(kind=kind)
    return EventDefinition(kind=kind, reference=drawing.reference(kind, text), name=text)


def _timer(value: Any) -> EventDefinition:
    text = f"PT{value}S" if isinstance(value, (int, float)) else said(value)
    timer = "timeDuration" if text.startswith("P") or "${" in text or not text else "timeDate"
    written = BpmnExpression(text=text, language=UNPEND) if text else None
    return EventDefinition(kind=EventKind.TIMER, timer=timer, expression=written)


def _work(step: Fields, _: Drawing) -> Shape:
    bound = any(name in step for name in (*_WORK, "type"))
    return {"kind": ElementKind.SERVICE_TASK, **({} if bound else {"attributes": {ANY_AGENT: "true"}})}


def _set(*_: Any) -> Shape:
    return {"kind": ElementKind.SCRIPT_TASK}


def _pass(step: Fields, _: Drawing) -> Shape:
    return {"kind": ElementKind.TASK if _asks_for_activity(step) else ElementKind.THROW_EVENT}


def _emit(step: Fields, drawing: Drawing) -> Shape:
    kind = next((kind for kind in _SENT if said(step.get(kind.value))), None)
    if kind is None or "event" in step:
        return {"kind": ElementKind.SEND_TASK}
    event = _named(kind, step[kind.value], drawing)
    if not _asks_for_activity(step):
        return {"kind": ElementKind.THROW_EVENT, "events": (event,)}
    if kind is EventKind.MESSAGE:
        return {"kind": ElementKind.SEND_TASK, "reference": event.reference, "message": event.name}
    return {"kind": ElementKind.SEND_TASK}


def _gateway(step: Fields, _: Drawing) -> Shape:
    modes = {"parallel": ElementKind.PARALLEL_GATEWAY, "inclusive": ElementKind.INCLUSIVE_GATEWAY}
    return {"kind": modes.get(str(step.get("mode")), ElementKind.EXCLUSIVE_GATEWAY)}


def _wait(step: Fields, drawing: Drawing) -> Shape:
    entries = objects(step.get("events"))
    if _asks_for_activity(step):
        return {"kind": ElementKind.RECEIVE_TASK}
    if len(entries) > 1:
        return {"kind": ElementKind.EVENT_GATEWAY}
    if entries:
        event = event_of(entries[0], drawing)
        events = () if event is None else (event,)
        return {"kind": ElementKind.CATCH_EVENT, "events": events, "attributes": marks_of(entries[0])}
    return {"kind": ElementKind.CATCH_EVENT, "events": (_timer(_time_of(step)),)}


def _time_of(step: Fields) -> Any:
    if isinstance(step.get("not_before"), str):
        return f"${{{step['not_before']}}}"
    return step.get("seconds", step.get("until"))


def _human(*_: Any) -> Shape:
    return {"kind": ElementKind.USER_TASK}


def _call(step: Fields, _: Drawing) -> Shape:
    called = said(step.get("workflow"))
    return {"kind": ElementKind.CALL_ACTIVITY, "called": called if _NAME.fullmatch(called) else None}


def _scope(*_: Any) -> Shape:
    return {"kind": ElementKind.SUB_PROCESS}


def _compensate(step: Fields, drawing: Drawing) -> Shape:
    if _asks_for_activity(step):
        return {"kind": ElementKind.TASK}
    whose = names(step.get("for"))
    activity = drawing.nodes.get(whose[0]) if len(whose) == 1 else None
    return {
        "kind": ElementKind.THROW_EVENT,
        "events": (EventDefinition(kind=EventKind.COMPENSATE, activity=activity),),
    }


def _end(step: Fields, drawing: Drawing) -> Shape:
    events: tuple[EventDefinition, ...] = ()
    if said(step.get("error")):
        events = (_named(EventKind.ERROR, step["error"], drawing),)
    elif said(step.get("escalation")):
        events = (_named(EventKind.ESCALATION, step["escalation"], drawing),)
    elif step.get("terminate") is True:
        events = (EventDefinition(kind=EventKind.TERMINATE),)
    return {"kind": ElementKind.END_EVENT, "events": events}


_SHAPES: Final[Mapping[str, Callable[[Fields, Drawing], Shape]]] = MappingProxyType(
    {
        "set": _set,
        "pass": _pass,
        "emit": _emit,
        "gateway": _gateway,
        "wait": _wait,
        "human": _human,
        "workflow": _call,
        "scope": _scope,
        "compensate": _compensate,
        "end": _end,
    }
)


def _asks_for_activity(step: Fields) -> bool:
    return any(step.get(name) for name in _NEEDS_ACTIVITY)


def _loop(step: Fields) -> Shape:
    each, again = step.get("for_each"), step.get("repeat")
    if isinstance(each, Mapping):
        items = _COLLECTION.fullmatch(str(each.get("in")))
        loop = Loop(
            multi=True,
            items=None if items is None else BpmnExpression(text=items.group(1)),
            element=said(each.get("as")) or None,
            sequential=each.get("mode") == "sequential",
            until=expression(each.get("until")),
        )
        return {"loop": loop}
    if isinstance(again, Mapping):
        most = again.get("max")
        loop = Loop(condition=expression(again.get("while")), most=most if isinstance(most, int) else None)
        return {"loop": loop}
    return {}
