"""What a run of the reference interpreter is made of: scopes, open steps, waiting tokens, rows of what has ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.workflow.written_graph import Written, WrittenGraph

Given = Mapping[str, Any]
Behaviour = Callable[[str, int | None, int], "Came"]
"""What an action comes to: by its node, which element or repetition it is, and how many tries have failed."""
Path = tuple[tuple[str, int | None], ...]

INCIDENT = "$incident"
STUCK = "join_incomplete"
"""How what is around fails where branches wait for others, and nothing is open that could lead to these."""
DECISIONS = ("retry", "skip", "fail")


@dataclass(frozen=True, slots=True)
class Came:
    """What one try of an action came to: an output, or the code of a failure, which may pass by itself."""

    output: Given | None = None
    code: str = ""
    passes: bool = False


class Fault(Exception):
    """A step has no value to go on with."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Row:
    """A step that has ended."""

    path: Path
    node: str
    element: int | None
    state: str
    given: Given | None
    """Its input; none of a step that took no time."""


@dataclass(eq=False, slots=True)
class Open:
    """A step that takes time, and has not ended."""

    scope: "Scope"
    step: Written
    brought: Given
    """What led to it gave it."""
    given: Given
    """Its input: that, and its parameters, which go before."""
    element: int | None = None
    tries: int = 0
    loops: bool = False
    """Whether it stands for all elements of a loop."""

    @property
    def node(self) -> str:
        return str(self.step["id"])


@dataclass(eq=False, slots=True)
class Scope:
    """The inside of a step, or of the run."""

    graph: WrittenGraph
    owner: Open | None = None
    bound: Given = field(default_factory=dict)
    elements: list[Any] | None = None
    """Of a loop."""
    begun: int = 0
    closed: bool = False
    """Whether no further element is to be begun."""
    results: dict[int, Any] = field(default_factory=dict)
    opened: list[Open] = field(default_factory=list)
    tokens: list[tuple[str, str, Given]] = field(default_factory=list)
    """Those that wait at a join: where, from which step they come, what they bring; in the order in which they came."""
    let_in: dict[str, list[str]] = field(default_factory=dict)
    """By join that has gone on early, the flows of its round that have come."""
    outputs: dict[str, Given] = field(default_factory=dict)

    @property
    def around(self) -> "Scope | None":
        return None if self.owner is None else self.owner.scope

    @property
    def path(self) -> Path:
        return () if self.owner is None else (*self.owner.scope.path, (self.owner.node, self.owner.element))
