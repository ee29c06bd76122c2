"""Texts with `${expression}` parts, anywhere in a value of JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from statemachine.workflow.expression.calculation import MalformedExpression, Position, require_length
from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.functions import written

DEEPEST_TEMPLATE: Final = 100
"""Levels that the value of a template may have."""

_OPEN: Final = "${"


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of several parts."""

    parts: tuple[str | Expression, ...]

    def filled(self, scope: Mapping[str, object]) -> str:
        found = [
            part if isinstance(part, str) else written(part.evaluate(scope), Position(part.text, 1))
            for part in self.parts
        ]
        expression = next(part for part in self.parts if isinstance(part, Expression))
        require_length(sum(map(len, found)), Position(expression.text, 1))
        return "".join(found)


@dataclass(frozen=True, slots=True)
class ValueTemplate:
    """A value of JSON, whose texts may have `${expression}` parts.

    A text that is one `${expression}` keeps its type; otherwise the parts become text. `$${` stands for `${`.
    """

    _made: object = field(repr=False)
    _names: frozenset[tuple[str, ...]] = field(repr=False)

    @classmethod
    def of(cls, value: object) -> "ValueTemplate":
        """Compile all expressions of a value.

        Raises:
            MalformedExpression: one of them is malformed, or does not end.
        """
        made = _compiled(value, DEEPEST_TEMPLATE)
        return cls(made, frozenset(name for each in _expressions(made) for name in each.names()))

    def names(self) -> frozenset[tuple[str, ...]]:
        """The names that its expressions take from their values, as `Expression.names` has them."""
        return self._names

    def fill(self, scope: Mapping[str, object]) -> object:
        """The value with every expression replaced by its own.

        Raises:
            ExpressionFault: one has no value, or a name is unknown.
        """
        return _filled(self._made, scope)


def _compiled(value: object, levels: int) -> object:
    if levels == 0:
        raise MalformedExpression(f"a value is nested deeper than {DEEPEST_TEMPLATE} levels")
    if isinstance(value, str):
        return _text(value) if _OPEN in value else value
    if isinstance(value, (list, tuple)):
        return [_compiled(each, levels - 1) for each in value]
    if isinstance(value, Mapping):
        return {key: _compiled(each, levels - 1) for key, each in value.items()}
    return value


def _text(value: str) -> object:
    parts = list(_parts(value))
    if len(parts) == 1:
        return parts[0]
    if any(isinstance(part, Expression) for part in parts):
        return _Text(tuple(parts))
    return "".join(part for part in parts if isinstance(part, str))


def _parts(value: str) -> Iterator[str | Expression]:
    start = 0
    while (at := value.find(_OPEN, start)) >= 0:
        if value[at - 1 : at] == "$" and at > start:
            yield value[start : at - 1] + _OPEN
            start = at + len(_OPEN)
            continue
        if at > start:
            yield value[start:at]
        end = _end(value, at + len(_OPEN))
        yield Expression.parse(value[at + len(_OPEN) : end], strict=True)
        start = end + 1
    if start < len(value):
        yield value[start:]


def _end(value: str, start: int) -> int:
    """The place of the `}` that ends an expression: outside of quotes, and of the braces of objects."""
    depth, quote, at = 0, "", start
    while at < len(value):
        character = value[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return at
            depth -= 1
        at += 1
    raise MalformedExpression(f"'{value[start - len(_OPEN) :][:80]}' has no end: a '}}' is missing")


def _expressions(made: object) -> Iterator[Expression]:
    if isinstance(made, Expression):
        yield made
    elif isinstance(made, _Text):
        yield from (part for part in made.parts if isinstance(part, Expression))
    elif isinstance(made, (list, dict)):
        for each in made.values() if isinstance(made, dict) else made:
            yield from _expressions(each)


def _filled(made: object, scope: Mapping[str, object]) -> object:
    if isinstance(made, Expression):
        return made.evaluate(scope)
    if isinstance(made, _Text):
        return made.filled(scope)
    if isinstance(made, list):
        return [_filled(each, scope) for each in made]
    if isinstance(made, dict):
        return {key: _filled(each, scope) for key, each in made.items()}
    return made
