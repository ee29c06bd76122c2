"""The small pictures of BPMN: what an event is about, of what kind a task is, how an activity is repeated."""

from typing import Final

from schemas.core.bpmn.model import ElementKind, EventKind, FlowNode
from tools.diagrams.geometry import Point
from tools.diagrams.svg.markup import INK, PAPER, path

_ENVELOPE: Final = "M-9 -6.5H9V6.5H-9Z"
_FLAP: Final = "M-9 -6.5L0 1L9 -6.5"
_CLOCK: Final = (
    "M0 -10A10 10 0 1 1 -0.01 -10Z M0 -6.5V0L4.5 3 M0 -10V-8 M10 0H8 M0 10V8 M-10 0H-8"
    " M7.1 -7.1L5.7 -5.7 M7.1 7.1L5.7 5.7 M-7.1 7.1L-5.7 5.7 M-7.1 -7.1L-5.7 -5.7"
)
_EVENTS: Final[dict[EventKind, str]] = {
    EventKind.MESSAGE: _ENVELOPE,
    EventKind.TIMER: _CLOCK,
    EventKind.SIGNAL: "M0 -9L9 6.5H-9Z",
    EventKind.CONDITIONAL: "M-7 -9H7V9H-7Z M-4.5 -5.5H4.5 M-4.5 -2H4.5 M-4.5 1.5H4.5 M-4.5 5H4.5",
    EventKind.ERROR: "M-8.5 8.5L-3.5 -8L3.5 1.5L8.5 -8.5L3.5 8L-3.5 -1.5Z",
    EventKind.ESCALATION: "M0 -9.5L7 9L0 2.5L-7 9Z",
    EventKind.COMPENSATE: "M0 -6.5V6.5L-9.5 0Z M9.5 -6.5V6.5L0 0Z",
    EventKind.LINK: "M-9 -4.5H2V-8.5L10 0L2 8.5V4.5H-9Z",
    EventKind.TERMINATE: "M0 -10.5A10.5 10.5 0 1 1 -0.01 -10.5Z",
}
_SEVERAL: Final = "M0 -10L9.5 -3.1L5.9 8.1H-5.9L-9.5 -3.1Z"
_THROWING: Final = frozenset({ElementKind.THROW_EVENT, ElementKind.END_EVENT})
_NEVER_FILLED: Final = frozenset({EventKind.TIMER, EventKind.CONDITIONAL})
_GEAR: Final = (
    "M-1.4 -7.5H1.4L1.9 -5.4L3.3 -4.8L5.1 -6L7 -4.1L5.8 -2.3L6.4 -0.9L8.5 -0.4V2.4L6.4 2.9L5.8 4.3L7 6.1L5.1 8"
    "L3.3 6.8L1.9 7.4L1.4 9.5H-1.4L-1.9 7.4L-3.3 6.8L-5.1 8L-7 6.1L-5.8 4.3L-6.4 2.9L-8.5 2.4V-0.4L-6.4 -0.9"
    "L-5.8 -2.3L-7 -4.1L-5.1 -6L-3.3 -4.8L-1.9 -5.4Z M0 -1.8A2.8 2.8 0 1 1 -0.01 -1.8Z"
)
_TASKS: Final[dict[ElementKind, str]] = {
    ElementKind.USER_TASK: (
        "M0 -8A3.6 3.6 0 1 1 -0.01 -8Z M-7.5 8.5V5.5C-7.5 1.5 -4.5 -0.4 0 -0.4C4.5 -0.4 7.5 1.5 7.5 5.5V8.5Z"
    ),
    ElementKind.MANUAL_TASK: (
        "M-8 1L-2.5 -5.5C-1.5 -6.5 0 -5.5 -0.8 -4.3L-2 -2.5H7C8.8 -2.5 8.8 0 7 0H8C9.6 0 9.6 2.4 8 2.4H7.4"
        "C8.8 2.4 8.8 4.7 7.2 4.7H6C7.2 4.7 7.2 7 5.8 7H-3.5C-6 7 -8 5.5 -8 3.5Z M1.5 0H7 M1.5 2.4H7.4 M1.5 4.7H6"
    ),
    ElementKind.SERVICE_TASK: _GEAR,
    ElementKind.SEND_TASK: _ENVELOPE,
    ElementKind.RECEIVE_TASK: _ENVELOPE,
    ElementKind.SCRIPT_TASK: (
        "M-4.5 -8H7C3.5 -5 3.5 -3 5.5 0C7.5 3 7.5 5 4 8H-7.5C-4 5 -4 3 -6 0C-8 -3 -8 -5 -4.5 -8Z"
        " M-4 -4.5H2.5 M-3 -1.5H3 M-1.5 1.5H4.5 M-1 4.5H4.5"
    ),
    ElementKind.BUSINESS_RULE_TASK: "M-8 -6.5H8V6.5H-8Z M-8 -2.5H8 M-8 2H8 M-3 -2.5V6.5",
}
_TASK_SCALE: Final = 0.85
_GATEWAYS: Final[dict[ElementKind, str]] = {
    ElementKind.EXCLUSIVE_GATEWAY: "M-7.5 -8L7.5 8 M7.5 -8L-7.5 8",
    ElementKind.PARALLEL_GATEWAY: "M-10.5 0H10.5 M0 -10.5V10.5",
    ElementKind.COMPLEX_GATEWAY: "M-9 0H9 M0 -9V9 M-6.5 -6.5L6.5 6.5 M6.5 -6.5L-6.5 6.5",
    ElementKind.INCLUSIVE_GATEWAY: "M0 -10A10 10 0 1 1 -0.01 -10Z",
}
_EVENT_GATEWAY: Final = (
    "M0 -12A12 12 0 1 1 -0.01 -12Z M0 -9.5A9.5 9.5 0 1 1 -0.01 -9.5Z M0 -6L5.7 -1.9L3.5 4.9H-3.5L-5.7 -1.9Z"
)
_LOOP: Final = "M-2.5 5.5A5.8 5.8 0 1 1 2.8 5.3 M-6.5 5.8H-2.2V1.6"
_PARALLEL: Final = "M-4.5 -5.5V5.5 M0 -5.5V5.5 M4.5 -5.5V5.5"
_SEQUENTIAL: Final = "M-5.5 -4.5H5.5 M-5.5 0H5.5 M-5.5 4.5H5.5"
_COMPENSATION: Final = "M0 -4.5V4.5L-6.5 0Z M6.5 -4.5V4.5L0 0Z"
_COLLAPSED: Final = "M-6 -6H6V6H-6Z M0 -3.5V3.5 M-3.5 0H3.5"


