"""The steps of a definition or of a scope as flow nodes and sequence flows."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from schemas.core.bpmn.exporting.drawing import Drawing
from schemas.core.bpmn.exporting.kept import kept_of
from schemas.core.bpmn.exporting.lanes import lanes_of
from schemas.core.bpmn.exporting.nodes import event_of, is_activity, marks_of, shape_of
from schemas.core.bpmn.exporting.plane import Plane
from schemas.core.bpmn.exporting.written import (
    expression,
    names,
    objects,
    said,
    several,
    targets_of,
    undoes_alone,
    ways_to,
    without_next,
)
from schemas.core.bpmn.model import (
    BpmnExpression,
    ElementKind,
    EventDefinition,
    EventKind,
    FlowNode,
    Inside,
)
from schemas.core.bpmn.own_fields import ADDED, DECISIONS, NEEDS, ON_ERROR, STEP
from schemas.core.bpmn.xml.names import UNPEND
from statemachine.workflow.step import END

Fields = Mapping[str, Any]

_MARK: Final = "true"
_DEFAULTS: Final = (ElementKind.EXCLUSIVE_GATEWAY, ElementKind.INCLUSIVE_GATEWAY)
"""The gateways that may name a flow that is taken where no condition holds; activities may, too."""
_DONE: Final = ("done",)


class DrawnLevel:
    """What one process or sub-process holds, as far as it is drawn."""

    def __init__(
        self,
        name: str,
        steps: list[Fields],
        led: frozenset[str],
        drawing: Drawing,
        before: Inside | None = None,
        *,
        by_event: bool = False,
    ) -> None:
        self._by_event = by_event
        self._name = name
        self._before = before
        """What the file has here with which the definition came."""
        self._drawing = drawing
        self._here = {str(step["id"]): step for step in steps}
        self._plane = Plane(name, self._here, drawing)
        self._associations: list[tuple[str, str]] = []
        self._needed = {need for step in steps for need in self._drawn_needs(step)}
        self._led_by_whole = led
        self._led = led | {target for step in steps for target in targets_of(step)}
        self._undoing = frozenset(self._drawn_undoing())

    def inside(self) -> Inside:
        """The flow nodes, the flows and the lanes."""
        kept = self._drawing.kept
        first = [
            name
            for name, step in self._here.items()
            if name not in self._led
            and not step.get("needs")
            and not (kept is not None and kept.begins(name))
        ]
        self._begun()
        if first and not self._by_event:
            start = self._plane.added(ElementKind.START_EVENT, f"{self._name}_start")
            self._plane.lead(start, first)
        for step in self._here.values():
            self._draw(step)
        there = {node.id for node in self._plane.nodes} | {flow.id for flow in self._plane.flows}
        return Inside(
            nodes=tuple(self._plane.nodes),
            flows=tuple(self._plane.flows),
            lanes=tuple(lanes_of(self._name, self._here, there, self._before, self._drawing)),
            associations=tuple(self._associations),
            kept=() if self._before is None else kept_of(self._before, there),
        )

    def _begun(self) -> None:
        """Draw the events that begin an event sub-process, as they stood."""
        if self._before is None or not self._by_event:
            return
        here = {self._drawing.nodes[name] for name in self._here}
        for node in self._before.nodes:
            if node.kind is ElementKind.START_EVENT:
                self._plane.nodes.append(node)
                for flow in self._before.flows:
                    if flow.source == node.id and flow.target in here:
                        self._plane.flow(node.id, flow.target)

    # Nodes

    def _draw(self, step: Fields) -> None:
        name = str(step["id"])
        node_id = self._drawing.nodes[name]
        kept = self._drawing.kept
        shape = shape_of(step, self._drawing)
        if kept is not None:
            shape = kept.shape(step, shape)
        attributes = {**shape.pop("attributes", {}), **({STEP: name} if node_id != name else {})}
        self._drawing.steps[node_id] = step
        if shape["kind"] is ElementKind.SUB_PROCESS:
            shape["inside"] = self._inner(step)
            shape["by_event"] = kept is not None and name in kept.held
        at = len(self._plane.nodes)
        node = FlowNode(
            id=node_id,
            name=shape.pop("name", said(step.get("title"))),
            attributes=attributes,
            for_compensation=name in self._undoing,
            **shape,
        )
        self._plane.nodes.append(node)
        self._need(step, node)
        default = self._ways(step, node)
        if default is not None and (is_activity(node.kind) or node.kind in _DEFAULTS):
            self._plane.nodes[at] = replace(node, default=default)
        if is_activity(node.kind):
            self._border(step, node)

    def _inner(self, step: Fields) -> Inside:
        steps = [each for each in objects(step.get("steps")) if isinstance(each.get("id"), str)]
        kept, name = self._drawing.kept, str(step["id"])
        before = None if kept is None else kept.inside(name)
        by_event = kept is not None and name in kept.held
        return DrawnLevel(name, steps, frozenset(), self._drawing, before, by_event=by_event).inside()

    # What leads where

    def _ways(self, step: Fields, node: FlowNode) -> str | None:
        """Draw what follows a step; the id of the flow that is taken where no condition holds."""
        is_link = any(event.kind is EventKind.LINK for event in node.events)
        if node.kind is ElementKind.END_EVENT or (is_link and node.kind is ElementKind.THROW_EVENT):
            return None
        before = len(self._plane.flows)
        default = None
        if step.get("type") == "human":
            self._decisions(step, node.id)
        elif node.kind is ElementKind.EVENT_GATEWAY:
            self._events(step, node.id)
        elif "events" in step:
            self._caught(step, node)
        else:
            default = self._following(step, node)
        name = str(step["id"])
        held = self._drawing.kept is not None and name in self._drawing.kept.held
        ends = held or name in self._needed or name in self._undoing or self._drawing.ends_at(node.id)
        if len(self._plane.flows) == before and not ends:
            self._plane.flow(node.id, self._plane.target(END), attributes={ADDED: _MARK})
        return default

    def _following(self, step: Fields, node: FlowNode) -> str | None:
        is_gateway = step.get("type") == "gateway"
        otherwise = names(step.get("else"))
        if "condition" in step:
            self._plane.branch(node.id, names(step.get("next")), expression(step["condition"]))
            return self._plane.branch(node.id, otherwise) if otherwise else None
        default = None
        written = several(step.get("next"))
        parted = any(isinstance(each, Mapping) and "if" in each for each in written)
        for each in written:
            if isinstance(each, str):
                self._plane.lead(node.id, [each])
            elif isinstance(each, Mapping):
                condition = expression(each.get("if"))
                flow = self._plane.branch(node.id, names(each.get("to")), condition)
                if condition is None and parted and "if" not in each and not otherwise and default is None:
                    default = flow
        if otherwise and is_gateway:
            default = self._plane.branch(node.id, otherwise)
        return default

    def _decisions(self, step: Fields, source: str) -> None:
        decisions = step.get("decisions")
        if not isinstance(decisions, Mapping) or not decisions:
            return
        if tuple(decisions) == _DONE:
            self._plane.lead(source, names(decisions["done"]))
            return
        gate = self._plane.added(ElementKind.EXCLUSIVE_GATEWAY, f"{step['id']}_decisions", DECISIONS)
        self._plane.flow(source, gate)
        for answer, target in decisions.items():
            condition = BpmnExpression(text=f"decision == {said(answer)!r}", language=UNPEND)
            self._plane.branch(gate, names(target), condition, said(answer))

    def _events(self, step: Fields, gateway: str) -> None:
        for entry in objects(step.get("events")):
            if self._is_caught(entry):
                self._plane.flow(gateway, self._plane.target(str(entry["next"])))
                continue
            event = event_of(entry, self._drawing)
            events = () if event is None else (event,)
            caught = self._plane.added(
                ElementKind.CATCH_EVENT, f"{step['id']}_event", events=events, attributes=marks_of(entry)
            )
            self._drawing.entries[caught] = without_next(entry)
            self._plane.flow(gateway, caught)
            self._plane.lead(caught, names(entry.get("next")))

    def _is_caught(self, entry: Fields) -> bool:
        """Whether the step that follows is drawn as the event itself."""
        kept, then = self._drawing.kept, entry.get("next")
        return kept is not None and isinstance(then, str) and then in kept.caught and then in self._here

    def _caught(self, step: Fields, node: FlowNode) -> None:
        """What a wait leads to that is one node."""
        entries = objects(step.get("events"))
        if len(entries) == 1 and node.kind is ElementKind.CATCH_EVENT:
            self._drawing.entries[node.id] = without_next(entries[0])
        targets = (target for entry in entries for target in names(entry.get("next")))
        self._plane.lead(node.id, list(dict.fromkeys((*targets, *names(step.get("next"))))))

    def _need(self, step: Fields, node: FlowNode) -> None:
        needs = self._drawn_needs(step)
        if not needs:
            return
        gate = self._plane.added(ElementKind.PARALLEL_GATEWAY, f"{step['id']}_needs", NEEDS)
        for need in needs:
            self._plane.flow(self._drawing.nodes[need], gate)
        self._plane.flow(gate, node.id)

    def _drawn_needs(self, step: Fields) -> list[str]:
        needs = names(step.get("needs"))
        return needs if all(need in self._here for need in needs) else []

    def _border(self, step: Fields, node: FlowNode) -> None:
        for entry in objects(step.get("on")):
            event = event_of(entry, self._drawing)
            self._attached(node, "on", event, names(entry.get("next")), entry)
        handler = names(step.get("on_error"))
        if handler and self._plane.target(handler[0]) is not None:
            self._attached(node, "on_error", EventDefinition(kind=EventKind.ERROR), handler, None)
        undoing = step.get("compensate")
        if undoing in self._undoing:
            event = EventDefinition(kind=EventKind.COMPENSATE)
            boundary = self._attached(node, "compensation", event, [], None)
            self._associations.append((boundary, self._drawing.nodes[str(undoing)]))

    def _attached(
        self,
        node: FlowNode,
        what: str,
        event: EventDefinition | None,
        targets: list[str],
        entry: Fields | None,
    ) -> str:
        kept = self._drawing.kept
        before = None
        if kept is not None and entry is not None:
            used = {each.id for each in self._plane.nodes}
            before = kept.border(node.id, without_next(entry), used)
        elif kept is not None and what == "compensation":
            before = kept.undoing(node.id)
        node_id = self._drawing.id(f"{node.id}_{what}") if before is None else before.id
        attributes = {ON_ERROR: _MARK} if what == "on_error" else {} if entry is None else marks_of(entry)
        drawn = FlowNode(
            id=node_id,
            kind=ElementKind.BOUNDARY_EVENT,
            events=() if event is None else (event,),
            attached_to=node.id,
            interrupts=entry is None or entry.get("interrupts") is not False,
            attributes=attributes,
        )
        self._plane.nodes.append(drawn if before is None else before)
        if entry is not None:
            self._drawing.entries[node_id] = without_next(entry)
        self._plane.lead(node_id, targets)
        return node_id

    def _drawn_undoing(self) -> Iterator[str]:
        """The steps that undo others and are nothing else."""
        led = {target for each in self._here.values() for target in ways_to(each)} | self._led_by_whole
        for step in self._here.values():
            for name in names(step.get("compensate")):
                undoing = self._here.get(name)
                if undoing is not None and undoing is not step and name not in led and undoes_alone(undoing):
                    yield name
