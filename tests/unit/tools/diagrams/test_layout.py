"""Diagrams that are laid out: whatever the model, what one reads in them is right."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from runtime.settings import PROJECT
from schemas.core.bpmn.model import BpmnModel, ElementKind, EventKind, Flow, FlowNode, Inside, Lane, XmlNode
from tests.support.tools.bpmn_models import about, chain, flow, levels, model_of, models, node, of_definition
from tools.diagrams.diagram import Diagram, Shape
from tools.diagrams.elements import Elements, elements_of
from tools.diagrams.geometry import Bounds, Point, crosses
from tools.diagrams.layout.whole import laid_out
from tools.diagrams.measures import ACTIVITIES, EVENT, GATEWAY, GATEWAYS

K = ElementKind
ENOUGH = settings(max_examples=40)
DEFINITION = PROJECT / "config" / "workflows" / "pending_task_1.0.yaml"


def frames_of(name: str, elements: Elements) -> set[str]:
    """The frames in which something is."""
    found = set()
    while name in elements.around:
        name = elements.around[name]
        found.add(name)
    return found


def nodes_in(diagram: Diagram, elements: Elements) -> dict[str, Bounds]:
    return {shape.element: shape.bounds for shape in diagram.shapes if shape.element in elements.nodes}


def overlapping(diagram: Diagram, elements: Elements) -> list[tuple[str, str]]:
    """Pairs that overlap and are not host and boundary event, nor frame and content."""
    places = list(nodes_in(diagram, elements).items())
    return [
        (name, other)
        for at, (name, bounds) in enumerate(places)
        for other, others in places[:at]
        if bounds.overlaps(others)
        and not {elements.nodes[name].attached_to, elements.nodes[other].attached_to} & {name, other}
        and other not in frames_of(name, elements)
        and name not in frames_of(other, elements)
        and not hosts_of(name, elements) & hosts_of(other, elements)
    ]


def hosts_of(name: str, elements: Elements) -> set[str]:
    """The host of a boundary event; what is in a frame may lie beneath the events of the frame's border."""
    host = elements.nodes[name].attached_to
    return frames_of(name, elements) | ({host} if host else set())


def crossed(diagram: Diagram, elements: Elements) -> list[tuple[str, str]]:
    """Lines with shapes that they go through."""
    places = nodes_in(diagram, elements)
    found = []
    for edge in diagram.edges:
        ends = ends_of(edge.element, elements)
        outside = frames_of(ends[0], elements)
        found += [
            (edge.element, name)
            for name, bounds in places.items()
            if name not in outside
            and crosses(edge.line, bounds.grown(-inset(name, elements) if name in ends else -0.5))
        ]
    return found


def inset(name: str, elements: Elements) -> float:
    """How far into the square around it a line may come to its end: to the outline of a circle or a diamond."""
    kind = elements.nodes[name].kind
    return 1.5 if kind in ACTIVITIES else GATEWAY / 2 if kind in GATEWAYS else EVENT / 2


def ends_of(edge: str, elements: Elements) -> tuple[str, str]:
    if edge in elements.flows:
        return elements.flows[edge].source, elements.flows[edge].target
    source, target = edge.split(" ")
    return source, target


def touches(point: Point, bounds: Bounds) -> bool:
    return bounds.grown(0.6).contains(Bounds(point.x, point.y, 0, 0))


@ENOUGH
@given(models())
def test_no_two_shapes_overlap(model: BpmnModel) -> None:
    assert overlapping(laid_out(model), elements_of(model)) == []


@ENOUGH
@given(models())
def test_no_line_goes_through_a_shape_that_is_not_its_end(model: BpmnModel) -> None:
    assert crossed(laid_out(model), elements_of(model)) == []


@ENOUGH
@given(models())
def test_every_line_goes_straight_from_the_border_of_its_source_to_that_of_its_target(
    model: BpmnModel,
) -> None:
    elements, diagram = elements_of(model), laid_out(model)
    places = nodes_in(diagram, elements)
    drawn = {edge.element for edge in diagram.edges}
    assert drawn >= elements.flows.keys()
    for edge in diagram.edges:
        source, target = ends_of(edge.element, elements)
        assert touches(edge.line[0], places[source])
        assert touches(edge.line[-1], places[target])
        assert all(
            one.x == after.x or one.y == after.y for one, after in zip(edge.line, edge.line[1:], strict=False)
        )