def event_icon(node: FlowNode, center: Point) -> str:
    """What an event is about: filled where it is thrown."""
    if not node.events:
        return ""
    several = len(node.events) > 1
    kind = node.events[0].kind
    throwing = node.kind in _THROWING
    filled = throwing and (several or kind not in _NEVER_FILLED)
    drawn = path(
        center,
        _SEVERAL if several else _EVENTS[kind],
        fill=INK if filled else PAPER,
        stroke=INK,
        stroke_width=1.2,
        stroke_linejoin="round",
    )
    if several or kind is not EventKind.MESSAGE:
        return drawn
    return drawn + _flap(center, filled=filled)


def task_icon(node: FlowNode, corner: Point) -> str:
    """Of what kind a task is, in its upper left corner."""
    drawn = _TASKS.get(node.kind)
    if drawn is None:
        return ""
    filled = node.kind is ElementKind.SEND_TASK
    at = corner.moved(14, 14)
    given = f"translate({at.x:g} {at.y:g}) scale({_TASK_SCALE})"
    icon = path(
        Point(0, 0),
        drawn,
        fill=INK if filled else PAPER,
        stroke=INK,
        stroke_width=1.2,
        stroke_linejoin="round",
    )
    if node.kind in {ElementKind.SEND_TASK, ElementKind.RECEIVE_TASK}:
        icon += _flap(Point(0, 0), filled=filled)
    return f'<g transform="{given}">{icon}</g>'


def has_task_icon(node: FlowNode) -> bool:
    """Whether a task shows of what kind it is."""
    return node.kind in _TASKS


def gateway_icon(node: FlowNode, center: Point) -> str:
    """How a gateway decides."""
    if node.kind is ElementKind.EVENT_GATEWAY:
        return path(
            center, _EVENT_GATEWAY, fill="none", stroke=INK, stroke_width=1.2, stroke_linejoin="round"
        )
    return path(center, _GATEWAYS[node.kind], fill="none", stroke=INK, stroke_width=3.2)


def markers_of(node: FlowNode, *, expanded: bool) -> list[str]:
    """What stands at an activity's lower border, from left to right."""
    markers = []
    if node.loop is not None:
        repeated = _SEQUENTIAL if node.loop.sequential else _PARALLEL
        markers.append(repeated if node.loop.multi or node.loop.items is not None else _LOOP)
    if node.for_compensation:
        markers.append(_COMPENSATION)
    if node.inside is not None and not expanded:
        markers.append(_COLLAPSED)
    return markers


def marker_row(markers: list[str], center: Point) -> str:
    """The markers beside one another around a point."""
    left = center.x - (len(markers) - 1) * 9
    return "".join(
        path(Point(left + at * 18, center.y), drawn, fill="none", stroke=INK, stroke_width=1.6)
        for at, drawn in enumerate(markers)
    )


def _flap(at: Point, *, filled: bool) -> str:
    return path(
        at, _FLAP, fill="none", stroke=PAPER if filled else INK, stroke_width=1.2, stroke_linejoin="round"
    )
