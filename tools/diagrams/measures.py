"""How large the shapes of a diagram are, and the room of the names beside them."""

from typing import Final

from schemas.core.bpmn.model import BpmnExpression, ElementKind, Flow, FlowNode
from tools.diagrams.geometry import Bounds
from tools.diagrams.text import LINE_HEIGHT, lines_of, width_of

NAME_SIZE: Final = 12.0
"""Letters of a name within a shape, in pixels."""
LABEL_SIZE: Final = 11.0
"""Letters of a name beside a shape or a line."""
EVENT: Final = 36.0
GATEWAY: Final = 50.0
TASK_HEIGHT: Final = 80.0
TASK_WIDTHS: Final = (100.0, 130.0, 160.0)
INSET: Final = 6.0
"""Between a task's border and its name."""
TASK_LINES: Final = 4
PADDING: Final = 24.0
"""Between a frame and what is in it."""
HEADER: Final = 28.0
"""Of a frame, for its name; of a pool and a lane, beside what is in it."""
LABEL_WIDTH: Final = 104.0
LABEL_LINES: Final = 3
FLOW_LABEL_WIDTH: Final = 120.0
FLOW_LABEL_LINES: Final = 3
BESIDE: Final = 44.0
"""The room of a boundary event's name."""
_APART: Final = 8.0
"""Between boundary events, and between a shape and its label."""
_COMFORTABLE_LINES: Final = 3

ACTIVITIES: Final = frozenset(
    kind for kind in ElementKind if kind.value.endswith(("ask", "ctivity", "ubProcess"))
)
GATEWAYS: Final = frozenset(kind for kind in ElementKind if kind.value.endswith("Gateway"))


def caption_of(node: FlowNode) -> str:
    """What a picture calls a node: its name, else what its event is about, else an activity's id."""
    if node.name:
        return node.name
    if node.kind in ACTIVITIES:
        return node.id
    about = next(iter(node.events), None)
    if about is None:
        return ""
    return about.name or (about.expression.text if about.expression is not None else "")


def flow_caption_of(flow: Flow) -> str:
    """What a picture writes beside a flow: its name, else its condition."""
    return flow.name or _written(flow.condition)


def _written(expression: BpmnExpression | None) -> str:
    return "" if expression is None else expression.text.removeprefix("${").removesuffix("}").strip()


def size_of(node: FlowNode, attached: list[FlowNode]) -> tuple[float, float]:
    """Width and height of a node that has nothing drawn in it, wide enough for the events at its border."""
    if node.kind in GATEWAYS:
        return GATEWAY, GATEWAY
    if node.kind not in ACTIVITIES:
        return EVENT, EVENT
    caption = caption_of(node)
    width = next(
        (
            width
            for width in TASK_WIDTHS
            if len(lines_of(caption, NAME_SIZE, width - 2 * INSET, TASK_LINES)) <= _COMFORTABLE_LINES
        ),
        TASK_WIDTHS[-1],
    )
    return max(width, border_width(attached)), TASK_HEIGHT


def border_width(attached: list[FlowNode]) -> float:
    """What boundary events take up beside one another, with their names at their left."""
    return sum(map(_room_of, attached)) + 2 * _APART if attached else 0.0


def _room_of(event: FlowNode) -> float:
    return EVENT + _APART + (BESIDE if caption_of(event) else 0.0)


def boundary_places(host: Bounds, attached: list[FlowNode]) -> list[tuple[Bounds, Bounds | None]]:
    """Each boundary event on the lower border of its host, the last one at the right, with the place of its name."""
    places: list[tuple[Bounds, Bounds | None]] = []
    right = host.right - _APART
    for event in reversed(attached):
        bounds = Bounds(right - EVENT, host.bottom - EVENT / 2, EVENT, EVENT)
        size = label_size(caption_of(event), BESIDE)
        label = size and Bounds(bounds.x - size[0] - 2, host.bottom + 3, size[0], size[1])
        places.append((bounds, label))
        right -= _room_of(event)
    return places[::-1]


def label_size(text: str, width: float = LABEL_WIDTH, most: int = LABEL_LINES) -> tuple[float, float] | None:
    """Width and height of a label; none where there is nothing to write."""
    lines = lines_of(text, LABEL_SIZE, width, most)
    if not lines:
        return None
    return max(width_of(line, LABEL_SIZE) for line in lines) + 2, len(lines) * LABEL_SIZE * LINE_HEIGHT


def flow_label_size(text: str) -> tuple[float, float] | None:
    """Width and height of what is written beside a flow."""
    return label_size(text, FLOW_LABEL_WIDTH, FLOW_LABEL_LINES)


def label_below(bounds: Bounds, text: str) -> Bounds | None:
    """The place of a name beneath its shape."""
    size = label_size(text)
    if size is None:
        return None
    return Bounds(bounds.center.x - size[0] / 2, bounds.bottom + _APART / 2, size[0], size[1])


def has_label(node: FlowNode) -> bool:
    """Whether a node's name stands beside it and not in it."""
    return node.kind not in ACTIVITIES
