"""Models of BPMN by chance: every kind of element and event, nested, with loops, lanes, conditions and extensions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from schemas.core.bpmn.model import (
    BpmnExpression,
    BpmnModel,
    BpmnProcess,
    ElementKind,
    EventDefinition,
    EventKind,
    Flow,
    FlowNode,
    Inside,
    Lane,
    Loop,
    XmlNode,
)
from schemas.core.bpmn.reading.events import REFERENCES, TIMES
from schemas.core.bpmn.reading.flow_nodes import ACTIVITIES, EVENTS, MESSAGE_TASKS
from schemas.core.bpmn.xml.names import BPMN, BPMNDI, DC, DI, UNPEND, XSI, ZEEBE, bpmn
from tests.support.bpmn.diagrams import diagram
from tests.support.bpmn.texts import FOREIGN, expressions, extensions, foreign_attributes, names, texts

DEEPEST = 3
DEFAULTS = ACTIVITIES | {
    ElementKind.EXCLUSIVE_GATEWAY,
    ElementKind.INCLUSIVE_GATEWAY,
    ElementKind.COMPLEX_GATEWAY,
}
JOIN = XmlNode(tag=f"{{{UNPEND}}}field", attributes={"name": "join"}, text='"any"')
ROOT_NAMES = {
    EventKind.MESSAGE: ("message", "name"),
    EventKind.SIGNAL: ("signal", "name"),
    EventKind.ERROR: ("error", "errorCode"),
    EventKind.ESCALATION: ("escalation", "escalationCode"),
}


def element(kind: str, text: str = "", /, *children: XmlNode, **attributes: str) -> XmlNode:
    return XmlNode(tag=bpmn(kind), text=text, children=children, attributes=attributes)


class Chance:
    """A file that is drawn: its ids, each once, and its root elements."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self._ids = 0
        self.roots: dict[EventKind, list[XmlNode]] = {}
        for kind, (name, said) in ROOT_NAMES.items():
            drawn = draw(st.lists(st.one_of(st.none(), texts.filter(bool)), max_size=2))
            self.roots[kind] = [
                element(name, id=self.new_id(), **({} if each is None else {said: each})) for each in drawn
            ]

    def new_id(self, *words: str) -> str:
        self._ids += 1
        return f"{self.draw(st.sampled_from(words or ('id_', '节点', '_a-b.c')))}{self._ids}"

    def some(self, strategy: st.SearchStrategy[Any]) -> Any:
        """What the strategy gives, or none."""
        return self.draw(st.one_of(st.none(), strategy))

    def true(self) -> bool:
        return bool(self.draw(st.booleans()))

    def reference(self, kind: EventKind) -> tuple[str | None, str | None]:
        root = self.some(st.sampled_from(self.roots[kind])) if self.roots[kind] else None
        return (
            (None, None)
            if root is None
            else (root.attributes["id"], root.attributes.get(ROOT_NAMES[kind][1]))
        )

    def kept(self, *further: str) -> tuple[XmlNode, ...]:
        """What an element has besides, in the order of the XSD."""
        documentation = (element("documentation", self.draw(texts), textFormat="text/html"),)
        return (
            *(documentation if self.true() else ()),
            *(element(name, id=self.new_id()) for name in further if self.true()),
        )

    def event(self, kind: EventKind, activities: Sequence[str]) -> EventDefinition:
        reference, name = self.reference(kind) if kind in REFERENCES else (None, None)
        timed = kind is EventKind.TIMER and self.true()
        return EventDefinition(
            kind=kind,
            id=self.new_id() if self.true() else None,
            reference=reference,
            name=self.draw(texts.filter(bool)) if kind is EventKind.LINK else name,
            expression=self.draw(expressions) if timed or kind is EventKind.CONDITIONAL else None,
            timer=self.draw(st.sampled_from(TIMES)) if timed else None,
            activity=self.some(st.sampled_from(activities))
            if kind is EventKind.COMPENSATE and activities
            else None,
            waits=kind is not EventKind.COMPENSATE or self.true(),
            kept=(element("documentation", self.draw(texts)),) if self.true() else (),
            attributes=self.draw(foreign_attributes),
        )

    def loop(self) -> Loop:
        if self.true():
            return Loop(
                condition=self.some(expressions),
                most=self.some(st.integers(0, 10**6)),
                tests_before=self.true(),
                attributes=self.draw(foreign_attributes),
            )
        counted = self.true()
        item = element("inputDataItem", id=self.new_id(), name="甲") if self.true() else None
        return Loop(
            multi=True,
            sequential=self.true(),
            count=self.some(expressions) if counted else None,
            items=None if counted else self.some(st.just(BpmnExpression(text="orders"))),
            element="甲" if item else self.some(texts),
            until=self.some(expressions),
            kept=() if item is None else (item,),
            attributes={"id": self.new_id(), "behavior": "All"},
        )

    def node(self, kind: ElementKind, hosts: Sequence[str], depth: int) -> FlowNode:
        activity = kind in ACTIVITIES
        inside = self.inside(depth + 1) if kind is ElementKind.SUB_PROCESS else None
        reference, message = self.reference(EventKind.MESSAGE) if kind in MESSAGE_TASKS else (None, None)
        events = self.draw(st.lists(st.sampled_from(EventKind), max_size=2)) if kind in EVENTS else ()
        script = ElementKind.SCRIPT_TASK is kind and self.true()
        further = ("auditing", "monitoring", "property") if activity or kind in EVENTS else ("auditing",)
        return FlowNode(
            id=self.new_id(),
            kind=kind,
            name=self.draw(names),
            documentation=self.draw(texts),
            events=tuple(self.event(each, hosts) for each in events),
            attached_to=self.draw(st.sampled_from(hosts)) if kind is ElementKind.BOUNDARY_EVENT else None,
            interrupts=kind not in {ElementKind.BOUNDARY_EVENT, ElementKind.START_EVENT} or self.true(),
            loop=self.loop() if activity and self.true() else None,
            inside=inside,
            by_event=inside is not None and self.true(),
            for_compensation=activity and self.true(),
            called=self.some(st.just("called_one")) if kind is ElementKind.CALL_ACTIVITY else None,
            script=BpmnExpression(text=self.draw(texts), language=self.some(texts.filter(bool)))
            if script
            else None,
            reference=reference,
            message=message,
            extensions=self.draw(extensions) + ((JOIN,) if kind is ElementKind.COMPLEX_GATEWAY else ()),
            kept=self.kept(*further, *(("rendering",) if kind is ElementKind.USER_TASK else ())),
            attributes=self.draw(foreign_attributes),
        )

    def inside(self, depth: int = 0) -> Inside:
        kinds = [
            kind
            for kind in ElementKind
            if kind is not ElementKind.BOUNDARY_EVENT
            and (kind is not ElementKind.SUB_PROCESS or depth < DEEPEST)
        ]
        nodes = [
            self.node(kind, (), depth) for kind in self.draw(st.lists(st.sampled_from(kinds), max_size=4))
        ]
        hosts = [node.id for node in nodes if node.kind in ACTIVITIES]
        if hosts and self.true():
            nodes.append(self.node(ElementKind.BOUNDARY_EVENT, hosts, depth))
        return self._joined(nodes, hosts)

    def _joined(self, nodes: list[FlowNode], hosts: Sequence[str]) -> Inside:
        """These nodes with flows between them, lanes, and artifacts."""
        ids = [node.id for node in nodes]
        pairs = (
            self.draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), max_size=4))
            if ids
            else ()
        )
        flows = tuple(
            Flow(
                id=self.new_id(),
                source=source,
                target=target,
                name=self.draw(names),
                condition=self.some(expressions),
                kept=self.kept("auditing"),
                attributes={"isImmediate": "true"} if self.true() else {},
            )
            for source, target in pairs
        )
        artifacts, associations = self._artifacts(nodes, hosts)
        return Inside(
            nodes=tuple(self._with_default(node, flows) for node in nodes),
            flows=flows,
            lanes=self._lanes(ids) if self.true() else (),
            associations=associations,
            kept=artifacts,
        )

    def _with_default(self, node: FlowNode, flows: tuple[Flow, ...]) -> FlowNode:
        leaving = [flow.id for flow in flows if flow.source == node.id]
        if node.kind in DEFAULTS and leaving and self.true():
            return replace(node, default=leaving[0])
        return node

    def _lanes(self, ids: Sequence[str], depth: int = 0) -> tuple[Lane, ...]:
        lane_set = self.new_id()
        return tuple(
            Lane(
                id=self.new_id(),
                name=self.draw(names),
                nodes=tuple(ids),
                lanes=self._lanes(ids, depth + 1) if depth < 2 and self.true() else (),
                set_id=lane_set,
                kept=self.kept(),
                attributes=self.draw(foreign_attributes),
            )
            for _ in range(2)
        )

    def _artifacts(
        self, nodes: Sequence[FlowNode], hosts: Sequence[str]
    ) -> tuple[tuple[XmlNode, ...], tuple[tuple[str, str], ...]]:
        """Data and artifacts, and what compensation events lead to, by associations that are kept and others."""
        store, note = self.new_id(), self.new_id()
        kept = [
            element("dataObject", id=store, name="数据"),
            element("dataObjectReference", id=self.new_id(), dataObjectRef=store),
            element("textAnnotation", "", element("text", self.draw(texts)), id=note),
            element("association", id=self.new_id(), sourceRef=note, targetRef=store),
        ]
        compensating = [
            node.id
            for node in nodes
            if node.attached_to and any(event.kind is EventKind.COMPENSATE for event in node.events)
        ]
        drawn = [(source, hosts[0]) for source in compensating if self.true()]
        kept += [element("association", id=self.new_id(), sourceRef=one, targetRef=to) for one, to in drawn]
        others = [(source, hosts[-1]) for source in compensating if self.true()]
        others = [pair for pair in others if pair not in drawn]
        return (tuple(kept) if self.true() or drawn else ()), (*drawn, *others)

    def process(self) -> BpmnProcess:
        return BpmnProcess(
            id=self.new_id(),
            inside=self.inside(),
            name=self.draw(names),
            documentation=self.draw(texts),
            is_executable=self.true(),
            extensions=self.draw(extensions),
            attributes={"processType": "Private"} if self.true() else {},
        )

    def model(self) -> BpmnModel:
        processes = tuple(self.process() for _ in range(self.draw(st.integers(1, 2))))
        pools = [
            element("participant", id=self.new_id(), name="池", processRef=each.id) for each in processes
        ]
        collaboration = element("collaboration", "", *pools, id=self.new_id())
        others = {"": BPMN} if self.true() else {"semantic": BPMN}
        return BpmnModel(
            processes=processes,
            attributes={"targetNamespace": "urn:someone", "id": self.new_id(), "name": self.draw(texts)},
            prefixes={
                **others,
                "di": DI,
                "dc": DC,
                "bpmndi": BPMNDI,
                "x": XSI,
                "f": FOREIGN,
                "g": "urn:foreign:2",
                "zeebe": ZEEBE,
                "unpend": UNPEND,
            },
            roots=tuple(root for roots in self.roots.values() for root in roots),
            collaboration=(collaboration,) if self.true() else (),
            diagrams=tuple(diagram(each, self.new_id) for each in processes if self.true()),
        )


@st.composite
def models(draw: Any) -> BpmnModel:
    """Any model that a file can hold."""
    return Chance(draw).model()
