"""The variables of a workflow: what they begin with, what they may hold, and how parallel writers share them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Merge(Enum):
    """What a further value makes of the one that is there."""

    LAST = "last"
    APPEND = "append"
    UNION = "union"
    SUM = "sum"
    MAX = "max"
    MIN = "min"


class VariableFault(ValueError):
    """The value is none that the variable may hold."""


def _anything(_: object) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunVariable:
    """One variable as the definition declares it."""

    name: str
    default: Any = None
    schema: Mapping[str, object] = field(default_factory=dict)
    """What it may hold, as a JSON Schema; empty: anything."""
    merge: Merge | None = None
    """None: the last value, and two branches that are open together may not both write it."""
    problem_with: Callable[[object], str | None] = field(default=_anything, compare=False)
    """What is wrong with a value, in words; nothing where it may be held."""

    def after(self, present: object, value: object) -> object:
        """What the variable holds once this value is written to it.

        Raises:
            VariableFault: it may not hold that, or the two cannot be merged.
        """
        try:
            merged = _merged(self.merge, present, value)
        except TypeError as error:
            raise VariableFault(
                f"variable '{self.name}': the values cannot be merged by {self.merge}"
            ) from error
        problem = self.problem_with(merged)
        if problem is not None:
            raise VariableFault(f"variable '{self.name}' {problem}")
        return merged


def _merged(merge: Merge | None, present: Any, value: Any) -> object:
    if merge in (None, Merge.LAST):
        return value
    if merge is Merge.APPEND:
        return [*(present or ()), value]
    if merge is Merge.UNION:
        found = list(present or ())
        for each in value if isinstance(value, list) else [value]:
            if each not in found:
                found.append(each)
        return found
    if present is None:
        return value
    if isinstance(present, bool) or isinstance(value, bool):
        raise TypeError("true and false are no numbers")
    if merge is Merge.SUM:
        return present + value
    return max(present, value) if merge is Merge.MAX else min(present, value)
