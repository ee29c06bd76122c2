"""Texts with `${expression}` parts, anywhere in a value of JSON."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from statemachine.workflow.expression.calculation import MalformedExpression, Position, require_length
from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.functions import written

DEEPEST_TEMPLATE: Final = 100
"""Levels that the value of a template may have."""

SECRET: Final = "secret"  # noqa: S105 - the word itself is none
"""The name under which a template takes secrets: `${secret.NAME}`."""

_OPEN: Final = "${"
_SECRET: Final = re.compile(SECRET + r"\.[A-Za-z][A-Za-z0-9_]{0,63}")


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
class _SecretText:
    """A text with one secret in it."""

    before: str
    expression: Expression
    after: str

    @property
    def name(self) -> str:
        ((_, name),) = self.expression.names()
        return name

    def revealed(self, secrets: Mapping[str, str]) -> str:
        return f"{self.before}{secrets[self.name]}{self.after}"


@dataclass(frozen=True, slots=True)
class ValueTemplate:
    """A value of JSON, whose texts may have `${expression}` parts.

    A text that is one `${expression}` keeps its type; otherwise the parts become text. `$${` stands for `${`.
    A text with `${secret.NAME}` has constant text beside it alone; it is null until it is revealed.
    """

    _made: object = field(repr=False)
    _names: frozenset[tuple[str, ...]] = field(repr=False)

    @classmethod
    def of(cls, value: object) -> "ValueTemplate":
        """Compile all expressions of a value.

        Raises:
            MalformedExpression: one of them is malformed, does not end, or takes a secret otherwise than it may.
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

    def secrets(self) -> frozenset[str]:
        """The names of the secrets that its texts take."""
        return frozenset(name[1] for name in self._names if name[0] == SECRET)

    def reveal(self, filled: object, secrets: Mapping[str, str]) -> object:
        """What `fill` returned, with the secrets in the texts that this template takes them in, and in no others.

        Raises:
            KeyError: a secret is not among these.
        """
        return _revealed(self._made, filled, secrets)


def has_expressions(value: object) -> bool:
    """Whether `${` stands in a text of this value."""
    if isinstance(value, str):
        return _OPEN in value
    if isinstance(value, Mapping):
        return any(map(has_expressions, value.values()))
    return isinstance(value, (list, tuple)) and any(map(has_expressions, value))


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
    secret = next((part for part in parts if isinstance(part, Expression) and _takes_secret(part)), None)
    if secret is not None:
        return _secret_text(parts, secret)
    if len(parts) == 1:
        return parts[0]
    if any(isinstance(part, Expression) for part in parts):
        return _Text(tuple(parts))
    return "".join(part for part in parts if isinstance(part, str))


def _takes_secret(expression: Expression) -> bool:
    return any(name[0] == SECRET for name in expression.names())


def _secret_text(parts: list[str | Expression], secret: Expression) -> _SecretText:
    if not _SECRET.fullmatch(secret.text.strip()):
        # What is made of a secret could not be recognised, where the other side sends it back.
        raise MalformedExpression(
            f"'{secret.text}': a secret is taken as ${{{SECRET}.NAME}} and in no other way"
        )
    if sum(isinstance(part, Expression) for part in parts) > 1:
        raise MalformedExpression(
            f"'${{{secret.text}}}' may have constant text beside it, and no other expression in the same text"
        )
    at = parts.index(secret)
    before, after = ("".join(map(str, some)) for some in (parts[:at], parts[at + 1 :]))
    return _SecretText(before, secret, after)


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
    elif isinstance(made, _SecretText):
        yield made.expression
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
    if isinstance(made, _SecretText):
        return None
    if isinstance(made, list):
        return [_filled(each, scope) for each in made]
    if isinstance(made, dict):
        return {key: _filled(each, scope) for key, each in made.items()}
    return made


def _revealed(made: object, filled: object, secrets: Mapping[str, str]) -> object:
    """Walks both side by side: what an expression gave is data, and stays as it is."""
    if isinstance(made, _SecretText):
        return made.revealed(secrets)
    if isinstance(made, list) and isinstance(filled, (list, tuple)) and len(made) == len(filled):
        return [_revealed(part, value, secrets) for part, value in zip(made, filled, strict=True)]
    if isinstance(made, dict) and isinstance(filled, Mapping):
        return {
            key: _revealed(made[key], value, secrets) if key in made else value
            for key, value in filled.items()
        }
    return filled
