"""Compiles the expressions of a definition, and keeps every fault with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.core.parameters import MalformedSchema, require_schema
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.expression.calculation import MalformedExpression
from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.template import ValueTemplate

Place = tuple[str | int, ...]


@dataclass(slots=True)
class Compiling:
    """The faults found so far; what is malformed is compiled as null, so that the rest is looked at too."""

    step_id: str | None = None
    faults: list[DefinitionFault] = field(default_factory=list)

    def of_step(self, step_id: str) -> "Compiling":
        """The same, for the fields of a step."""
        return Compiling(step_id, self.faults)

    def condition(self, text: str | None, *at: str | int) -> Expression | None:
        """The condition that this text is."""
        if text is None:
            return None
        try:
            return Expression.parse(text)
        except MalformedExpression as error:
            self.fault(str(error), at)
            return Expression.parse("null")

    def value(self, written: Any, *at: str | int) -> ValueTemplate:
        """The value with its expressions."""
        try:
            return ValueTemplate.of(written)
        except MalformedExpression as error:
            self.fault(str(error), at)
            return ValueTemplate.of(None)

    def optional(self, written: Any, *at: str | int) -> ValueTemplate | None:
        """The same; nothing of nothing."""
        return None if written is None else self.value(written, *at)

    def values(self, written: Mapping[str, Any], *at: str | int) -> dict[str, ValueTemplate]:
        """Each of these values with its expressions."""
        return {name: self.value(each, *at, name) for name, each in written.items()}

    def schema(self, written: Mapping[str, Any], *at: str | int) -> None:
        """Look at a description of an object."""
        try:
            require_schema(written)
        except MalformedSchema as error:
            self.fault(str(error), at)

    def fault(self, message: str, at: Place) -> None:
        """Keep a fault."""
        words = message if self.step_id is None else f"step '{self.step_id}': {message}"
        self.faults.append(DefinitionFault(words, self.step_id, at))
