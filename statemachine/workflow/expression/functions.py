"""The functions of expressions: pure, without clock, chance or patterns, and bounded by the size of their values."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from statemachine.workflow.expression.calculation import (
    Calculation,
    Position,
    elements,
    kind,
    made_list,
    number,
    require_length,
    text,
)
from statemachine.workflow.expression.operators import among

_LONGEST_NUMBER: Final = 40
_MOST_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """Where a function is called, and in which calculation."""

    at: Position
    calculation: Calculation

    def text(self, value: object) -> str:
        """The value, which must be a text; going through it is counted."""
        self.calculation.spend_on(value, self.at)
        return text(value, self.at)

    def elements(self, value: object) -> list[object]:
        """The elements of the value, which must be a list; going through it is counted."""
        self.calculation.spend_on(value, self.at)
        return list(elements(value, self.at))


@dataclass(frozen=True, slots=True)
class Function:
    """A function by the number of values that it takes."""

    do: Callable[..., object]
    fewest: int = 1
    most: int = 1
    takes_list: bool = False
    """Whether the one value may be written as `f(x for x in list)`."""


def written(value: object, at: Position) -> str:
    """A value as it stands within a text: numbers, true and false as in JSON.

    Raises:
        ExpressionFault: it is null, a list or an object.
    """
    match value:
        case str():
            return text(value, at)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return json.dumps(number(value, at))
        case _:
            raise at.fault(f"{kind(value)} has no form within a text")


def _len(call: FunctionCall, value: object) -> int:
    if not isinstance(value, (str, list, tuple, Mapping)):
        raise call.at.fault(f"{kind(value)} has no length")
    return len(value)


def _sum(call: FunctionCall, values: object) -> int | float:
    several = elements(values, call.at)
    call.calculation.spend_each(several, call.at)
    return number(sum(number(value, call.at) for value in several), call.at)


def _comparable(call: FunctionCall, values: tuple[object, ...]) -> list[object]:
    several = call.elements(values[0]) if len(values) == 1 else list(values)
    if not several:
        raise call.at.fault("an empty list has no least and no greatest")
    if isinstance(several[0], str):
        return [call.text(value) for value in several]
    return [number(value, call.at) for value in several]


def _round(call: FunctionCall, value: object, digits: object = 0) -> int | float:
    if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= _MOST_DIGITS:
        raise call.at.fault(f"digits are an integer from 0 to {_MOST_DIGITS}")
    found = number(value, call.at)
    return number(round(found, digits) if digits else round(found), call.at)


def _contains(call: FunctionCall, whole: object, part: object) -> bool:
    if isinstance(whole, str):
        return text(part, call.at) in call.text(whole)
    return among(part, elements(whole, call.at), call.at, call.calculation)


def _join(call: FunctionCall, values: object, separator: object) -> str:
    several = elements(values, call.at)
    call.calculation.spend_each(several, call.at)
    parts = [written(value, call.at) for value in several]
    between = text(separator, call.at)
    length = sum(map(len, parts)) + len(between) * max(len(parts) - 1, 0)
    # Asked before it is made, for it may be many times what is there.
    require_length(length, call.at)
    joined = between.join(parts)
    call.calculation.spend_on(joined, call.at)
    return joined


def _split(call: FunctionCall, whole: object, separator: object) -> list[object]:
    between = text(separator, call.at)
    if not between:
        raise call.at.fault("an empty separator separates nothing")
    parts = made_list(list(call.text(whole).split(between)), call.at)
    call.calculation.spend_each(parts, call.at)
    return parts


def _keys(call: FunctionCall, value: object) -> list[object]:
    if not isinstance(value, Mapping):
        raise call.at.fault(f"an object is needed here, this is {kind(value)}")
    call.calculation.spend_on(value, call.at)
    return made_list(list(value), call.at)


def _number(call: FunctionCall, value: object) -> int | float:
    if not isinstance(value, str):
        return number(value, call.at)
    digits = value.strip() if len(value) <= _LONGEST_NUMBER else ""
    try:
        found = json.loads(digits)
    except ValueError as error:
        raise call.at.fault("this text is not a number") from error
    return number(found, call.at)


FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "len": Function(_len),
        "sum": Function(_sum, takes_list=True),
        "min": Function(lambda call, *values: min(_comparable(call, values)), most=20, takes_list=True),  # type: ignore[type-var]
        "max": Function(lambda call, *values: max(_comparable(call, values)), most=20, takes_list=True),  # type: ignore[type-var]
        "any": Function(lambda call, values: any(call.elements(values)), takes_list=True),
        "all": Function(lambda call, values: all(call.elements(values)), takes_list=True),
        "abs": Function(lambda call, value: abs(number(value, call.at))),
        "round": Function(_round, most=2),
        "lower": Function(lambda call, value: text(call.text(value).lower(), call.at)),
        "upper": Function(lambda call, value: text(call.text(value).upper(), call.at)),
        "trim": Function(lambda call, value: call.text(value).strip()),
        "contains": Function(_contains, fewest=2, most=2),
        "starts_with": Function(
            lambda call, whole, part: call.text(whole).startswith(call.text(part)), fewest=2, most=2
        ),
        "join": Function(_join, fewest=2, most=2),
        "split": Function(_split, fewest=2, most=2),
        "keys": Function(_keys),
        "default": Function(
            lambda _, value, otherwise: otherwise if value is None else value, fewest=2, most=2
        ),
        "number": Function(_number),
        "text": Function(lambda call, value: written(value, call.at)),
    },
)
