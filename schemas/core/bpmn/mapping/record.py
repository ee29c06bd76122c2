"""What is noted while a process is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.core.bpmn.mapping.foreign import zeebe
from schemas.core.bpmn.mapping.names import step_ids, unused
from schemas.core.bpmn.model import BpmnModel, BpmnProcess, ElementKind, FlowNode, Inside
from schemas.core.bpmn.own_fields import ADDED, STEP, has_mark
from schemas.core.bpmn.problems import BpmnProblem

_LONGEST_MESSAGE = 500


@dataclass(slots=True)
class ProcessRecord:
    """The names of a process, and what was found in it."""

    ids: dict[str, str]
    """Of steps, by the ids of flow nodes."""
    keys: Mapping[str, str]
    """What correlates messages, by their ids."""
    points: list[tuple[str | None, BpmnProblem]] = field(default_factory=list)
    """What is open, each with its step."""
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What BPMN says of each step, by the ids of flow nodes."""
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What BPMN says of each event that is caught, by the ids of flow nodes."""
    starts: list[tuple[FlowNode, dict[str, Any] | None]] = field(default_factory=list)
    """The start events of the process, each with the trigger that it is."""

    @classmethod
    def of(cls, process: BpmnProcess, model: BpmnModel) -> "ProcessRecord":
        """An empty one."""
        wished = ((node.id, node.attributes.get(STEP, node.id)) for node in nodes_of(process.inside))
        return cls(ids=step_ids(wished), keys=dict(zeebe.correlation_keys(model.roots)))

    def invented(self, wished: str) -> str:
        """An id for a step that no flow node is."""
        taken = set(self.ids.values())
        name = unused(wished, taken.__contains__)
        self.ids[f"\0{name}"] = name
        return name

    def point(self, node: FlowNode, message: str) -> None:
        """Note what is left open at a flow node."""
        words = message if len(message) <= _LONGEST_MESSAGE else f"{message[: _LONGEST_MESSAGE - 1]}…"
        holder = node.attached_to or node.id
        problem = BpmnProblem(message=words, line=node.line or None, element=node.id)
        self.points.append((self.ids.get(holder), problem))


def nodes_of(inside: Inside) -> Iterator[FlowNode]:
    """The flow nodes that are steps, and events that are caught, those in sub-processes after their holder."""
    for node in inside.nodes:
        if not has_mark(node.attributes, ADDED):
            yield node
        if node.inside is not None:
            yield from nodes_of(node.inside)


def is_step(node: FlowNode) -> bool:
    """Whether a flow node is a step, and not there for BPMN's sake, or caught at another."""
    return not has_mark(node.attributes, ADDED) and node.kind is not ElementKind.BOUNDARY_EVENT
