"""One calculation of an expression: its values, its limits, and the fault in which it can end."""

import difflib
import math
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from itertools import islice
from typing import Final

LONGEST_EXPRESSION: Final = 2_000
"""Characters an expression may have."""
DEEPEST_EXPRESSION: Final = 20
"""Levels an expression may have within one another."""
MOST_OPERATIONS: Final = 10_000
"""Operations of one calculation."""
LONGEST_TEXT: Final = 262_144
"""Characters a text may have that an expression makes."""
LONGEST_LIST: Final = 10_000
"""Elements a list may have that an expression makes."""
LARGEST_RESULT: Final = 1_048_576
"""Characters that a result may have that an expression makes; an element counts as eight."""
GREATEST_INTEGER: Final = 2**53
"""Up to this every reader of JSON reads an integer as it was written."""

_ELEMENTS_AN_OPERATION: Final = 32
_ELEMENTS_DONE_AN_OPERATION: Final = 4
_CHARACTERS_AN_OPERATION: Final = 1_024
_CHARACTERS_AN_ELEMENT: Final = 8
_CANDIDATES: Final = 100
_LONGEST_CANDIDATE: Final = 40


class MalformedExpression(ValueError):
    """The text is not an expression; the message says which part."""


class ExpressionFault(ValueError):
    """The expression has no value over these values: what is wrong, in which expression, at which column."""

    def __init__(self, problem: str, expression: str, column: int) -> None:
        super().__init__(f"{problem}, in '{expression}' at column {column}")
        self.problem = problem
        self.expression = expression
        self.column = column


@dataclass(frozen=True, slots=True)
class Position:
    """A part of an expression, for the message of a fault."""

    expression: str
    column: int
    """The first character is 1."""

    def fault(self, problem: str) -> ExpressionFault:
        """The fault that this part ends in."""
        return ExpressionFault(problem, self.expression, self.column)


@dataclass(slots=True)
class Calculation:
    """The values that names stand for, and how many operations are left.

    Parts of an expression that are evaluated once are counted beforehand; what repeats, or grows with the values,
    is counted when it is done.
    """

    scope: Mapping[str, object]
    bound: list[object]
    """The values of the names that comprehensions bind."""
    operations: int

    def spend(self, operations: int, at: Position) -> None:
        """Count operations.

        Raises:
            ExpressionFault: there are none left.
        """
        self.operations -= operations
        if self.operations < 0:
            raise at.fault(f"more than {MOST_OPERATIONS:,} operations")

    def spend_each(self, values: Sized, at: Position) -> None:
        """Count the operations of doing something with each element of a list or an object."""
        self.spend(len(values) // _ELEMENTS_DONE_AN_OPERATION, at)

    def spend_on(self, value: object, at: Position) -> None:
        """Count the operations of going through a text, a list or an object once."""
        if isinstance(value, str):
            self.spend(len(value) // _CHARACTERS_AN_OPERATION, at)
        elif isinstance(value, (list, tuple, Mapping)):
            self.spend(len(value) // _ELEMENTS_AN_OPERATION, at)


def kind(value: object) -> str:
    """What a value is, in words for a fault; never the value itself, which may be personal."""
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "a text"),
        ((list, tuple), "a list"),
        (Mapping, "an object"),
    )
    if value is None:
        return "null"
    return next((name for types, name in names if isinstance(value, types)), "no value of JSON")


def number(value: object, at: Position) -> int | float:
    """The value, which must be a number that every reader of JSON reads alike.

    Raises:
        ExpressionFault: it is none, or is beyond 2^53.
    """
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise at.fault("a number beyond what JSON can hold")
    if not isinstance(value, int) or isinstance(value, bool):
        raise at.fault(f"a number is needed here, this is {kind(value)}")
    if -GREATEST_INTEGER <= value <= GREATEST_INTEGER:
        return value
    raise at.fault("an integer beyond 2^53")


def text(value: object, at: Position) -> str:
    """The value, which must be a text of a permitted length.

    Raises:
        ExpressionFault: it is none, or is too long.
    """
    if not isinstance(value, str):
        raise at.fault(f"a text is needed here, this is {kind(value)}")
    require_length(len(value), at)
    return value


def require_length(characters: int, at: Position) -> None:
    """Permit a text of so many characters.

    Raises:
        ExpressionFault: it is too long.
    """
    if characters > LONGEST_TEXT:
        raise at.fault(f"a text of more than {LONGEST_TEXT:,} characters")


def elements(value: object, at: Position) -> list[object] | tuple[object, ...]:
    """The value, which must be a list.

    Raises:
        ExpressionFault: it is none.
    """
    if not isinstance(value, (list, tuple)):
        raise at.fault(f"a list is needed here, this is {kind(value)}")
    return value


def made_list(value: list[object], at: Position) -> list[object]:
    """A list that an expression has made.

    Raises:
        ExpressionFault: it is too long.
    """
    if len(value) > LONGEST_LIST:
        raise at.fault(f"a list of more than {LONGEST_LIST:,} elements")
    return value


def result(value: object, at: Position) -> object:
    """The value of an expression that makes lists or objects: what they hold counts as often as it stands there.

    Raises:
        ExpressionFault: it is too large.
    """
    room = LARGEST_RESULT
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            room -= len(one)
        elif isinstance(one, (list, tuple)):
            room -= _CHARACTERS_AN_ELEMENT * len(one)
            waiting.extend(one if room >= 0 else ())
        elif isinstance(one, Mapping):
            room -= sum(map(len, one)) + _CHARACTERS_AN_ELEMENT * len(one)
            waiting.extend(one.values() if room >= 0 else ())
        if room < 0:
            raise at.fault(f"a result of more than {LARGEST_RESULT:,} characters")
    return value


def nearest(name: str, known: Iterable[str]) -> str:
    """A question for the nearest of the known names, to be added to a message; empty where none is near."""
    if len(name) > _LONGEST_CANDIDATE:
        return ""
    candidates = [each for each in islice(known, _CANDIDATES) if len(each) <= _LONGEST_CANDIDATE]
    found = difflib.get_close_matches(name, candidates, n=1)
    return f"; did you mean '{found[0]}'?" if found else ""
