"""Flow nodes, pools, lanes and artifacts as SVG, with their names."""

from typing import Final

from schemas.core.bpmn.model import ElementKind, FlowNode, XmlNode
from tools.diagrams import measures
from tools.diagrams.diagram import Shape
from tools.diagrams.elements import local_name
from tools.diagrams.geometry import Bounds, Point
from tools.diagrams.position import NodeCounts
from tools.diagrams.svg import icons
from tools.diagrams.svg.markup import INK, PAPER, circle, element, path, rectangle, text_content, text_lines
from tools.diagrams.svg.states import PLAIN, Look, badges, look_of
from tools.diagrams.text import LINE_HEIGHT, lines_of, shown

_FRAME: Final = "#fafbfc"
_BAND: Final = "#f4f6f8"
_DASHES: Final = "5 3"
_INTERMEDIATE: Final = frozenset(
    {ElementKind.CATCH_EVENT, ElementKind.THROW_EVENT, ElementKind.BOUNDARY_EVENT}
)
_RADIUS: Final = 10.0


def node_drawn(node: FlowNode, shape: Shape, counts: NodeCounts | None, lane: str = "") -> str:
    """A node with its name, its place in a run, and the name of its lane where lanes are not drawn."""
    look = look_of(counts)
    if node.kind in measures.GATEWAYS:
        drawn = _gateway(node, shape.bounds, look)
    elif node.kind in measures.ACTIVITIES:
        drawn = _activity(node, shape, look)
    else:
        drawn = _event(node, shape.bounds, look)
    caption = measures.caption_of(node)
    if measures.has_label(node):
        place = shape.label or measures.label_below(shape.bounds, caption)
        drawn += "" if place is None else label_drawn(caption, place)
    if lane and node.kind in measures.ACTIVITIES:
        drawn += _lane_name(lane, shape.bounds)
    if counts is not None:
        drawn += badges(counts, shape.bounds)
    return element(
        "g",
        element("title", text_content(shown(node.name) or shown(node.id))),
        drawn,
        id=f"step-{node.id}",
        data_step=node.id,
        class_=f"node {node.kind.value}"
        + ("" if counts is None or counts.state is None else f" {counts.state.value}"),
    )


def label_drawn(text: str, place: Bounds) -> str:
    """A name beside a shape or a line, on paper where lines may be beneath it."""
    width = max(place.width, measures.BESIDE)
    lines = lines_of(
        text, measures.LABEL_SIZE, width, max(1, round(place.height / measures.LABEL_SIZE / LINE_HEIGHT))
    )
    if not lines:
        return ""
    written = text_lines(lines, place.center, measures.LABEL_SIZE)
    return rectangle(place, 2, fill=PAPER, fill_opacity=0.85) + written


def pool_drawn(name: str, shape: Shape, *, lane: bool) -> str:
    """A pool or a lane with its name along its side, or in the middle of a pool in which nothing is shown."""
    bounds = shape.bounds
    lines = rectangle(bounds, fill=PAPER, stroke=INK, stroke_width=1 if lane else 1.4)
    if not shape.expanded and not lane:
        return lines + text_lines(
            lines_of(name, measures.NAME_SIZE, bounds.width - 12, 2), bounds.center, measures.NAME_SIZE
        )
    if shape.horizontal is not False:
        header = Bounds(bounds.x, bounds.y, measures.HEADER, bounds.height)
        turned = f"rotate(-90 {header.center.x:g} {header.center.y:g})"
        written = lines_of(name, measures.NAME_SIZE, bounds.height - 8, 1)
    else:
        header = Bounds(bounds.x, bounds.y, bounds.width, measures.HEADER)
        turned = None
        written = lines_of(name, measures.NAME_SIZE, bounds.width - 8, 1)
    return (
        lines
        + rectangle(header, fill=_BAND, stroke=INK, stroke_width=1 if lane else 1.4)
        + text_lines(written, header.center, measures.NAME_SIZE, transform=turned)
    )


def artifact_drawn(artifact: XmlNode, shape: Shape) -> str:
    """A note, a group, or data, where the file's own diagram has a place for it."""
    bounds = shape.bounds
    name = artifact.attributes.get("name", "")
    match local_name(artifact):
        case "textAnnotation":
            text = next((child.text for child in artifact.children if local_name(child) == "text"), "")
            most = max(1, int(bounds.height / measures.LABEL_SIZE / LINE_HEIGHT))
            lines = lines_of(text, measures.LABEL_SIZE, bounds.width - 12, most)
            bracket = f"M8 0H0V{bounds.height:g}H8"
            return path(Point(bounds.x, bounds.y), bracket, fill="none", stroke=INK) + text_lines(
                lines, bounds.center, measures.LABEL_SIZE
            )
        case "group":
            return rectangle(bounds, _RADIUS, fill="none", stroke=INK, stroke_dasharray="8 4 2 4")
        case "dataStoreReference":
            drawn = _store(bounds)
        case _:
            drawn = _document(bounds)
    place = shape.label or measures.label_below(bounds, name)
    return drawn if place is None else drawn + label_drawn(name, place)


