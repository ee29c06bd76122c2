"""Parts of a definition as it was written, read with care: a draft may have anything in any place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from schemas.core.bpmn.model import BpmnExpression
from schemas.core.bpmn.xml.names import UNPEND

Fields = Mapping[str, Any]

_SAYABLE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")


def said(value: Any) -> str:
    """A text that an attribute can hold as it is; empty where it cannot."""
    return value if isinstance(value, str) and _SAYABLE.fullmatch(value) and value == value.strip() else ""


def expression(value: Any) -> BpmnExpression | None:
    """An expression of ours; on one line, and null where XML cannot hold it: its form says how it is written."""
    if not isinstance(value, str):
        return None
    text = said(value.strip()) or said(" ".join(value.split())) or "null"
    return BpmnExpression(text=text, language=UNPEND)


def several(value: Any) -> list[Any]:
    """One as a list, none as an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def names(value: Any) -> list[str]:
    """One name or several."""
    return [each for each in several(value) if isinstance(each, str)]


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [each for each in several(value) if isinstance(each, Mapping)]


def undoes_alone(step: Fields) -> bool:
    """Whether a step is work that nothing follows, and that needs nothing."""
    return step.get("type", "action") in ("action", "tool", "http") and not (
        step.get("next") or step.get("needs")
    )


def without_next(entry: Fields) -> Fields:
    """What is caught, without what follows."""
    return {name: value for name, value in entry.items() if name != "next"}


def targets_of(step: Fields) -> Iterator[str]:
    """Everything that a step leads to."""
    yield from ways_to(step)
    yield from names(step.get("compensate"))


def ways_to(step: Fields) -> Iterator[str]:
    """Everything that a step leads to but what undoes it."""
    yield from names(step.get("next"))
    yield from names(step.get("else"))
    yield from names(step.get("on_error"))
    decisions = step.get("decisions")
    for target in decisions.values() if isinstance(decisions, Mapping) else ():
        yield from names(target)
    for entry in (*objects(step.get("next")), *objects(step.get("events")), *objects(step.get("on"))):
        yield from names(entry.get("to"))
        yield from names(entry.get("next"))
