"""BPMN models for tests of pictures: by hand, of a definition's file, and of any form."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
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
)

K = ElementKind
_LEAVES = [
    K.TASK,
    K.USER_TASK,
    K.SERVICE_TASK,
    K.CALL_ACTIVITY,
    K.EXCLUSIVE_GATEWAY,
    K.PARALLEL_GATEWAY,
    K.CATCH_EVENT,
    K.THROW_EVENT,
    K.END_EVENT,
]
_HOSTS = {K.TASK, K.USER_TASK, K.SERVICE_TASK, K.CALL_ACTIVITY, K.SUB_PROCESS}
names = st.text(
    st.sampled_from("客户确认工单等待配件，。（）abc MWil_./<>&\"'\x00\u202e\ud800]"), max_size=60
)


def node(identifier: str, kind: ElementKind, name: str = "", **given: Any) -> FlowNode:
    return FlowNode(id=identifier, kind=kind, name=name, **given)


def about(kind: EventKind) -> tuple[EventDefinition, ...]:
    return (EventDefinition(kind=kind),)


def flow(source: str, target: str, **given: Any) -> Flow:
    return Flow(id=f"{source}_to_{target}", source=source, target=target, **given)


def model_of(inside: Inside, **given: Any) -> BpmnModel:
    return BpmnModel(processes=(BpmnProcess(id="process", name="流程", inside=inside),), **given)


def chain(*nodes: FlowNode, **given: Any) -> BpmnModel:
    """Nodes one after the other."""
    flows = tuple(flow(one.id, after.id) for one, after in pairwise(nodes))
    return model_of(Inside(nodes=nodes, flows=flows, **given))


def of_definition(path: Path) -> BpmnModel:
    """The model of a definition of actions, gateways with a condition, and questions to people."""
    steps = yaml.safe_load(path.read_text(encoding="utf-8"))["steps"]
    nodes = [node("start", K.START_EVENT), node("end", K.END_EVENT, "结束")]
    flows = [flow("start", steps[0]["id"])]
    for step in steps:
        _add_step(step, nodes, flows)
    return model_of(Inside(nodes=tuple(nodes), flows=tuple(flows)))


def _add_step(step: dict[str, Any], nodes: list[FlowNode], flows: list[Flow]) -> None:
    identifier, title = step["id"], step["title"]
    match step.get("type"):
        case "gateway":
            condition = BpmnExpression(text=step["condition"])
            flows += [flow(identifier, step["next"], condition=condition), flow(identifier, step["else"])]
            nodes.append(node(identifier, K.EXCLUSIVE_GATEWAY, title, default=flows[-1].id))
        case "human":
            gateway = f"{identifier}_decisions"
            nodes += [node(identifier, K.USER_TASK, title), node(gateway, K.EXCLUSIVE_GATEWAY)]
            flows.append(flow(identifier, gateway))
            chosen = {name: target for name, target in step["decisions"].items() if target != "$origin"}
            flows += [flow(gateway, target, name=name) for name, target in chosen.items()]
        case _:
            nodes.append(node(identifier, K.SERVICE_TASK, title))
            flows.append(flow(identifier, step["next"]))
    if "on_error" in step:
        failed = f"{identifier}_failed"
        nodes.append(
            node(failed, K.BOUNDARY_EVENT, "出错", attached_to=identifier, events=about(EventKind.ERROR))
        )
        flows.append(flow(failed, step["on_error"]))


@st.composite
def insides(draw: st.DrawFn, *, depth: int = 2, most: int = 40, prefix: str = "n") -> Inside:
    """Nodes in any order of branches and circles, boundary events, sub-processes in one another."""
    count = draw(st.integers(2, most))
    kinds = [*_LEAVES, K.SUB_PROCESS] if depth else _LEAVES
    nodes: list[FlowNode] = []
    if draw(st.booleans()):
        starts = draw(st.integers(1, 2))
        nodes += [node(f"{prefix}s{at}", K.START_EVENT, draw(names)) for at in range(starts)]
    for at in range(count):
        kind = draw(st.sampled_from(kinds))
        nodes.append(draw(_nodes(f"{prefix}{at}", kind, depth)))
    ends = [one.id for one in nodes if one.kind is not K.START_EVENT and not one.by_event]
    sources = [one.id for one in nodes if not one.by_event]
    for host in [one for one in nodes if one.kind in _HOSTS]:
        for at in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
            nodes.append(
                node(
                    f"{host.id}b{at}",
                    K.BOUNDARY_EVENT,
                    draw(names),
                    attached_to=host.id,
                    events=about(EventKind.TIMER),
                )
            )
            sources.append(nodes[-1].id)
    flows: list[Flow] = []
    associations: list[tuple[str, str]] = []
    if ends:
        pairs = st.tuples(st.sampled_from(sources), st.sampled_from(ends))
        flows = [
            Flow(id=f"{prefix}f{at}", source=source, target=target, name=draw(names))
            for at, (source, target) in enumerate(draw(st.lists(pairs, max_size=count * 2)))
        ]
        associations = draw(st.lists(pairs, max_size=1))
    return Inside(nodes=tuple(nodes), flows=tuple(flows), associations=tuple(associations))


@st.composite
def _nodes(draw: st.DrawFn, identifier: str, kind: ElementKind, depth: int) -> FlowNode:
    if kind is not K.SUB_PROCESS:
        return node(
            identifier, kind, draw(names), loop=draw(st.sampled_from([None, Loop(), Loop(multi=True)]))
        )
    inside = draw(insides(depth=depth - 1, most=5, prefix=f"{identifier}_"))
    return node(identifier, kind, draw(names), inside=inside, by_event=draw(st.booleans()))


@st.composite
def models(draw: st.DrawFn) -> BpmnModel:
    """A process of any form; in some its nodes are in lanes."""
    inside = draw(insides())
    count = draw(st.integers(0, 3))
    lanes = tuple(
        Lane(id=f"lane{lane}", name=draw(names), nodes=tuple(one.id for one in inside.nodes[lane::count]))
        for lane in range(count)
    )
    return model_of(
        Inside(nodes=inside.nodes, flows=inside.flows, associations=inside.associations, lanes=lanes)
    )


def levels(inside: Inside) -> Iterator[Inside]:
    """A level and all that are in it."""
    yield inside
    for one in inside.nodes:
        if one.inside is not None:
            yield from levels(one.inside)


def ids(nodes: Sequence[FlowNode]) -> set[str]:
    return {one.id for one in nodes}
