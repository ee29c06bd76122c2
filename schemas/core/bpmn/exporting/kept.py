"""The file that a definition came with: what of it still holds is drawn as it stood."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from schemas.core.bpmn.exporting.written import objects
from schemas.core.bpmn.mapping.foreign.expressions import UnreadableExpression, condition_of
from schemas.core.bpmn.mapping.process import ReadProcess, read_process
from schemas.core.bpmn.mapping.record import nodes_of
from schemas.core.bpmn.model import (
    BpmnExpression,
    BpmnModel,
    BpmnProcess,
    ElementKind,
    EventKind,
    Flow,
    FlowNode,
    Inside,
    XmlNode,
)
from schemas.core.bpmn.own_fields import is_own, same
from schemas.core.bpmn.reading import read_model

Fields = Mapping[str, Any]

_WAYS: Final = frozenset(
    {"next", "condition", "else", "decisions", "on", "on_error", "compensate", "needs", "steps"}
)
_ID: Final = re.compile(r"""\bid=["']([^"']+)["']""")
_WORK: Final = frozenset(
    {
        ElementKind.TASK,
        ElementKind.SERVICE_TASK,
        ElementKind.BUSINESS_RULE_TASK,
        ElementKind.SEND_TASK,
        ElementKind.SCRIPT_TASK,
    }
)
_ASKING: Final = frozenset({ElementKind.USER_TASK, ElementKind.MANUAL_TASK})
_EVENT_SHAPES: Final = (ElementKind.CATCH_EVENT, ElementKind.RECEIVE_TASK)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file, and the definition that an import makes of it."""

    model: BpmnModel
    read: ReadProcess
    ids: frozenset[str]
    nodes: Mapping[str, FlowNode]
    """By step."""
    steps: Mapping[str, Fields]
    borders: Mapping[str, tuple[FlowNode, ...]]
    """The events at the border of an activity, by its id."""
    flows: dict[tuple[str, str], list[Flow]] = field(default_factory=dict)
    """Those that have not been drawn again, by their ends."""
    leading: frozenset[str] = frozenset()
    """The nodes that lead on."""
    led: frozenset[str] = frozenset()
    """The nodes that flows lead to."""
    invented: frozenset[str] = frozenset()
    """The steps that an import adds again."""
    held: frozenset[str] = frozenset()
    """The scopes that are event sub-processes of the process, where what breaks in upon it is the same."""
    caught: frozenset[str] = frozenset()
    """The steps that are events behind an event-based gateway of which nothing has changed."""

    @classmethod
    def of(cls, file: str, wanted: Fields) -> "KeptFile":
        """The file in this text, with which this definition came.

        Raises:
            RejectedBpmn: It is none.
        """
        model = read_model(file.encode("utf-8"))
        process = model.processes[0]
        read = read_process(process, model)
        nodes = {node.id: node for node in nodes_of(process.inside)}
        flows: dict[tuple[str, str], list[Flow]] = {}
        for flow in _flows_of(process.inside):
            flows.setdefault((flow.source, flow.target), []).append(flow)
        borders: dict[str, tuple[FlowNode, ...]] = {}
        for node in nodes.values():
            if node.attached_to is not None:
                borders[node.attached_to] = (*borders.get(node.attached_to, ()), node)
        before = {step["id"]: step for step in _all_steps(read.body)}
        now = {str(step.get("id")): step for step in _all_steps(wanted)}
        return cls(
            model=model,
            read=read,
            ids=frozenset(_ID.findall(file)),
            nodes={step: nodes[node] for node, step in read.record.ids.items() if node in nodes},
            steps=before,
            borders=borders,
            flows=flows,
            invented=frozenset(
                step
                for node, step in read.record.ids.items()
                if node not in nodes
                and same(read.body.get("triggers"), wanted.get("triggers"))
                and same(before.get(step), now.get(step))
                and step == read.body["steps"][0]["id"]
            ),
            held=frozenset(
                read.record.ids[node.id]
                for node in process.inside.nodes
                if node.by_event and same(read.body.get("on"), wanted.get("on"))
            ),
            leading=frozenset(source for source, _ in flows),
            led=frozenset(target for _, target in flows),
            caught=frozenset(
                step
                for source, target in flows
                if (gateway := nodes.get(source)) is not None
                and gateway.kind is ElementKind.EVENT_GATEWAY
                and (step := read.record.ids.get(target, ""))
                and all(same(before.get(each), now.get(each)) for each in (step, read.record.ids[source]))
            ),
        )

    @property
    def process(self) -> BpmnProcess:
        """The process of the file."""
        return self.model.processes[0]

    def says(self, body: Fields) -> bool:
        """Whether the file says just this definition."""
        return same(self.read.body, body)

    def ends_at(self, node_id: str) -> bool:
        """Whether a node of the file leads nowhere."""
        return node_id in self.ids and node_id not in self.leading

    def begins(self, step: str) -> bool:
        """Whether a step was a node of the file that nothing led to."""
        return step in self.nodes and self.nodes[step].id not in self.led

    def shape(self, step: Fields, shape: dict[str, Any]) -> dict[str, Any]:
        """What is particular of a step's node, as it stood where the step is the same."""
        name = str(step["id"])
        node = self.nodes.get(name)
        if node is None or name not in self.steps:
            return shape
        before = self.steps[name]
        others = {
            "attributes": {**shape.get("attributes", {}), **node.attributes},
            "documentation": node.documentation,
            **({"name": node.name} if node.name == step.get("title") else {}),
            "extensions": tuple(each for each in node.extensions if not is_own(each)),
            "kept": node.kept,
        }
        if self._is_same(step, before, node):
            parts = ("kind", "events", "interrupts", "called", "script", "reference", "message", "loop")
            return {**shape, **{part: getattr(node, part) for part in parts}, **others}
        if any({node.kind, shape["kind"]} <= kinds for kinds in (_WORK, _ASKING)):
            return {**shape, "kind": node.kind, **others}
        return {**shape, **others} if node.kind is shape["kind"] else shape

    def _is_same(self, step: Fields, before: Fields, node: FlowNode) -> bool:
        apart = _WAYS
        if any(event.kind is EventKind.LINK for event in node.events):
            apart = apart - {"next"}
        if node.kind is ElementKind.END_EVENT:
            apart = apart - {"next"}
        is_link = any(event.kind is EventKind.LINK for event in node.events)
        if node.kind in _EVENT_SHAPES and step.get("type") == "pass" and not is_link:
            return step["id"] in self.caught
        return same(
            {name: value for name, value in step.items() if name not in apart},
            {name: value for name, value in before.items() if name not in apart},
        )

    def border(self, host: str, entry: Fields, used: Collection[str]) -> FlowNode | None:
        """The event at a border by which this is caught."""
        for node in self.borders.get(host, ()):
            if node.id not in used and len(node.events) == 1 and same(self._caught(node), entry):
                return node
        return None

    def undoing(self, host: str) -> FlowNode | None:
        """The event at a border that leads to what undoes an activity."""
        for node in self.borders.get(host, ()):
            if any(event.kind is EventKind.COMPENSATE for event in node.events):
                return node
        return None

    def _caught(self, node: FlowNode) -> Fields:
        return self.read.record.entries.get(node.id, {})

    def flow(self, flow: Flow) -> Flow:
        """A flow as it stood, where there was one of the same ends."""
        known = self.flows.get((flow.source, flow.target))
        if not known or flow.attributes:
            return flow
        before = known.pop(0)
        return replace(
            before,
            name=flow.name or before.name,
            condition=before.condition if _says(before.condition, flow.condition) else flow.condition,
        )

    def inside(self, scope: str | None) -> Inside | None:
        """What the file had in a sub-process, or in the process."""
        if scope is None:
            return self.process.inside
        node = self.nodes.get(scope)
        return None if node is None else node.inside


def _says(before: BpmnExpression | None, now: BpmnExpression | None) -> bool:
    if before is None or now is None:
        return before is now
    try:
        return condition_of(before) == now.text
    except UnreadableExpression:
        return now.text == "null"


def kept_of(inside: Inside, there: Collection[str]) -> tuple[XmlNode, ...]:
    """Artifacts and data; associations only where both ends are still there."""
    gone = {node.id for node in inside.nodes} | {flow.id for flow in inside.flows}
    gone -= set(there)
    return tuple(
        each
        for each in inside.kept
        if not gone & {each.attributes.get("sourceRef", ""), each.attributes.get("targetRef", "")}
    )


def _flows_of(inside: Inside) -> Iterator[Flow]:
    yield from inside.flows
    for node in inside.nodes:
        if node.inside is not None:
            yield from _flows_of(node.inside)


def _all_steps(around: Fields) -> Iterator[Fields]:
    for step in objects(around.get("steps")):
        yield step
        yield from _all_steps(step)
