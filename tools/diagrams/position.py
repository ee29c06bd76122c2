"""Where a run stands in its definition: which nodes are done, open or failed, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class NodeState(Enum):
    """How a node stands that was entered."""

    DONE = "done"
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCounts:
    """How often a node is done, open, failed."""

    done: int = 0
    open: int = 0
    failed: int = 0

    @property
    def state(self) -> NodeState | None:
        """What matters most to who looks at it; none: it was not entered."""
        if self.failed:
            return NodeState.FAILED
        if self.open:
            return NodeState.OPEN
        return NodeState.DONE if self.done else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPosition:
    """A run's nodes that were entered, by their ids."""

    nodes: Mapping[str, NodeCounts] = field(default_factory=dict)
