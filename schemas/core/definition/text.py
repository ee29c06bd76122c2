"""A workflow definition as text: read into what JSON can hold, each field with its line and column."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import orjson
import yaml

from schemas.core.definition.seed_form import in_our_names
from schemas.core.form import storable
from schemas.core.free_json import LARGEST_INTEGER, SMALLEST_INTEGER

_DEEPEST: Final = 32
"""Objects and lists within one another; a definition that makes sense has a third of it."""

Place = tuple[str | int, ...]
"""The fields and indexes that lead to something, from the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionProblem:
    """One thing wrong with a definition, as whoever wrote it looks for it."""

    at: Place
    message: str
    line: int | None = None
    column: int | None = None

    @property
    def pointer(self) -> str:
        """The place as a JSON Pointer (RFC 6901)."""
        return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in self.at)


class UnreadableDefinition(ValueError):
    """The text is no object that JSON can hold."""

    def __init__(self, *problems: DefinitionProblem) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems))


@dataclass(frozen=True, slots=True)
class WrittenDefinition:
    """A definition as written, and where each of its fields stands in the text (line and column, from 1)."""

    body: Mapping[str, Any]
    marks: Mapping[Place, tuple[int, int]] = field(default_factory=dict)

    def problem(self, message: str, at: Place) -> DefinitionProblem:
        """A problem with its line and column: those of the field, or of what it is missing from."""
        for length in range(len(at), -1, -1):
            if at[:length] in self.marks:
                line, column = self.marks[at[:length]]
                return DefinitionProblem(at=at, message=message, line=line, column=column)
        return DefinitionProblem(at=at, message=message)


def read_json(text: bytes) -> WrittenDefinition:
    """The definition in this JSON.

    Raises:
        UnreadableDefinition: it is no JSON, or no object that can be kept.
    """
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        problem = DefinitionProblem(
            at=(), message=f"is not JSON: {error.msg}", line=error.lineno, column=error.colno
        )
        raise UnreadableDefinition(problem) from error
    return _kept(body, _marks_of_json(text))


def _marks_of_json(text: bytes) -> Mapping[Place, tuple[int, int]]:
    """Where the fields of a JSON text stand, read as the YAML that most of it is, too; empty where it is not."""
    marks: dict[Place, tuple[int, int]] = {}
    try:
        written = text.decode()
        require_plain(written)
        root = yaml.compose(written, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeError):
        return marks
    if root is not None:
        _Reader(marks, []).value_of(root, ())
    return marks


def read_yaml(text: str) -> WrittenDefinition:
    """The definition in this YAML.

    Raises:
        UnreadableDefinition: it is no YAML, or no object that can be kept.
    """
    try:
        require_plain(text)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line, column = (None, None) if error.problem_mark is None else _position(error.problem_mark)
        problem = DefinitionProblem(at=(), message=f"is not YAML: {error.problem}", line=line, column=column)
        raise UnreadableDefinition(problem) from error
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise UnreadableDefinition(DefinitionProblem(at=(), message=f"is not YAML: {error}")) from error
    marks: dict[Place, tuple[int, int]] = {}
    faults: list[tuple[Place, str]] = []
    body = None if root is None else _Reader(marks, faults).value_of(root, ())
    return _kept(body, marks, faults)


def as_yaml(body: Mapping[str, Any]) -> str:
    """A definition as YAML, its fields in their order."""
    text: str = yaml.dump(dict(body), Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, width=110)
    return text


