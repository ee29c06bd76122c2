"""Loops of activities as `for_each` and `repeat`."""

import re
from typing import Any, Final

from schemas.core.bpmn.mapping.foreign import camunda, zeebe
from schemas.core.bpmn.mapping.foreign.elements import read_value
from schemas.core.bpmn.mapping.level import Level
from schemas.core.bpmn.model import FlowNode, Loop

Fields = dict[str, Any]

_PATH: Final = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*")
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_MOST: Final = 10_000


def loop_of(node: FlowNode, level: Level) -> Fields:
    """How often an activity is done."""
    if node.loop is None:
        return {}
    return _for_each(node, node.loop, level) if node.loop.multi else _repeat(node, node.loop, level)


def _repeat(node: FlowNode, loop: Loop, level: Level) -> Fields:
    if loop.tests_before:
        level.point(
            node, "the loop asks before its first time, and ours after it; put a gateway before", "repeat"
        )
    condition = "true"
    if loop.condition is not None:
        condition = level.condition(loop.condition, node, "repeat", "repeat.while")
    if loop.most is None:
        level.point(node, "the loop has no bound; say how often at most", "repeat", "repeat.max")
        return {"repeat": {"while": condition}}
    return {"repeat": {"while": condition, "max": min(max(loop.most, 1), _MOST)}}


def _for_each(node: FlowNode, loop: Loop, level: Level) -> Fields:
    items, name = _items(node, loop, level)
    each: Fields = {} if items is None else {"in": items}
    if items is None and loop.count is None:
        level.point(node, "the loop has no collection; say over what it goes", "for_each", "for_each.in")
    if _VARIABLE.fullmatch(name):
        each["as"] = name
    elif name:
        level.point(node, f"an element may not be called '{name}'", "for_each", "for_each.as")
    if loop.sequential:
        each["mode"] = "sequential"
    if loop.until is not None:
        each["until"] = level.condition(loop.until, node, "for_each", "for_each.until")
    return {"for_each": each}


def _items(node: FlowNode, loop: Loop, level: Level) -> tuple[Any, str]:
    """The collection, and what an element of it is called."""
    of_zeebe = zeebe.loop(loop.kept)
    if written := of_zeebe.get("inputCollection", ""):
        return read_value(written, level.left_open(node)), of_zeebe.get("inputElement", "")
    collection, name = camunda.collection(loop)
    text = collection or ("" if loop.items is None else loop.items.text.strip())
    name = name or loop.element or ""
    if _PATH.fullmatch(text):
        return f"${{{text}}}", name
    if text:
        return read_value(text, level.left_open(node)), name
    return _counted(node, loop, level), name


def _counted(node: FlowNode, loop: Loop, level: Level) -> list[int] | None:
    """A list of a constant length."""
    if loop.count is None:
        return None
    text = loop.count.text.strip().removeprefix("=").strip().removeprefix("${").removesuffix("}").strip()
    count = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST)) else _MOST + 1
    if count > _MOST:
        words = f"how often ('{loop.count.text.strip():.200}') is calculated; name a collection"
        level.point(node, words, "for_each.in")
        return None
    return list(range(count))
