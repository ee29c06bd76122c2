"""BPMN Diagram Interchange: a file's own diagram is what is drawn, and what we write is one."""

from dataclasses import replace
from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

import pytest
from hypothesis import given, settings
from lxml import etree

from schemas.core.bpmn.model import BpmnModel, ElementKind, Inside, XmlNode
from tests.support.tools.bpmn_models import chain, flow, model_of, models, node, of_definition
from tests.unit.tools.diagrams.test_layout import DEFINITION
from tools.diagrams.interchange.names import BOUNDS, DIAGRAM, EDGE, LABEL, PLANE, SHAPE, WAYPOINT
from tools.diagrams.interchange.reading import own_diagram
from tools.diagrams.interchange.writing import di_of
from tools.diagrams.layout.whole import laid_out
from tools.diagrams.picture import diagram_of, svg_of

K = ElementKind
MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


def bounds(x: object, y: object, width: object = 100, height: object = 80) -> XmlNode:
    return XmlNode(
        tag=BOUNDS, attributes={"x": str(x), "y": str(y), "width": str(width), "height": str(height)}
    )


def shape(element: str, *inner: XmlNode, **given: str) -> XmlNode:
    return XmlNode(tag=SHAPE, attributes={"bpmnElement": element, **given}, children=inner)


def edge(element: str, *points: tuple[object, object]) -> XmlNode:
    waypoints = tuple(XmlNode(tag=WAYPOINT, attributes={"x": str(x), "y": str(y)}) for x, y in points)
    return XmlNode(tag=EDGE, attributes={"bpmnElement": element}, children=waypoints)


def drawn_as(model: BpmnModel, *planes: tuple[XmlNode, ...]) -> BpmnModel:
    return replace(
        model,
        diagrams=tuple(
            XmlNode(tag=DIAGRAM, children=(XmlNode(tag=PLANE, children=children),)) for children in planes
        ),
    )


TWO = chain(node("a", K.TASK), node("b", K.END_EVENT, "完成"))
PLACES = (
    shape("a", bounds(10, 20)),
    shape("b", bounds("300.5", 42, 36, 36), XmlNode(tag=LABEL, children=(bounds(290, 90, 56, 14),))),
    edge("a_to_b", (110, 60), (300.5, 60)),
)


def test_a_file_is_drawn_as_its_own_diagram_says() -> None:
    diagram = diagram_of(drawn_as(TWO, PLACES))
    places = {one.element: one.bounds for one in diagram.shapes}
    assert (places["a"].x, places["a"].y, places["b"].x) == (10, 20, 300.5)
    assert [(point.x, point.y) for point in diagram.edges[0].line] == [(110, 60), (300.5, 60)]
    label = diagram.shapes[1].label
    assert label is not None
    assert (label.center.x, label.y) == (318, 90)


@pytest.mark.parametrize(
    "places",
    [
        (),
        PLACES[:2],
        PLACES[1:],
        (shape("a"), *PLACES[1:]),
        (shape("a", bounds("nan", 1)), *PLACES[1:]),
        (shape("a", bounds(1, "inf")), *PLACES[1:]),
        (shape("a", bounds(1, 1, -5)), *PLACES[1:]),
        (shape("a", bounds(1, 1, 0)), *PLACES[1:]),
        (shape("a", bounds("1e9", 1)), *PLACES[1:]),
        (shape("a", bounds("far", 1)), *PLACES[1:]),
        (*PLACES[:2], edge("a_to_b", (1, 1))),
        (*PLACES[:2], edge("a_to_b", (1, 1), (2, "x"))),
    ],
)
def test_a_file_whose_diagram_lacks_something_or_cannot_be_drawn_is_laid_out(
    places: tuple[XmlNode, ...],
) -> None:
    assert diagram_of(drawn_as(TWO, places)) == laid_out(TWO)


def framed(expanded: str) -> tuple[BpmnModel, tuple[XmlNode, ...]]:
    inside = Inside(nodes=(node("in", K.TASK),))
    model = model_of(Inside(nodes=(node("frame", K.SUB_PROCESS, inside=inside),)))
    return model, (shape("frame", bounds(0, 0, 200, 160), isExpanded=expanded),)


def test_what_is_in_an_open_frame_is_drawn_upon_it() -> None:
    model, frame = framed("true")
    diagram = diagram_of(drawn_as(model, (shape("in", bounds(50, 40)), *frame)))
    assert [(one.element, one.expanded) for one in diagram.shapes] == [("frame", True), ("in", False)]


