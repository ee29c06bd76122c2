"""The operators of expressions: arithmetic, comparisons, and what they refuse."""

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from statemachine.workflow.expression.calculation import Calculation, Position, made_list, number, text

Operator = Callable[[object, object, Position, Calculation], object]
"""Two values, where the operator stands, and the calculation, which counts."""


def same(left: object, right: object, at: Position, calculation: Calculation) -> bool:
    """Whether two values are equal, however deep: without recursion, and counted."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            calculation.spend_each(one, at)
            pairs.extend(zip(one, other, strict=True))
        elif isinstance(one, Mapping) and isinstance(other, Mapping):
            if one.keys() != other.keys():
                return False
            calculation.spend_each(one, at)
            pairs.extend((value, other[key]) for key, value in one.items())
        else:
            if isinstance(one, str):
                calculation.spend_on(one, at)
            if one != other:
                return False
    return True


def among(value: object, values: object, at: Position, calculation: Calculation) -> bool:
    """Whether a list has this value; only lists are asked."""
    if not isinstance(values, (list, tuple)):
        return False
    calculation.spend_on(values, at)
    if isinstance(value, (list, Mapping)):
        calculation.spend_each(values, at)
        return any(same(value, each, at, calculation) for each in values)
    if isinstance(value, str) and len(value) > 1_024:  # noqa: PLR2004 - shorter ones cost no more than a number
        calculation.spend(len(values) * len(value) // 32_768, at)
    return value in values


def _ordered(left: object, right: object, at: Position, calculation: Calculation) -> bool:
    """Whether these two have an order: numbers have, and texts."""
    if isinstance(left, str) and isinstance(right, str):
        calculation.spend_on(left, at)
        return True
    return isinstance(left, (int, float)) and isinstance(right, (int, float))


def _add(left: object, right: object, at: Position, calculation: Calculation) -> object:
    if isinstance(left, str) and isinstance(right, str):
        joined = text(left + right, at)
        calculation.spend_on(joined, at)
        return joined
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        both = made_list([*left, *right], at)
        calculation.spend_on(both, at)
        return both
    return number(number(left, at) + number(right, at), at)


def _subtract(left: object, right: object, at: Position, _: Calculation) -> object:
    return number(number(left, at) - number(right, at), at)


def _multiply(left: object, right: object, at: Position, _: Calculation) -> object:
    return number(number(left, at) * number(right, at), at)


def _divisor(value: object, at: Position) -> int | float:
    found = number(value, at)
    if found == 0:
        raise at.fault("division by zero")
    return found


def _divide(left: object, right: object, at: Position, _: Calculation) -> object:
    return number(number(left, at) / _divisor(right, at), at)


def _divide_whole(left: object, right: object, at: Position, _: Calculation) -> object:
    return number(number(left, at) // _divisor(right, at), at)


def _remainder(left: object, right: object, at: Position, _: Calculation) -> object:
    return number(number(left, at) % _divisor(right, at), at)


ARITHMETIC: Final[Mapping[type[ast.operator], Operator]] = MappingProxyType(
    {
        ast.Add: _add,
        ast.Sub: _subtract,
        ast.Mult: _multiply,
        ast.Div: _divide,
        ast.FloorDiv: _divide_whole,
        ast.Mod: _remainder,
    },
)
COMPARISONS: Final[Mapping[type[ast.cmpop], Operator]] = MappingProxyType(
    {
        ast.Eq: same,
        ast.NotEq: lambda left, right, at, e: not same(left, right, at, e),
        ast.Lt: lambda left, right, at, e: _ordered(left, right, at, e) and left < right,  # type: ignore[operator]
        ast.LtE: lambda left, right, at, e: _ordered(left, right, at, e) and left <= right,  # type: ignore[operator]
        ast.Gt: lambda left, right, at, e: _ordered(left, right, at, e) and left > right,  # type: ignore[operator]
        ast.GtE: lambda left, right, at, e: _ordered(left, right, at, e) and left >= right,  # type: ignore[operator]
        ast.In: among,
        ast.NotIn: lambda value, values, at, e: (
            isinstance(values, (list, tuple)) and not among(value, values, at, e)
        ),
    },
)
