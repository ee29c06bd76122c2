"""The form of a question: drawn from its JSON Schema (2020-12), read back, each fault beside its field."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from console.server.form import FieldFault, Form
from schemas.core.parameters import SAID
from schemas.core.problems import Problem

NAME: Final = "answer."
"""What the names of the fields begin with."""
WHOLE: Final = "answer"
"""The name under which a fault of the whole form stands."""
_LONG: Final = 120
"""Characters from which on a text is given more than a line."""
_FAULT: Final = "people.question.fault"
_RULES: Final = {
    rule: re.compile(re.escape(said).replace(re.escape("{}"), "(?P<limit>.*)"))
    # What says more comes first: "must be at least 1" is a "must be …", too.
    for rule, said in sorted(SAID.items(), key=lambda item: -len(item[1]))
}
_DRAWN: Final = frozenset({"string", "number", "integer", "boolean"})
_SINGLE_LINE: Final = {"date": "date", "email": "email", "uri": "url"}


class Unreadable(ValueError):
    """What was typed is nothing of the kind that the field holds; `key` says what, for people."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionField:
    """A field of the form, with what was typed into it."""

    key: str
    kind: str
    """`text`, `long`, `number`, `integer`, `boolean`, `choice`, `choices`; `json` for whatever else there may be."""
    title: str
    description: str
    is_required: bool
    options: Sequence[tuple[str, str]]
    """What is sent for each choice, and how it reads."""
    shape: str
    """The type of the browser's field."""
    longest: int | None
    bounds: tuple[str, str]
    """The least and the greatest number, as text; empty where there is none."""
    typed: Sequence[str]

    @property
    def name(self) -> str:
        """The field's name in the form."""
        return NAME + self.key

    @property
    def value(self) -> str:
        """What stands in a field that holds one value."""
        return self.typed[-1] if self.typed else ""


def fields_of(schema: Mapping[str, Any] | None, form: Form) -> list[QuestionField]:
    """The fields of a question's form, those that it requires first, in their order; filled as they were left."""
    properties = (schema or {}).get("properties")
    required = list((schema or {}).get("required", ()))
    if not isinstance(properties, Mapping):
        return []
    # The order of an object's fields is not kept with the question; that of a list is.
    in_order = dict.fromkeys([*(key for key in required if key in properties), *properties])
    return [_field(key, properties[key], form, is_required=key in required) for key in in_order]


def answer_in(schema: Mapping[str, Any], form: Form) -> tuple[dict[str, Any], dict[str, FieldFault]]:
    """What was filled in, as the JSON that is answered; and what cannot be read of it, by the field's name.

    A field that was left empty is left out: whether it may be is said by the schema.
    """
    found: dict[str, Any] = {}
    faults: dict[str, FieldFault] = {}
    for field in fields_of(schema, form):
        typed = [each for each in form.all(field.name) if each.strip()]
        if not typed:
            if field.kind == "choices" and field.is_required:
                found[field.key] = []
            continue
        try:
            found[field.key] = _read(field, typed)
        except Unreadable as error:
            faults[field.name] = FieldFault(f"{_FAULT}.{error.key}")
    return found, faults


def faults_of(problems: Iterable[Problem], schema: Mapping[str, Any] | None) -> dict[str, FieldFault]:
    """Problems of an answer by the name of the field that each is about; those of no field are the whole form's."""
    known = (schema or {}).get("properties", {})
    found: dict[str, FieldFault] = {}
    for problem in problems:
        first, *place = problem.field.split(".")
        if first == "note":
            found.setdefault("reason", _fault(problem, ()))
        elif first == "form" and place and place[0] in known:
            found.setdefault(NAME + place[0], _fault(problem, place[1:]))
        elif first == "form":
            found.setdefault(WHOLE, _fault(problem, place))
        else:
            found.setdefault("choice", FieldFault("people.reviews.fault.choice"))
    return found


