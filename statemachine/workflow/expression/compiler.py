"""Compiles the syntax of an expression into closures, once; nothing of Python is looked up or called by its text."""

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from statemachine.workflow.expression import paths
from statemachine.workflow.expression.calculation import (
    DEEPEST_EXPRESSION,
    GREATEST_INTEGER,
    Calculation,
    MalformedExpression,
    Position,
    elements,
    made_list,
    nearest,
)
from statemachine.workflow.expression.functions import FUNCTIONS, Function, FunctionCall
from statemachine.workflow.expression.operators import ARITHMETIC, COMPARISONS

Run = Callable[[Calculation], object]

_WORDS: Final[Mapping[str, bool | None]] = MappingProxyType({"true": True, "false": False, "null": None})
"""Constants as YAML and JSON write them; read as names they would silently be unknown."""


class Compiler:
    """Compiles one expression; what it has found out is in its attributes afterwards."""

    def __init__(self, text: str, *, strict: bool) -> None:
        self.text = text
        self.operations = 0
        """Those that are done whatever the values are."""
        self.slots = 0
        """Names that comprehensions bind, at one time."""
        self.makes = False
        """Whether lists or objects are made, so that the result may be larger than what is there."""
        self.names: set[tuple[str, ...]] = set()
        self._strict = strict
        self._bound: dict[str, int] = {}
        self._depth = 0
        self._lines = text.split("\n")
        self._forms: Mapping[type[ast.expr], Callable[..., Run]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._path,
            ast.Subscript: self._path,
            ast.List: self._list,
            ast.Tuple: self._list,
            ast.Dict: self._object,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._logical,
            ast.BinOp: self._arithmetic,
            ast.Compare: self._compared,
            ast.IfExp: self._chosen,
            ast.ListComp: self._comprehension,
            ast.Call: self._called,
        }

    def compile(self, node: ast.expr, levels: int = DEEPEST_EXPRESSION) -> Run:
        """The closure that gives the value of this part.

        Raises:
            MalformedExpression: it is not of the language, or nested too deeply.
        """
        if levels <= 0:
            raise MalformedExpression(f"'{self.text}' is nested deeper than {DEEPEST_EXPRESSION} levels")
        form = self._forms.get(type(node))
        if form is None:
            raise self._refused(node)
        self.operations += 1
        return form(node, levels - 1)

    def _refused(self, node: ast.AST, why: str = "") -> MalformedExpression:
        part = ast.get_source_segment(self.text, node)
        return MalformedExpression(
            f"'{part}' in '{self.text}' is not allowed; " + (why or "docs/expressions.md lists what is")
        )

    def position(self, node: ast.expr) -> Position:
        """Where this part begins, in characters: the parser counts bytes of a line."""
        before = self._lines[: node.lineno - 1]
        line = self._lines[node.lineno - 1].encode()[: node.col_offset].decode(errors="replace")
        return Position(self.text, sum(len(each) + 1 for each in before) + len(line) + 1)

    def _all(self, nodes: Sequence[ast.expr], levels: int) -> list[Run]:
        return [self.compile(node, levels) for node in nodes]

    def _constant(self, node: ast.Constant, _: int) -> Run:
        value = node.value
        if isinstance(value, str):
            if "\x00" in value or any("\ud800" <= each <= "\udfff" for each in value):
                raise self._refused(node, "a text has characters that cannot be stored")
        elif isinstance(value, float) and not math.isfinite(value):
            raise self._refused(node, "a number is beyond what JSON can hold")
        elif isinstance(value, int) and abs(value) > GREATEST_INTEGER:
            raise self._refused(node, "an integer is beyond 2^53")
        elif value is not None and not isinstance(value, (int, float)):
            raise self._refused(node)
        return lambda _: value

    def _name(self, node: ast.Name, levels: int) -> Run:
        if node.id in _WORDS:
            word = _WORDS[node.id]
            return lambda _: word
        return self._path(node, levels)

    def _path(self, node: ast.expr, levels: int) -> Run:
        """A name and what is taken out of it, step by step; one level, however many steps."""
        taken: list[ast.Attribute | ast.Subscript] = []
        base = node
        while isinstance(base, (ast.Attribute, ast.Subscript)):
            taken.append(base)
            base = base.value
        taken.reverse()
        takes = [self._take(each, levels) for each in taken]
        if not isinstance(base, ast.Name):
            if isinstance(base, ast.Constant):
                raise self._refused(node)
            return paths.along(self.compile(base, levels), takes)
        if base.id.startswith("_"):
            raise self._refused(node, "names do not begin with '_'")
        if base.id in _WORDS:
            raise self._refused(node)
        if base.id in self._bound:
            return paths.along(paths.bound(self._bound[base.id]), takes)
        self.names.add((base.id, *_keys_of(taken)))
        return paths.along(paths.named(base.id, self.position(base), strict=self._strict), takes)

    def _take(self, node: ast.Attribute | ast.Subscript, levels: int) -> paths.Take:
        if isinstance(node, ast.Subscript):
            return paths.indexed(self.compile(node.slice, levels), self.position(node), strict=self._strict)
        if node.attr.startswith("_"):
            raise self._refused(node, "names do not begin with '_'")
        return paths.keyed(node.attr, self.position(node), strict=self._strict)

    def _list(self, node: ast.List | ast.Tuple, levels: int) -> Run:
        self.makes = True
        parts = self._all(node.elts, levels)
        return lambda calculation: [part(calculation) for part in parts]

    def _object(self, node: ast.Dict, levels: int) -> Run:
        self.makes = True
        keys = [
            key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)
        ]
        if len(keys) != len(node.keys):
            raise self._refused(node, "the keys of an object are texts, written as such")
        self._all([key for key in node.keys if key is not None], levels)
        parts = list(zip(keys, self._all(node.values, levels), strict=True))
        return lambda calculation: {key: part(calculation) for key, part in parts}

    def _unary(self, node: ast.UnaryOp, levels: int) -> Run:
        operand = self.compile(node.operand, levels)
        if isinstance(node.op, ast.Not):
            return lambda calculation: not operand(calculation)
        if not isinstance(node.op, ast.USub):
            raise self._refused(node)

        def negative(calculation: Calculation) -> object:
            value = operand(calculation)
            return -value if isinstance(value, (int, float)) else None

        return negative

    def _logical(self, node: ast.BoolOp, levels: int) -> Run:
        parts = self._all(node.values, levels)
        decisive = isinstance(node.op, ast.Or)

        def decided(calculation: Calculation) -> bool:
            for part in parts:
                if bool(part(calculation)) is decisive:
                    return decisive
            return not decisive

        return decided

    def _arithmetic(self, node: ast.BinOp, levels: int) -> Run:
        """`a + b - c` is one level, however long."""
        chain: list[ast.BinOp] = [node]
        while isinstance(chain[-1].left, ast.BinOp):
            chain.append(chain[-1].left)
        first = self.compile(chain[-1].left, levels)
        following = []
        for each in reversed(chain):
            if type(each.op) not in ARITHMETIC:
                raise self._refused(each)
            self.operations += 1
            self.makes = self.makes or isinstance(each.op, ast.Add)
            following.append(
                (ARITHMETIC[type(each.op)], self.compile(each.right, levels), self.position(each.right))
            )

        def calculated(calculation: Calculation) -> object:
            value = first(calculation)
            for operator, operand, at in following:
                value = operator(value, operand(calculation), at, calculation)
            return value

        return calculated

    def _compared(self, node: ast.Compare, levels: int) -> Run:
        if not {type(op) for op in node.ops} <= COMPARISONS.keys():
            raise self._refused(node)
        first = self.compile(node.left, levels)
        following = [
            (COMPARISONS[type(op)], self.compile(right, levels), self.position(right))
            for op, right in zip(node.ops, node.comparators, strict=True)
        ]

        def compared(calculation: Calculation) -> bool:
            value = first(calculation)
            for holds, operand, at in following:
                other = operand(calculation)
                if not holds(value, other, at, calculation):
                    return False
                value = other
            return True

        return compared

    def _chosen(self, node: ast.IfExp, levels: int) -> Run:
        held, this, that = self._all([node.test, node.body, node.orelse], levels)
        return lambda calculation: this(calculation) if held(calculation) else that(calculation)

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, levels: int) -> Run:
        self.makes = True
        (loop, *more) = node.generators
        if more or loop.is_async or len(loop.ifs) > 1 or not isinstance(loop.target, ast.Name):
            raise self._refused(node, "a comprehension has one 'for' of one name, and one 'if' at most")
        name = loop.target.id
        if name.startswith("_") or name in _WORDS:
            raise self._refused(loop.target)
        over, at = self.compile(loop.iter, levels), self.position(loop.iter)
        before, self.operations = self.operations, 0
        known, slot = self._bound, self._depth
        self._bound, self._depth = {**known, name: slot}, slot + 1
        self.slots = max(self.slots, self._depth)
        held = self._all(loop.ifs, levels)
        part = self.compile(node.elt, levels)
        each = 1 + self.operations
        self._bound, self._depth, self.operations = known, slot, before

        def comprehended(calculation: Calculation) -> object:
            made: list[object] = []
            bound, spend = calculation.bound, calculation.spend
            for value in elements(over(calculation), at):
                spend(each, at)
                bound[slot] = value
                if not held or held[0](calculation):
                    made.append(part(calculation))
            return made_list(made, at)

        return comprehended

    def _called(self, node: ast.Call, levels: int) -> Run:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self._refused(node)
        name = node.func.id
        function = FUNCTIONS.get(name)
        if function is None:
            raise self._refused(node, f"there is no function '{name}'{nearest(name, FUNCTIONS)}")
        if not function.fewest <= len(node.args) <= function.most:
            raise self._refused(node, f"'{name}' takes {_counted(function)}")
        values = self._arguments(name, function, node.args, levels)
        do, at = function.do, self.position(node)
        return lambda calculation: do(
            FunctionCall(at, calculation), *[value(calculation) for value in values]
        )

    def _arguments(self, name: str, function: Function, written: list[ast.expr], levels: int) -> list[Run]:
        first = written[0]
        if function.takes_list and len(written) == 1 and isinstance(first, ast.GeneratorExp):
            return [self._comprehension(first, levels - 1)]
        strict, self._strict = self._strict, self._strict and name != "default"
        values = [self.compile(first, levels)]
        self._strict = strict
        return values + self._all(written[1:], levels)


def _counted(function: Function) -> str:
    if function.fewest == function.most:
        return "one value" if function.most == 1 else f"{function.most} values"
    return f"{function.fewest} to {function.most} values"


def _keys_of(taken: Sequence[ast.Attribute | ast.Subscript]) -> list[str]:
    """The keys that are written as such, up to the first step that depends on a value."""
    keys: list[str] = []
    for each in taken:
        if isinstance(each, ast.Attribute):
            keys.append(each.attr)
        elif isinstance(each.slice, ast.Constant) and isinstance(each.slice.value, str):
            keys.append(each.slice.value)
        else:
            break
    return keys