@ENOUGH
@given(models())
def test_starts_are_leftmost_in_their_level(model: BpmnModel) -> None:
    places = nodes_in(laid_out(model), elements_of(model))
    for inside in levels(model.processes[0].inside):
        first = min((places[one.id].x for one in inside.nodes), default=0.0)
        assert all(places[one.id].x == first for one in inside.nodes if one.kind is K.START_EVENT)


@ENOUGH
@given(models())
def test_a_frame_has_in_it_whatever_belongs_to_it_with_its_names_and_lines(model: BpmnModel) -> None:
    elements, diagram = elements_of(model), laid_out(model)
    places = nodes_in(diagram, elements)
    for shape in diagram.shapes:
        for frame in frames_of(shape.element, elements):
            assert places[frame].contains(shape.bounds)
            assert shape.label is None or places[frame].contains(shape.label)
    for edge in diagram.edges:
        for frame in frames_of(edge.element, elements):
            assert all(touches(point, places[frame]) for point in edge.line)


@ENOUGH
@given(models())
def test_boundary_events_stand_on_the_border_of_their_host(model: BpmnModel) -> None:
    elements = elements_of(model)
    places = nodes_in(laid_out(model), elements)
    for name, event in elements.nodes.items():
        if event.attached_to is not None:
            host = places[event.attached_to]
            assert places[name].center.y == host.bottom
            assert host.x <= places[name].x
            assert places[name].right <= host.right


@ENOUGH
@given(models())
def test_lanes_have_their_nodes_in_them_or_are_not_drawn(model: BpmnModel) -> None:
    diagram, elements = laid_out(model), elements_of(model)
    places = nodes_in(diagram, elements)
    lanes = [shape for shape in diagram.shapes if shape.element in elements.lanes]
    assert not any(a.bounds.overlaps(b.bounds) for at, a in enumerate(lanes) for b in lanes[:at])
    for lane in lanes:
        assert all(lane.bounds.contains(places[name]) for name in elements.lanes[lane.element].nodes)


def test_the_workflow_of_orders_is_laid_out_the_same_each_time() -> None:
    model = of_definition(DEFINITION)
    assert [laid_out(model) for _ in range(4)] == [laid_out(model)] * 4


def test_the_workflow_of_orders_is_laid_out_from_left_to_right() -> None:
    model = of_definition(DEFINITION)
    elements, diagram = elements_of(model), laid_out(model)
    assert overlapping(diagram, elements) == []
    assert crossed(diagram, elements) == []
    places = nodes_in(diagram, elements)
    assert min(places, key=lambda name: places[name].x) == "start"
    assert max(places, key=lambda name: places[name].right) == "end"
    assert all(edge.label for edge in diagram.edges if elements.flows[edge.element].condition is not None)


def test_lanes_lie_beneath_one_another_and_name_who_does_what() -> None:
    nodes = (node("a", K.START_EVENT), node("b", K.TASK), node("c", K.TASK), node("d", K.END_EVENT))
    lanes = (Lane(id="one", name="客服", nodes=("a", "b")), Lane(id="two", name="工程师", nodes=("c", "d")))
    diagram = laid_out(chain(*nodes, lanes=lanes))
    shapes = {shape.element: shape.bounds for shape in diagram.shapes}
    assert shapes["one"].contains(shapes["a"])
    assert shapes["two"].contains(shapes["c"])
    assert shapes["one"].bottom == shapes["two"].y or shapes["two"].bottom == shapes["one"].y
    assert shapes["one"].width == shapes["two"].width