def _event(node: FlowNode, bounds: Bounds, look: Look) -> str:
    center, radius = bounds.center, min(bounds.width, bounds.height) / 2
    dashes = None if node.interrupts else _DASHES
    width = (3.2 if node.kind is ElementKind.END_EVENT else 1.4) + look.thicker
    drawn = circle(
        center, radius, fill=look.fill, stroke=look.stroke, stroke_width=width, stroke_dasharray=dashes
    )
    if node.kind in _INTERMEDIATE:
        drawn += circle(
            center, radius - 3.2, fill="none", stroke=look.stroke, stroke_width=1.2, stroke_dasharray=dashes
        )
    return drawn + icons.event_icon(node, center)


def _gateway(node: FlowNode, bounds: Bounds, look: Look) -> str:
    half, high = bounds.width / 2, bounds.height / 2
    diamond = f"M0 {-high:g}L{half:g} 0L0 {high:g}L{-half:g} 0Z"
    return path(
        bounds.center,
        diamond,
        fill=look.fill,
        stroke=look.stroke,
        stroke_width=1.4 + look.thicker,
        stroke_linejoin="round",
    ) + icons.gateway_icon(node, bounds.center)


def _activity(node: FlowNode, shape: Shape, look: Look) -> str:
    bounds = shape.bounds
    usual = 4.0 if node.kind is ElementKind.CALL_ACTIVITY else 1.4
    box = rectangle(
        bounds,
        _RADIUS,
        fill=_FRAME if shape.expanded and look is PLAIN else look.fill,
        fill_opacity=0.4 if shape.expanded and look is not PLAIN else None,
        stroke=look.stroke,
        stroke_width=usual + look.thicker,
        stroke_dasharray="2 3" if node.by_event else None,
    )
    markers = icons.markers_of(node, expanded=shape.expanded)
    below = icons.marker_row(markers, Point(bounds.center.x, bounds.bottom - 11)) if markers else ""
    return (
        box
        + icons.task_icon(node, Point(bounds.x, bounds.y))
        + _name_inside(node, shape, len(markers) > 0)
        + below
    )


def _name_inside(node: FlowNode, shape: Shape, marked: bool) -> str:  # noqa: FBT001
    """The name in the middle of an activity, or at the top of a frame."""
    bounds, size = shape.bounds, measures.NAME_SIZE
    width = bounds.width - 2 * measures.INSET
    caption = measures.caption_of(node)
    if shape.expanded:
        lines = lines_of(caption, size, width - 8, 1)
        return text_lines(
            lines, Point(bounds.center.x, bounds.y + measures.HEADER / 2), size, font_weight="bold"
        )
    above = 8.0 if icons.has_task_icon(node) else 0.0
    beneath = 14.0 if marked else 0.0
    room = bounds.height - above - beneath
    most = min(measures.TASK_LINES, max(1, int(room / size / LINE_HEIGHT)))
    lines = lines_of(caption, size, width, most)
    return text_lines(lines, Point(bounds.center.x, bounds.y + above + room / 2), size)


def _lane_name(lane: str, bounds: Bounds) -> str:
    """The name of a lane above an activity."""
    lines = lines_of(lane, measures.LABEL_SIZE - 1, bounds.width, 1)
    return text_lines(lines, Point(bounds.center.x, bounds.y - 8), measures.LABEL_SIZE - 1, fill_opacity=0.7)


def _document(bounds: Bounds) -> str:
    width, height = bounds.width, bounds.height
    fold = min(width, height) / 3
    drawn = f"M0 0H{width - fold:g}L{width:g} {fold:g}V{height:g}H0Z M{width - fold:g} 0V{fold:g}H{width:g}"
    return path(Point(bounds.x, bounds.y), drawn, fill=PAPER, stroke=INK, stroke_width=1.2)


def _store(bounds: Bounds) -> str:
    width, height = bounds.width, bounds.height
    lid = height / 6
    drawn = (
        f"M0 {lid:g}A{width / 2:g} {lid:g} 0 0 1 {width:g} {lid:g}V{height - lid:g}"
        f"A{width / 2:g} {lid:g} 0 0 1 0 {height - lid:g}Z M0 {lid:g}A{width / 2:g} {lid:g} 0 0 0 {width:g} {lid:g}"
    )
    return path(Point(bounds.x, bounds.y), drawn, fill=PAPER, stroke=INK, stroke_width=1.2)