def _fault(problem: Problem, place: Sequence[str]) -> FieldFault:
    """The words for a problem; `place` leads to it within its field, as a JSON Pointer does."""
    pointer = "".join(f"/{part}" for part in place)
    at = f"{pointer}: " if pointer else ""
    if problem.message == "is required":
        return FieldFault(f"{_FAULT}.required", {"at": at})
    for rule, pattern in _RULES.items():
        said = pattern.fullmatch(problem.message)
        if said is not None:
            return FieldFault(f"{_FAULT}.{rule}", {"at": at, **said.groupdict()})
    return FieldFault(f"{_FAULT}.other", {"at": at, "message": problem.message})


def _field(key: str, part: Any, form: Form, *, is_required: bool) -> QuestionField:
    schema: Mapping[str, Any] = part if isinstance(part, Mapping) else {}
    kind, options = _kind_of(schema)
    default = [_sent(kind, each) for each in _defaults(kind, schema)] if not form.fields else []
    return QuestionField(
        key=key,
        kind=kind,
        title=str(schema.get("title") or key),
        description=str(schema.get("description") or ""),
        is_required=is_required,
        options=options,
        shape=_SINGLE_LINE.get(str(schema.get("format")), "text"),
        longest=_whole(schema.get("maxLength")),
        bounds=(_number(schema.get("minimum")), _number(schema.get("maximum"))),
        typed=form.all(NAME + key) or default,
    )


def _kind_of(schema: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """How a field is drawn, and its choices."""
    offered = schema.get("enum")
    if isinstance(offered, list):
        return "choice", _options(offered)
    kinds = schema.get("type")
    several = [each for each in (kinds if isinstance(kinds, list) else [kinds]) if each != "null"]
    kind = several[0] if len(several) == 1 else None
    if kind == "array":
        items = schema.get("items")
        each = items.get("enum") if isinstance(items, Mapping) else None
        return ("choices", _options(each)) if isinstance(each, list) else ("json", [])
    if kind not in _DRAWN:
        return "json", []
    if kind != "string":
        return str(kind), []
    longest = _whole(schema.get("maxLength"))
    is_long = "format" not in schema and (longest is None or longest > _LONG)
    return ("long" if is_long else "text"), []


def _options(offered: Iterable[Any]) -> list[tuple[str, str]]:
    return [(_written(each), each if isinstance(each, str) else _written(each)) for each in offered]


def _defaults(kind: str, schema: Mapping[str, Any]) -> Iterator[Any]:
    if "default" in schema:
        value = schema["default"]
        yield from value if kind == "choices" and isinstance(value, list) else [value]


def _sent(kind: str, value: Any) -> str:
    """A value as its field sends it."""
    return value if kind in ("text", "long") and isinstance(value, str) else _written(value)


def _read(field: QuestionField, typed: Sequence[str]) -> Any:
    """The value that was typed.

    Raises:
        Unreadable: it is nothing of the field's kind.
    """
    last = typed[-1].strip()
    match field.kind:
        case "text" | "long":
            return last.replace("\r\n", "\n")
        case "integer" | "number":
            return _read_number(last, is_whole=field.kind == "integer")
        case "choice" | "choices" | "boolean":
            # What is none of the choices is refused by the schema, which has the last word.
            values = [_read_json(each, "option") for each in typed]
            return values if field.kind == "choices" else values[-1]
        case _:
            return _read_json(last, "json")


def _read_number(typed: str, *, is_whole: bool) -> int | float:
    key = "integer" if is_whole else "number"
    try:
        if re.fullmatch(r"[+-]?[0-9]{1,18}", typed):
            return int(typed)
        read = float(typed)
    except ValueError:
        raise Unreadable(key) from None
    if not math.isfinite(read) or (is_whole and not read.is_integer()):
        raise Unreadable(key)
    return int(read) if is_whole else read


def _read_json(typed: str, key: str) -> Any:
    try:
        return json.loads(typed, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Unreadable(key) from None


def _no_constant(name: str) -> Any:
    """NaN and the infinities are no JSON, whatever Python reads."""
    raise ValueError(name)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _number(value: Any) -> str:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
