"""What BPMN cannot say of a definition, in its files: the elements and attributes of `urn:unpend:bpmn:1`.

`<unpend:field name="parameters">JSON</unpend:field>` adds a field to what BPMN says of an element. Where BPMN says
the same in another form, `<unpend:form read="JSON">JSON</unpend:form>` has both; it holds while BPMN still says what it
read, so that what somebody changes in a modeller counts.
"""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import orjson

from schemas.core.bpmn.model import XmlNode
from schemas.core.bpmn.xml.names import UNPEND
from schemas.core.definition.text import unstorable

FIELD: Final = f"{{{UNPEND}}}field"
FORM: Final = f"{{{UNPEND}}}form"
ADDED: Final = f"{{{UNPEND}}}added"
"""Of a node or a flow that is there for BPMN's sake alone."""
DECISIONS: Final = f"{{{UNPEND}}}decisions"
"""Of an exclusive gateway whose flows are the answers of the human step before it."""
NEEDS: Final = f"{{{UNPEND}}}needs"
"""Of an added gateway to which the steps lead that the step after it needs."""
TARGETS: Final = f"{{{UNPEND}}}targets"
"""Of an added gateway that stands for several targets of one branch."""
TARGET: Final = f"{{{UNPEND}}}target"
"""Of an added end event: the target that it stands for, where it is not the end."""
STEP: Final = f"{{{UNPEND}}}id"
"""The id of a step, where another element of the file has it."""
ANY_KEY: Final = f"{{{UNPEND}}}without_key"
"""Of an event: that its message is meant to have no key."""
ANY_AGENT: Final = f"{{{UNPEND}}}any_agent"
"""Of a task: that any agent is meant to do it."""
ON_ERROR: Final = f"{{{UNPEND}}}on_error"
"""Of a boundary event: that it is the `on_error` of its step."""
VERSION: Final = f"{{{UNPEND}}}version"

STEP_PART: Final = "step"
CATCH_PART: Final = "catch"
"""What a field or form is about, by its attribute `of`: the step, or the event that is caught."""

_NESTED: Final = ("for_each", "repeat")
_WAYS: Final = frozenset({"next", "condition", "else", "decisions", "events"})
_ENDS_OF_WAIT: Final = frozenset({"seconds", "until", "not_before"})
_UNWRITABLE: Final = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}
"""Characters that XML does not have, within the texts of JSON."""


def has_mark(attributes: Mapping[str, str], mark: str) -> bool:
    """Whether an element carries this mark."""
    return attributes.get(mark) == "true"


def is_own(node: XmlNode) -> bool:
    """Whether this is a field or a form."""
    return node.tag in (FIELD, FORM)


def names_said(extensions: Collection[XmlNode], part: str = STEP_PART) -> frozenset[str]:
    """The fields that are said in this namespace."""
    found: set[str] = set()
    for node in extensions:
        if node.attributes.get("of", STEP_PART) != part:
            continue
        if node.tag == FIELD:
            found.add(node.attributes.get("name", ""))
        elif node.tag == FORM:
            found |= {*_object(node.text), *_object(node.attributes.get("read", ""))}
    return frozenset(found)


def completed(
    read: Mapping[str, Any],
    extensions: Collection[XmlNode],
    unread: Callable[[str], None],
    part: str = STEP_PART,
) -> dict[str, Any]:
    """What BPMN says, with what is said besides.

    Args:
        read: What BPMN says.
        extensions: Of the element.
        unread: Told of what cannot be read.
        part: What it is about.
    """
    flat = _flat(read)
    said = dict(flat)
    for node in extensions:
        if not is_own(node) or node.attributes.get("of", STEP_PART) != part:
            continue
        try:
            written = _read(node.text)
            was = _read(node.attributes.get("read", "{}"))
        except ValueError:
            unread(f"'{node.text:.80}' is no JSON that a definition can hold")
            continue
        if node.tag == FIELD:
            said[node.attributes.get("name", "")] = written
        elif isinstance(written, dict) and isinstance(was, dict) and _holds(was, written, flat):
            said = {name: value for name, value in said.items() if name not in was} | written
    return _deep(said)


def own_fields(
    read: Mapping[str, Any], wanted: Mapping[str, Any], part: str = STEP_PART
) -> tuple[XmlNode, ...]:
    """What must be said besides, so that what BPMN says becomes what is wanted."""
    one, other = _flat(read), _flat(wanted)
    differing = {name for name in one if name not in other or not same(one[name], other[name])}
    group = _WAYS | (_ENDS_OF_WAIT if other.get("type") == "wait" else frozenset())
    together = group if differing & group else frozenset()
    forms = [frozenset({name}) for name in sorted(differing - together)]
    nodes = [
        _field(name, value, part)
        for name, value in sorted(other.items())
        if name not in one and name not in together
    ]
    for names in (*forms, *((together,) if together else ())):
        was = {name: one[name] for name in sorted(names & one.keys())}
        becomes = {name: other[name] for name in sorted(names & other.keys())}
        nodes.append(XmlNode(tag=FORM, attributes={"read": _text(was), **_of(part)}, text=_text(becomes)))
    return tuple(nodes)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; `1` and `true`, or `1` and `1.0`, are not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _holds(was: Mapping[str, Any], written: Mapping[str, Any], read: Mapping[str, Any]) -> bool:
    """Whether BPMN still says what a form read, and nothing in the place of what it writes."""
    return all(name in read and same(value, read[name]) for name, value in was.items()) and not any(
        name in read for name in written if name not in was
    )


def _field(name: str, value: Any, part: str) -> XmlNode:
    return XmlNode(tag=FIELD, attributes={"name": name, **_of(part)}, text=_text(value))


def _of(part: str) -> dict[str, str]:
    return {} if part == STEP_PART else {"of": part}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).translate(_UNWRITABLE)


def _read(text: str) -> Any:
    """The JSON of this text.

    Raises:
        ValueError: It is none, or none that a definition can hold.
    """
    found = orjson.loads(text)
    if next(unstorable(found), None) is not None:
        raise ValueError(text)
    return found


def _object(text: str) -> dict[str, Any]:
    try:
        found = _read(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, those of loops each by itself."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _NESTED and isinstance(value, Mapping) and value:
            flat |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    return flat


def _deep(fields: Mapping[str, Any]) -> dict[str, Any]:
    deep: dict[str, Any] = {}
    for name, value in fields.items():
        holder, dot, inner = name.partition(".")
        if dot and holder in _NESTED:
            deep.setdefault(holder, {})[inner] = value
        else:
            deep[name] = value
    return deep
