"""The flow nodes and sequence flows of one process or sub-process, as they are drawn."""

from collections.abc import Mapping
from typing import Any, Final

from schemas.core.bpmn.exporting.drawing import Drawing
from schemas.core.bpmn.model import BpmnExpression, ElementKind, Flow, FlowNode
from schemas.core.bpmn.own_fields import ADDED, TARGET, TARGETS
from statemachine.workflow.step import END, ORIGIN

_MARK: Final = "true"


class Plane:
    """Draws nodes and flows among the steps that lie here."""

    def __init__(self, name: str, here: Mapping[str, object], drawing: Drawing) -> None:
        self.nodes: list[FlowNode] = []
        self.flows: list[Flow] = []
        self._name = name
        self._here = here
        self._drawing = drawing
        self._special: dict[str, str] = {}
        """The added end events, by the target that they stand for."""

    def added(self, kind: ElementKind, wished: str, *marks: str, **fields: Any) -> str:
        """A node that is there for BPMN's sake."""
        node_id = self._drawing.id(wished)
        attributes = {ADDED: _MARK, **dict.fromkeys(marks, _MARK), **fields.pop("attributes", {})}
        self.nodes.append(FlowNode(id=node_id, kind=kind, attributes=attributes, **fields))
        return node_id

    def target(self, name: str) -> str | None:
        """The node that a target is; none where it lies elsewhere."""
        if name in self._here:
            return self._drawing.nodes[name]
        if name not in (END, ORIGIN):
            return None
        if name not in self._special:
            attributes = {} if name == END else {TARGET: name}
            wished = f"{self._name}_{name.strip('$')}"
            self._special[name] = self.added(ElementKind.END_EVENT, wished, attributes=attributes)
        return self._special[name]

    def lead(self, source: str, targets: list[str]) -> None:
        """A flow to each of these."""
        if targets == [END] and self._drawing.ends_at(source):
            return
        for target in targets:
            self.flow(source, self.target(target))

    def branch(
        self, source: str, targets: list[str], condition: BpmnExpression | None = None, name: str = ""
    ) -> str | None:
        """One flow to all of these."""
        drawn = [node for node in map(self.target, targets) if node is not None]
        if len(drawn) == 1:
            return self.flow(source, drawn[0], condition, name)
        if not drawn:
            return None
        gate = self.added(ElementKind.PARALLEL_GATEWAY, f"{source}_targets", TARGETS)
        found = self.flow(source, gate, condition, name)
        for node in drawn:
            self.flow(gate, node)
        return found

    def flow(
        self,
        source: str,
        target: str | None,
        condition: BpmnExpression | None = None,
        name: str = "",
        attributes: Mapping[str, str] | None = None,
    ) -> str | None:
        """A flow; none to what cannot be drawn."""
        if target is None:
            return None
        flow = Flow(
            id=self._drawing.flow(),
            source=source,
            target=target,
            name=name,
            condition=condition,
            attributes=attributes or {},
        )
        if self._drawing.kept is not None:
            flow = self._drawing.kept.flow(flow)
        self.flows.append(flow)
        return flow.id
