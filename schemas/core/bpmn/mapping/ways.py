"""Sequence flows as `next`, `else` and `decisions`."""

from typing import Any

from schemas.core.bpmn.mapping.level import Level, one
from schemas.core.bpmn.model import ElementKind, Flow, FlowNode
from statemachine.workflow.step import END

_DONE = "done"


def following(node: FlowNode, level: Level) -> dict[str, Any]:
    """What follows an activity or an event: all flows without a condition, and those whose condition holds."""
    flows = level.going(node)
    parted = any(flow.condition is not None and flow.id != node.default for flow in flows)
    ways: list[Any] = []
    for flow in flows:
        targets = level.targets(flow)
        if parted and flow.id == node.default:
            ways.append({"to": one(targets)})
        elif flow.condition is not None and flow.id != node.default:
            ways.append(_branch(flow, node, level))
        else:
            ways += [target for target in targets if target not in ways]
    return _next(ways)


def gateway(node: FlowNode, level: Level) -> dict[str, Any]:
    """The branches of an exclusive or inclusive gateway."""
    flows = level.going(node)
    exclusive = node.kind is ElementKind.EXCLUSIVE_GATEWAY
    default = next((flow for flow in flows if flow.id == node.default), None)
    others = [flow for flow in flows if flow is not default]
    plain = [flow for flow in others if flow.condition is None]
    if len(flows) == 1 and (plain or default):
        targets = level.targets(flows[0])
        joins = not exclusive and len(level.coming(node)) > 1
        return {"next": one(targets) if joins else [{"to": one(targets)}]}
    otherwise = {} if default is None else {"else": one(level.targets(default))}
    if exclusive and default is not None and len(others) == 1 and not plain:
        condition = level.condition(others[0].condition, node, "next", "condition")  # type: ignore[arg-type]
        return {"condition": condition, "next": one(level.targets(others[0])), **otherwise}
    ways: list[Any] = []
    for flow in others:
        if flow.condition is not None:
            ways.append(_branch(flow, node, level))
        elif exclusive:
            level.point(node, f"the flow '{flow.name or flow.id}' has no condition", "next", "condition")
            ways.append({"to": one(level.targets(flow))})
        else:
            ways += level.targets(flow)
    return _next(ways) | otherwise


def decisions(node: FlowNode, level: Level) -> dict[str, str]:
    """The answers to a question, and where they lead."""
    flows = level.going(node)
    if not flows:
        return {_DONE: END}
    if len(flows) == 1 and flows[0].condition is None:
        behind = level.nodes[flows[0].target]
        if level.holds_decisions(behind):
            return {
                flow.name or flow.id: _single(level.targets(flow), node, level)
                for flow in level.going(behind)
            }
        return {_DONE: _single(level.targets(flows[0]), node, level)}
    # An answer leads to one step.
    step = {"id": level.record.invented(f"{level.record.ids[node.id]}_ways"), "type": "gateway"}
    ways = following(node, level)
    parted = any(isinstance(each, dict) for each in ways["next"])
    level.invented.append({**step, "mode": "inclusive" if parted else "parallel", **ways})
    return {_DONE: step["id"]}


def _single(targets: list[str], node: FlowNode, level: Level) -> str:
    if len(targets) < 2:  # noqa: PLR2004 - one target, or none
        return str(one(targets))
    name = level.record.invented(f"{level.record.ids[node.id]}_ways")
    level.invented.append({"id": name, "type": "gateway", "mode": "parallel", "next": targets})
    return name


def _branch(flow: Flow, node: FlowNode, level: Level) -> dict[str, Any]:
    condition = level.condition(flow.condition, node, "next", "condition")  # type: ignore[arg-type]
    return {"if": condition, "to": one(level.targets(flow))}


def _next(ways: list[Any]) -> dict[str, Any]:
    if not ways:
        return {}
    return {"next": ways[0] if len(ways) == 1 and isinstance(ways[0], str) else ways}