def test_a_closed_frame_has_its_content_beneath_where_the_file_has_a_plane_for_it() -> None:
    model, frame = framed("false")
    diagram = diagram_of(drawn_as(model, frame, (shape("in", bounds(0, 0)),)))
    places = {one.element: one.bounds for one in diagram.shapes}
    assert places["in"].y > places["frame"].bottom
    assert not any(one.expanded for one in diagram.shapes)


def test_content_that_would_lie_on_a_closed_frame_is_laid_out() -> None:
    model, frame = framed("false")
    assert diagram_of(drawn_as(model, (*frame, shape("in", bounds(50, 40))))) == laid_out(model)


def test_notes_and_data_are_drawn_where_the_file_has_places_for_them() -> None:
    kept = (
        XmlNode(
            tag=f"{MODEL}textAnnotation",
            attributes={"id": "note"},
            children=(XmlNode(tag=f"{MODEL}text", text="只在工作日"),),
        ),
        XmlNode(tag=f"{MODEL}dataObjectReference", attributes={"id": "data", "name": "报价单"}),
        XmlNode(tag=f"{MODEL}dataStoreReference", attributes={"id": "store", "name": "仓库"}),
        XmlNode(tag=f"{MODEL}group", attributes={"id": "group"}),
    )
    model = model_of(Inside(nodes=(node("a", K.TASK),), kept=kept))
    places = (
        *(shape(name, bounds(200, 200)) for name in ("note", "data", "store", "group")),
        shape("a", bounds(0, 0)),
    )
    svg = svg_of(drawn_as(model, places))
    assert all(text in svg for text in ("只在工作日", "报价单", "仓库", "stroke-dasharray"))


@given(models())
@settings(max_examples=25)
def test_a_diagram_is_read_back_as_it_was_written(model: BpmnModel) -> None:
    diagram = laid_out(model)
    read = own_diagram(replace(model, diagrams=(di_of(diagram),)))
    assert read is not None
    places = {one.element: one.bounds for one in read.shapes}
    for one in diagram.shapes:
        assert places[one.element].grown(0.1).contains(one.bounds)
    lines = {one.element: one.line for one in read.edges}
    assert lines.keys() == {one.element for one in diagram.edges if one.has_id}
    assert all(len(lines[one.element]) == len(one.line) for one in diagram.edges if one.has_id)


def as_element(written: XmlNode, parent: Element) -> None:
    element = SubElement(parent, written.tag, dict(written.attributes))
    for child in written.children:
        as_element(child, element)


def test_a_diagram_is_written_as_the_schema_of_bpmn_wants_it() -> None:
    model = of_definition(DEFINITION)
    definitions = Element(f"{MODEL}definitions", {"targetNamespace": "urn:test"})
    process = SubElement(definitions, f"{MODEL}process", {"id": "process"})
    for one in model.processes[0].inside.nodes:
        given = {"attachedToRef": one.attached_to} if one.attached_to else {}
        SubElement(process, f"{MODEL}{one.kind.value}", {"id": one.id, **given})
    for one_flow in model.processes[0].inside.flows:
        ends = {"id": one_flow.id, "sourceRef": one_flow.source, "targetRef": one_flow.target}
        SubElement(process, f"{MODEL}sequenceFlow", ends)
    as_element(di_of(laid_out(model)), definitions)
    schemas = files("SpiffWorkflow") / "bpmn" / "parser" / "schema" / "BPMN20.xsd"
    schema = etree.XMLSchema(etree.parse(str(schemas)))
    schema.assertValid(etree.fromstring(tostring(definitions)))


def test_a_modeller_is_told_which_frames_are_open_and_which_gateways_have_a_cross() -> None:
    inside = Inside(nodes=(node("in", K.EXCLUSIVE_GATEWAY),))
    model = model_of(
        Inside(
            nodes=(node("frame", K.SUB_PROCESS, inside=inside), node("b", K.TASK)),
            flows=(flow("frame", "b"),),
        )
    )
    (plane,) = di_of(laid_out(model)).children
    told = {one.attributes["bpmnElement"]: dict(one.attributes) for one in plane.children if one.tag == SHAPE}
    assert plane.attributes["bpmnElement"] == "process"
    assert told["frame"]["isExpanded"] == "true"
    assert told["in"]["isMarkerVisible"] == "true"
    assert told["b"].keys() == {"id", "bpmnElement"}
