"""Steps done several times: once for each of a list's elements, or while a condition holds."""

from dataclasses import dataclass
from typing import Final

from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.template import ValueTemplate

MOST_ITEMS: Final = 10_000
"""Elements that one `for_each` may go through."""
WIDEST: Final = 1_000
"""Elements that are worked on at the same time where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForEach:
    """Once for each element; the output is a list, in the order of the elements."""

    items: ValueTemplate
    name: str = "item"
    """What expressions call the element; its place is `index`, from 0."""
    limit: int = WIDEST
    """Elements at the same time; 1: one after another."""
    until: Expression | None = None
    """Looked at after each element; once it holds, no further one is begun."""
    collects_errors: bool = False
    """Whether an element that failed is an `{"error": …}` in the list; else the step fails with it."""
    collect: ValueTemplate | None = None
    """What each element contributes, of its `output`; none: the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Again while a condition holds, which is looked at after each time; `index` counts from 0."""

    condition: Expression
    most: int
