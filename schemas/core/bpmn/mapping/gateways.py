"""Gateways: where branches part, and where they wait for one another."""

from typing import Any

from schemas.core.bpmn.mapping import events, ways
from schemas.core.bpmn.mapping.level import Level, one
from schemas.core.bpmn.model import ElementKind, FlowNode

Fields = dict[str, Any]


def exclusive(node: FlowNode, level: Level) -> Fields:
    """The first branch whose condition holds."""
    return {"type": "gateway", **ways.gateway(node, level)}


def inclusive(node: FlowNode, level: Level) -> Fields:
    """Every branch whose condition holds, and those that were taken are waited for."""
    return {"type": "gateway", "mode": "inclusive", **_join(node, level), **ways.gateway(node, level)}


def parallel(node: FlowNode, level: Level) -> Fields:
    """All branches, and all are waited for."""
    return {"type": "gateway", "mode": "parallel", **_join(node, level), **ways.following(node, level)}


def counting(node: FlowNode, level: Level) -> Fields:
    """A complex gateway: our `join`, said in its extensions, is how many branches it waits for."""
    return {"type": "gateway", "mode": "parallel", **ways.following(node, level)}


def _join(node: FlowNode, level: Level) -> Fields:
    return {"join": "all"} if len(level.coming(node)) > 1 else {}


def by_event(node: FlowNode, level: Level) -> Fields:
    """The first event that happens; its own flows follow it."""
    caught: list[Fields] = []
    for flow in level.going(node):
        behind = level.nodes[flow.target]
        then = one(level.targets(flow)) if behind.id in level.record.ids else one(level.all_targets(behind))
        if behind.kind is ElementKind.RECEIVE_TASK:
            received = events.received_by(behind)
            caught.append({**events.entry(received, behind, level), "next": then})
        elif behind.events:
            caught += [{**each, "next": then} for each in events.entries(behind, level)]
        else:
            level.point(node, f"the flow '{flow.name or flow.id}' leads to no event", "events")
    return {"type": "wait", "events": caught}