def test_lanes_in_lanes_lie_within_them() -> None:
    inner = (Lane(id="one", nodes=("a",)), Lane(id="two", nodes=("b",)))
    diagram = laid_out(
        chain(node("a", K.TASK), node("b", K.TASK), lanes=(Lane(id="both", nodes=("a", "b"), lanes=inner),))
    )
    shapes = {shape.element: shape.bounds for shape in diagram.shapes}
    assert all(shapes["both"].contains(shapes[name]) for name in ("one", "two", "a", "b"))


def test_lanes_that_cannot_lie_in_their_own_one_after_the_other_are_not_drawn() -> None:
    first = Lane(id="first", lanes=(Lane(id="one", nodes=("a", "d")), Lane(id="three", nodes=("c",))))
    second = Lane(id="second", lanes=(Lane(id="two", nodes=("b",)),))
    nodes = tuple(node(name, K.TASK) for name in "abcd")
    diagram = laid_out(chain(*nodes, lanes=(first, second)))
    lanes = {shape.element: shape.bounds for shape in diagram.shapes if shape.element not in "abcd"}
    assert not lanes or not lanes["first"].overlaps(lanes["second"])


def test_what_compensates_hangs_on_its_event_by_an_association() -> None:
    nodes = (
        node("pay", K.TASK),
        node("event", K.BOUNDARY_EVENT, attached_to="pay", events=about(EventKind.COMPENSATE)),
        node("undo", K.TASK, for_compensation=True),
    )
    model = model_of(Inside(nodes=nodes, associations=(("event", "undo"),)))
    diagram = laid_out(model)
    (edge,) = diagram.edges
    assert not edge.has_id
    assert touches(edge.line[0], nodes_in(diagram, elements_of(model))["event"])


def with_pools(*messages: tuple[str, str]) -> BpmnModel:
    parts = [
        XmlNode(tag="{b}participant", attributes={"id": "ours", "name": "维修", "processRef": "process"}),
        XmlNode(tag="{b}participant", attributes={"id": "customer", "name": "客户"}),
    ]
    parts += [
        XmlNode(tag="{b}messageFlow", attributes={"id": f"m{at}", "sourceRef": source, "targetRef": target})
        for at, (source, target) in enumerate(messages)
    ]
    collaboration = XmlNode(tag="{b}collaboration", attributes={"id": "both"}, children=tuple(parts))
    return replace(chain(node("a", K.START_EVENT), node("b", K.SEND_TASK)), collaboration=(collaboration,))


def test_pools_are_around_their_processes_and_messages_lead_from_one_to_the_other() -> None:
    diagram = laid_out(with_pools(("b", "customer"), ("customer", "a")))
    shapes = {shape.element: shape.bounds for shape in diagram.shapes}
    assert shapes["ours"].contains(shapes["a"])
    assert shapes["ours"].contains(shapes["b"])
    assert not shapes["ours"].overlaps(shapes["customer"])
    lines = {edge.element: edge.line for edge in diagram.edges}
    assert touches(lines["m0"][0], shapes["b"])
    assert touches(lines["m0"][-1], shapes["customer"])
    assert touches(lines["m1"][-1], shapes["a"])
    assert lines["m0"][-1] != lines["m1"][0]
    assert diagram.element == "both"


def test_a_line_back_to_where_it_begins_goes_around() -> None:
    model = model_of(Inside(nodes=(node("a", K.TASK),), flows=(Flow(id="f", source="a", target="a"),)))
    diagram = laid_out(model)
    (edge,) = diagram.edges
    assert len(edge.line) == 5
    assert crossed(diagram, elements_of(model)) == []


@pytest.mark.parametrize("nodes", [(), (node("only", K.TASK),), (node("start", K.START_EVENT),)])
def test_a_process_of_nothing_or_little_has_a_diagram(nodes: tuple[FlowNode, ...]) -> None:
    shapes: tuple[Shape, ...] = laid_out(model_of(Inside(nodes=nodes))).shapes
    assert [shape.element for shape in shapes] == [one.id for one in nodes]


def test_a_flow_whose_end_is_not_there_is_left_out() -> None:
    model = model_of(Inside(nodes=(node("a", K.TASK),), flows=(flow("a", "nobody"),)))
    assert laid_out(model).edges == ()