def require_plain(text: str) -> None:
    """Refuse what would cost far more to read than its length; nothing is built while it is looked for.

    Raises:
        yaml.MarkedYAMLError: it is nested too deeply, or holds an alias.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event, "an alias (*name) stands here; write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise _refused(event, f"may be {_DEEPEST} levels deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _refused(event: yaml.Event, what: str) -> yaml.MarkedYAMLError:
    mark: Any = event.start_mark
    return yaml.MarkedYAMLError(problem=what, problem_mark=mark)


_VALUES: Final[Mapping[str, Callable[[yaml.constructor.SafeConstructor, Any], Any]]] = MappingProxyType(
    {
        "tag:yaml.org,2002:null": yaml.constructor.SafeConstructor.construct_yaml_null,
        "tag:yaml.org,2002:bool": yaml.constructor.SafeConstructor.construct_yaml_bool,
        "tag:yaml.org,2002:int": yaml.constructor.SafeConstructor.construct_yaml_int,
        "tag:yaml.org,2002:float": yaml.constructor.SafeConstructor.construct_yaml_float,
        "tag:yaml.org,2002:str": yaml.constructor.SafeConstructor.construct_yaml_str,
    }
)
"""The scalars that JSON has too."""

_BOOLEAN: Final = "tag:yaml.org,2002:bool"
_KEYS: Final = frozenset({"tag:yaml.org,2002:str", _BOOLEAN})
"""`on`, `yes` and `no` are keys like others (YAML 1.2, section 10.3.2)."""


def _tag(node: yaml.Node) -> str:
    """What a node is; of the words for truth only those of YAML 1.2 are no text."""
    is_word = node.tag == _BOOLEAN and str(node.value).lower() not in ("true", "false")
    return "tag:yaml.org,2002:str" if is_word else str(node.tag)


class _Reader:
    """Turns nodes into what JSON can hold, and notes where each stands."""

    def __init__(self, marks: dict[Place, tuple[int, int]], faults: list[tuple[Place, str]]) -> None:
        self._marks = marks
        self._faults = faults
        self._scalars = yaml.constructor.SafeConstructor()

    def value_of(self, node: yaml.Node, at: Place) -> Any:
        self._marks.setdefault(at, _position(node.start_mark))
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return dict(self._fields_of(node, at))
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.value_of(item, (*at, index)) for index, item in enumerate(node.value)]
        construct = _VALUES.get(_tag(node))
        if construct is None:
            shown = node.value if isinstance(node, yaml.ScalarNode) else node.tag
            self._faults.append((at, f"{shown!r:.80} is no value that JSON has; put it in quotes"))
            return None
        try:
            return construct(self._scalars, node)
        except (ValueError, KeyError, OverflowError):
            self._faults.append((at, f"{node.value!r:.80} is no value"))
            return None

    def _fields_of(self, node: yaml.MappingNode, at: Place) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            line, column = _position(key.start_mark)
            if not isinstance(key, yaml.ScalarNode) or key.tag not in _KEYS:
                self._faults.append((at, f"line {line}: a key that is no text; put it in quotes"))
            elif key.value in seen:
                self._faults.append(
                    (
                        (*at, key.value),
                        f"the key {key.value!r:.80} stands in lines {seen[key.value]} and {line}",
                    )
                )
            else:
                seen[key.value] = line
                self._marks[*at, key.value] = (line, column)
                yield key.value, self.value_of(value, (*at, key.value))


def _position(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _kept(
    body: Any, marks: Mapping[Place, tuple[int, int]], faults: list[tuple[Place, str]] | None = None
) -> WrittenDefinition:
    written = WrittenDefinition(in_our_names(body) if isinstance(body, dict) else {}, marks)
    found = [*(faults or ()), *unstorable(body)]
    if not isinstance(body, dict):
        found.append(((), "must be an object with the fields of a definition"))
    if found:
        raise UnreadableDefinition(*(written.problem(message, at) for at, message in found))
    return written


def unstorable(body: Any) -> Iterator[tuple[Place, str]]:
    """What in this JSON cannot be kept, with its place; walked without recursion."""
    left: list[tuple[Place, Any]] = [((), body)]
    while left:
        at, value = left.pop()
        if isinstance(value, (dict, list)) and len(at) >= _DEEPEST:
            yield at, f"may be {_DEEPEST} levels deep"
        elif isinstance(value, dict):
            left += [((*at, name), inner) for name, inner in value.items()]
            yield from (fault for name in value for fault in _unstorable_text((*at, name), name))
        elif isinstance(value, list):
            left += [((*at, index), inner) for index, inner in enumerate(value)]
        elif isinstance(value, str):
            yield from _unstorable_text(at, value)
        elif isinstance(value, int) and not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            yield at, "is an integer of more than 64 bits; write it as text"
        elif isinstance(value, float) and not math.isfinite(value):
            yield at, "is a number that JSON does not have"


def _unstorable_text(at: Place, text: str) -> Iterator[tuple[Place, str]]:
    try:
        storable(text)
    except ValueError as error:
        yield at, str(error)
