"""The lanes of a process or sub-process."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from schemas.core.bpmn.exporting.drawing import Drawing
from schemas.core.bpmn.exporting.written import said
from schemas.core.bpmn.model import Inside, Lane


def lanes_of(
    name: str,
    steps: Mapping[str, Mapping[str, Any]],
    there: Collection[str],
    before: Inside | None,
    drawing: Drawing,
) -> Iterator[Lane]:
    """The lanes of these steps; as they stood, where every step lies in the lane in which it lay.

    Args:
        name: Of the process or sub-process.
        steps: Those that lie in it, by id.
        there: The flow nodes that are drawn.
        before: What the file has here with which the definition came.
        drawing: What is known of the whole.
    """
    kept = drawing.kept
    if before is not None and kept is not None:
        lay = {step: written.get("lane") for step, written in kept.steps.items()}
        if all(step.get("lane") == lay.get(each) for each, step in steps.items()):
            yield from (_with(lane, there) for lane in before.lanes)
            return
    lanes: dict[str, list[str]] = {}
    for each, step in steps.items():
        if said(step.get("lane")):
            lanes.setdefault(str(step["lane"]), []).append(drawing.nodes[each])
    set_id = drawing.id(f"{name}_lanes") if lanes else ""
    for number, (lane, nodes) in enumerate(lanes.items(), 1):
        yield Lane(id=drawing.id(f"{set_id}_{number}"), name=lane, nodes=tuple(nodes), set_id=set_id)


def _with(lane: Lane, there: Collection[str]) -> Lane:
    """The lane with those of its nodes that are still there."""
    nodes = tuple(node for node in lane.nodes if node in there)
    return replace(lane, nodes=nodes, lanes=tuple(_with(inner, there) for inner in lane.lanes))
