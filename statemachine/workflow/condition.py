"""The condition language of gateways: comparisons and boolean words over names, nothing else."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

_COMPARE: Final[Mapping[type[ast.cmpop], Callable[[object, object], bool]]] = MappingProxyType(
    {
        ast.Eq: lambda left, right: left == right,
        ast.NotEq: lambda left, right: left != right,
        ast.Lt: lambda left, right: _ordered(left, right) and left < right,  # type: ignore[operator]
        ast.LtE: lambda left, right: _ordered(left, right) and left <= right,  # type: ignore[operator]
        ast.Gt: lambda left, right: _ordered(left, right) and left > right,  # type: ignore[operator]
        ast.GtE: lambda left, right: _ordered(left, right) and left >= right,  # type: ignore[operator]
        ast.In: lambda left, right: isinstance(right, (list, tuple)) and left in right,
        ast.NotIn: lambda left, right: isinstance(right, (list, tuple)) and left not in right,
    },
)
_WORDS: Final[Mapping[str, bool | None]] = MappingProxyType({"true": True, "false": False, "null": None})
"""Constants as YAML and JSON write them; read as names they would silently be unknown."""

LONGEST_CONDITION: Final = 500
"""Characters a condition may have."""
DEEPEST_CONDITION: Final = 20
"""Levels of brackets, `not` and `-` within one another a condition may have."""


class MalformedCondition(ValueError):
    """The condition is not valid; the message says which part."""


def _ordered(left: object, right: object) -> bool:
    both_numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
    return both_numbers or (isinstance(left, str) and isinstance(right, str))


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition. An unknown name is `None`; an order comparison with it is false."""

    text: str
    _tree: ast.expr = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Parse a condition such as `confidence >= 0.8 and not requires_human_review`.

        Raises:
            MalformedCondition: anything but names, constants, comparisons, `and`, `or`, `not`, lists.
        """
        if len(text) > LONGEST_CONDITION:
            raise MalformedCondition(
                f"a condition may have {LONGEST_CONDITION} characters, this has {len(text)}"
            )
        written = text.strip()
        try:
            tree = ast.parse(written, mode="eval").body
        except SyntaxError as error:
            raise MalformedCondition(f"'{text}' is not a condition: {error.msg}") from error
        except (ValueError, RecursionError, MemoryError) as error:
            # Half of a surrogate pair, a NUL, brackets beyond what the parser can stack.
            raise MalformedCondition(f"{text!a} is not a condition: it cannot be read") from error
        _check(tree, written, DEEPEST_CONDITION)
        return cls(text, tree)

    def evaluate(self, scope: Mapping[str, object]) -> bool:
        """Whether the condition is true for these values."""
        return bool(_value(self._tree, scope))


def _check(node: ast.expr, text: str, levels: int) -> None:
    if levels == 0:
        raise MalformedCondition(f"'{text}' is nested deeper than {DEEPEST_CONDITION} levels")
    match node:
        case ast.BoolOp(values=values) | ast.List(elts=values) | ast.Tuple(elts=values):
            parts = list(values)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            parts = [operand]
        case ast.Compare(left=left, ops=ops, comparators=comparators) if _COMPARE.keys() >= {
            type(op) for op in ops
        }:
            parts = [left, *comparators]
        case ast.Attribute(value=ast.Name()) | ast.Name():
            parts = []
        case ast.Constant(value=str() | int() | float() | bool() | None):
            parts = []
        case _:
            raise MalformedCondition(
                f"'{ast.get_source_segment(text, node)}' in '{text}' is not allowed; "
                "use names, constants, comparisons, and, or, not, lists",
            )
    for part in parts:
        _check(part, text, levels - 1)


def _value(node: ast.expr, scope: Mapping[str, object]) -> object:
    value: object = None
    match node:
        case ast.Constant():
            value = node.value
        case ast.Name(id=name):
            value = _WORDS[name] if name in _WORDS else scope.get(name)
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            holder = scope.get(name)
            value = holder.get(attribute) if isinstance(holder, Mapping) else None
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            value = [_value(element, scope) for element in elements]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            value = not _value(operand, scope)
        case ast.UnaryOp(operand=operand):
            number = _value(operand, scope)
            value = -number if isinstance(number, (int, float)) else None
        case ast.BoolOp(op=ast.And(), values=values):
            value = all(_value(value, scope) for value in values)
        case ast.BoolOp(values=values):
            value = any(_value(value, scope) for value in values)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            value = _compare(left, ops, comparators, scope)
        case _:
            raise MalformedCondition(f"{type(node).__name__} passed parsing but is not of the language")
    return value


def _compare(
    left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr], scope: Mapping[str, object]
) -> bool:
    current = _value(left, scope)
    for op, comparator in zip(ops, comparators, strict=True):
        other = _value(comparator, scope)
        if not _COMPARE[type(op)](current, other):
            return False
        current = other
    return True
