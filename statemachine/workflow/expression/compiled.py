"""An expression, compiled once and evaluated as often as there are values."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from statemachine.workflow.expression.calculation import (
    LONGEST_EXPRESSION,
    MOST_OPERATIONS,
    Calculation,
    MalformedExpression,
    Position,
    result,
)
from statemachine.workflow.expression.compiler import Compiler


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: a condition of a workflow, or a part of a text (see `ValueTemplate`)."""

    text: str
    _run: Callable[[Calculation], object] = field(repr=False, compare=False)
    _operations: int = field(repr=False, compare=False)
    _slots: int = field(repr=False, compare=False)
    _makes: bool = field(repr=False, compare=False)
    _names: frozenset[tuple[str, ...]] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, *, strict: bool = False) -> "Expression":
        """Compile an expression such as `confidence >= 0.8 and not requires_human_review`.

        Args:
            text: the expression (docs/expressions.md).
            strict: whether an unknown name is a fault; otherwise it is null.

        Raises:
            MalformedExpression: it is too long, or has something that is not of the language.
        """
        if len(text) > LONGEST_EXPRESSION:
            raise MalformedExpression(
                f"an expression may have {LONGEST_EXPRESSION:,} characters, this has {len(text):,}"
            )
        # As the parser reads the ends of lines, so that its places fit.
        written = text.strip().replace("\r\n", "\n").replace("\r", "\n")
        try:
            tree = ast.parse(written, mode="eval").body
        except SyntaxError as error:
            raise MalformedExpression(f"'{text}' is not an expression: {error.msg}") from error
        except (ValueError, RecursionError, MemoryError) as error:
            # Half of a surrogate pair, a NUL, brackets beyond what the parser can stack.
            raise MalformedExpression(f"{text!a} is not an expression: it cannot be read") from error
        compiler = Compiler(written, strict=strict)
        run = compiler.compile(tree)
        return cls(text, run, compiler.operations, compiler.slots, compiler.makes, frozenset(compiler.names))

    def names(self) -> frozenset[tuple[str, ...]]:
        """The names that it takes from its values, each with the keys that follow it: `a.b` is `("a", "b")`."""
        return self._names

    def evaluate(self, scope: Mapping[str, object]) -> object:
        """The value over these values; JSON, where they are.

        Raises:
            ExpressionFault: it has none.
        """
        value = self._value(scope)
        return result(value, Position(self.text, 1)) if self._makes else value

    def holds(self, scope: Mapping[str, object]) -> bool:
        """Whether the value is true; null, 0 and what is empty are not.

        Raises:
            ExpressionFault: it has no value.
        """
        return bool(self._value(scope))

    def _value(self, scope: Mapping[str, object]) -> object:
        operations = MOST_OPERATIONS - self._operations
        return self._run(Calculation(scope, [None] * self._slots, operations))
