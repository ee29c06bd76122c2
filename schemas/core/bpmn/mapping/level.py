"""What a process or a sub-process holds, as a graph: what was added for BPMN's sake is folded back."""

from collections.abc import Iterator
from typing import Any

from schemas.core.bpmn.mapping.foreign.elements import Open
from schemas.core.bpmn.mapping.foreign.expressions import UnreadableExpression, condition_of
from schemas.core.bpmn.mapping.record import ProcessRecord, is_step
from schemas.core.bpmn.model import (
    BpmnExpression,
    ElementKind,
    EventKind,
    Flow,
    FlowNode,
    Inside,
    Lane,
)
from schemas.core.bpmn.own_fields import (
    ADDED,
    CATCH_PART,
    DECISIONS,
    NEEDS,
    TARGET,
    has_mark,
    names_said,
)
from statemachine.workflow.step import END

_ASKING = (ElementKind.USER_TASK, ElementKind.MANUAL_TASK)
_LONGEST_LANE = 64


class Level:
    """The flow nodes of one process or sub-process and what leads where among them."""

    def __init__(
        self, inside: Inside, record: ProcessRecord, *, inside_process: bool = False, by_event: bool = False
    ) -> None:
        self.inside = inside
        self.record = record
        self.by_event = by_event
        self.inside_process = inside_process
        self.nodes = {node.id: node for node in inside.nodes}
        self.invented: list[dict[str, Any]] = []
        """Steps that no flow node is."""
        self._going: dict[str, list[Flow]] = {}
        self._coming: dict[str, list[Flow]] = {}
        for flow in inside.flows:
            if not has_mark(flow.attributes, ADDED) and flow.target in self.nodes:
                self._going.setdefault(flow.source, []).append(flow)
                self._coming.setdefault(flow.target, []).append(flow)
        self._attached: dict[str, list[FlowNode]] = {}
        self._catching: dict[str | None, list[str]] = {}
        """The steps that catch a link, by its name."""
        for node in inside.nodes:
            if node.kind is ElementKind.BOUNDARY_EVENT:
                self._attached.setdefault(node.attached_to or "", []).append(node)
            elif node.kind is ElementKind.CATCH_EVENT:
                for event in node.events:
                    if event.kind is EventKind.LINK and node.id in record.ids:
                        self._catching.setdefault(event.name, []).append(record.ids[node.id])
        self._lanes = dict(_lanes(inside.lanes))

    def steps(self) -> Iterator[FlowNode]:
        """The flow nodes that are steps."""
        for node in self.inside.nodes:
            begins = self.by_event and node.kind is ElementKind.START_EVENT
            lifted = node.by_event and not self.inside_process
            if is_step(node) and not begins and not lifted and not self.holds_decisions(node):
                yield node

    def attached(self, node: FlowNode) -> list[FlowNode]:
        """The events at the border of an activity."""
        return self._attached.get(node.id, [])

    def lane(self, node: FlowNode) -> str:
        """The lane in which a node lies."""
        return self._lanes.get(node.id, "")[:_LONGEST_LANE]

    def holds_decisions(self, node: FlowNode) -> bool:
        """Whether a gateway is the answers of a human step."""
        coming = self._coming.get(node.id, [])
        return (
            has_mark(node.attributes, DECISIONS)
            and node.kind is ElementKind.EXCLUSIVE_GATEWAY
            and len(coming) == 1
            and self.nodes[coming[0].source].kind in _ASKING
        )

    def going(self, node: FlowNode) -> list[Flow]:
        """The flows by which a node leads on; those to what needs it are none."""
        return [flow for flow in self._going.get(node.id, []) if not self._is_need(self.nodes[flow.target])]

    def coming(self, node: FlowNode) -> list[Flow]:
        """The flows that lead to a node."""
        return self._coming.get(node.id, [])

    def needs(self, node: FlowNode) -> list[str]:
        """The steps that a step needs."""
        gates = [flow.source for flow in self.coming(node) if self._is_need(self.nodes[flow.source])]
        return [
            self.record.ids[flow.source]
            for gate in gates
            for flow in self._coming.get(gate, [])
            if flow.source in self.record.ids
        ]

    def targets(self, flow: Flow) -> list[str]:
        """The steps that a flow leads to."""
        found: dict[str, None] = {}
        passed: set[str] = set()
        left = [flow]
        while left:
            node = self.nodes[left.pop(0).target]
            if not has_mark(node.attributes, ADDED):
                found[self.record.ids[node.id]] = None
            elif node.kind is ElementKind.END_EVENT:
                found[node.attributes.get(TARGET, END)] = None
            elif node.id not in passed and not self._is_need(node):
                passed.add(node.id)
                left += self._going.get(node.id, [])
        return list(found)

    def all_targets(self, node: FlowNode) -> list[str]:
        """The steps that all flows of a node lead to."""
        return list(dict.fromkeys(target for flow in self.going(node) for target in self.targets(flow)))

    def linked(self, node: FlowNode) -> list[str]:
        """The steps that catch the link which this node throws."""
        names = dict.fromkeys(event.name for event in node.events if event.kind is EventKind.LINK)
        return [step for name in names for step in self._catching.get(name, ())]

    def point(self, node: FlowNode, message: str, *fields: str) -> None:
        """Note what is left open, unless one of these fields is said in our namespace."""
        said = names_said(node.extensions) | names_said(node.extensions, CATCH_PART)
        if not said.intersection(fields):
            self.record.point(node, message)

    def left_open(self, node: FlowNode) -> Open:
        """What notes something as open at this node."""
        return lambda message: self.record.point(node, message)

    def condition(self, expression: BpmnExpression, node: FlowNode, *fields: str) -> str:
        """A condition in our language; null where it cannot be read."""
        try:
            return condition_of(expression)
        except UnreadableExpression:
            text = expression.text.strip()
            what = f"the condition '{text:.200}' says nothing that our expressions say; write it in ours"
            self.point(node, what if text else "there is no condition", *fields)
            return "null"

    def _is_need(self, node: FlowNode) -> bool:
        return has_mark(node.attributes, NEEDS) and has_mark(node.attributes, ADDED)


def one(targets: list[str]) -> str | list[str]:
    """One target as a text, several as a list, none as the end."""
    return END if not targets else targets[0] if len(targets) == 1 else targets


def _lanes(lanes: tuple[Lane, ...]) -> Iterator[tuple[str, str]]:
    for lane in lanes:
        yield from ((node, lane.name or lane.id) for node in lane.nodes)
        yield from _lanes(lane.lanes)
