"""Flows, messages and associations as SVG."""

from typing import Final

from schemas.core.bpmn.model import Flow, FlowNode
from tools.diagrams import measures
from tools.diagrams.diagram import Edge
from tools.diagrams.elements import MessageFlow
from tools.diagrams.geometry import Point, written
from tools.diagrams.svg.markup import INK, PAPER, circle, element, outline_of, text_content
from tools.diagrams.svg.nodes import label_drawn
from tools.diagrams.text import shown

_HEAD: Final = "M0 0L-10 -4.5L-7.5 0L-10 4.5Z"
_OPEN_HEAD: Final = "M0 0L-10 -5V5Z"
_THIN_HEAD: Final = "M-8 -5L0 0L-8 5"
_SLASH: Final = "M8 5L14 -5"
_DIAMOND: Final = "M0 0L7 -4.5L14 0L7 4.5Z"


def flow_drawn(flow: Flow, edge: Edge, source: FlowNode | None) -> str:
    """A sequence flow: with a stroke through the one that is taken else, a diamond on the condition of an activity."""
    drawn = _line(edge) + _tip(edge, _HEAD, fill=INK)
    if source is not None and source.default == flow.id:
        drawn += _start(edge, _SLASH, fill="none")
    elif source is not None and flow.condition is not None and source.kind in measures.ACTIVITIES:
        drawn += _start(edge, _DIAMOND, fill=PAPER)
    caption = measures.flow_caption_of(flow)
    if edge.label is not None:
        drawn += label_drawn(caption, edge.label)
    title = element("title", text_content(shown(caption) or shown(flow.id)))
    return element("g", title, drawn, id=f"flow-{flow.id}", data_flow=flow.id, class_="flow")


def message_drawn(message: MessageFlow, edge: Edge) -> str:
    """A message between pools."""
    drawn = (
        _line(edge, "7 4")
        + circle(edge.line[0], 4, fill=PAPER, stroke=INK)
        + _tip(edge, _OPEN_HEAD, fill=PAPER)
    )
    if edge.label is not None:
        drawn += label_drawn(message.name, edge.label)
    return element("g", drawn, id=f"message-{message.id}", class_="message")


def association_drawn(edge: Edge, *, directed: bool) -> str:
    """A dotted line to a note, data, or what compensates."""
    head = _tip(edge, _THIN_HEAD, fill="none") if directed else ""
    return element("g", _line(edge, "1.5 3.5") + head, class_="association")


def _line(edge: Edge, dashes: str | None = None) -> str:
    return element(
        "path",
        d=outline_of(edge.line),
        fill="none",
        stroke=INK,
        stroke_width=1.4,
        stroke_dasharray=dashes,
        stroke_linejoin="round",
    )


def _tip(edge: Edge, drawn: str, fill: str) -> str:
    """What points at the target."""
    return _turned(drawn, edge.line[-2], edge.line[-1], edge.line[-1], fill)


def _start(edge: Edge, drawn: str, fill: str) -> str:
    """What stands at the source."""
    return _turned(drawn, edge.line[0], edge.line[1], edge.line[0], fill)


def _turned(drawn: str, start: Point, end: Point, at: Point, fill: str) -> str:
    """A path that is drawn to the right, turned into the direction of a piece of a line."""
    reach = ((end.x - start.x) ** 2 + (end.y - start.y) ** 2) ** 0.5 or 1.0
    across, down = (end.x - start.x) / reach, (end.y - start.y) / reach
    matrix = " ".join(map(written, (across, down, -down, across, at.x, at.y)))
    return element("path", d=drawn, transform=f"matrix({matrix})", fill=fill, stroke=INK, stroke_width=1.2)
