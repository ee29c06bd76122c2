"""Pictures as SVG: well-formed, offline, with everything escaped, and a run's place in them."""

import re
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.core.bpmn.model import (
    BpmnExpression,
    BpmnModel,
    ElementKind,
    EventKind,
    Flow,
    Inside,
    Lane,
    Loop,
)
from tests.support.tools.bpmn_models import about, chain, flow, model_of, models, names, node, of_definition
from tests.unit.tools.diagrams.test_layout import DEFINITION
from tools.diagrams.elements import elements_of
from tools.diagrams.picture import svg_of
from tools.diagrams.position import NodeCounts, NodeState, RunPosition

K = ElementKind
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "g", "title", "rect", "circle", "path", "text", "tspan"}
GIVEN = re.compile(
    r"xmlns|viewBox|width|height|role|font-(family|size|weight)|x|y|rx|cx|cy|r|d|transform|id|class|data-(step|flow)"
    r"|fill(-opacity)?|stroke(-width|-dasharray|-linejoin)?|text-anchor"
)
HOSTILE = [
    "<script>alert(1)</script>",
    "]]><script/>",
    "</text></svg><svg onload='x'>",
    '" onmouseover="x',
    "' onload='x",
    "&lt;&#0;&amp;&entity;",
    "\x00\x01\x0b\x1f\x7f\ufffe\uffff\ud800",
    "\u202egnp.exe\u2066",
    "<!--",
    "<?xml?>",
    "${7*7} url(http://example.com/) javascript:x",
]


def drawn(svg: str) -> Element:
    root: Element = fromstring(svg.encode())
    return root


def of(root: Element, step: str) -> Element:
    """The group of a node."""
    (found,) = [group for group in root.iter(f"{SVG}g") if group.get("data-step") == step]
    return found


def words(group: Element) -> str:
    """What is written in a group, its title apart."""
    return "".join(span.text or "" for span in group.iter(f"{SVG}tspan"))


def unexpected(root: Element) -> set[str]:
    """Elements and attributes that no picture has."""
    return {one.tag for one in root.iter() if one.tag.removeprefix(SVG) not in DRAWN} | {
        name for one in root.iter() for name in one.attrib if not GIVEN.fullmatch(name)
    }


@given(models())
@settings(max_examples=25)
def test_a_picture_is_well_formed_and_has_nothing_in_it_but_what_we_draw(model: BpmnModel) -> None:
    root = drawn(
        svg_of(model, RunPosition(nodes={one: NodeCounts(done=2) for one in elements_of(model).nodes}))
    )
    assert unexpected(root) == set()
    elements = elements_of(model)
    assert {group.get("data-step") for group in root.iter(f"{SVG}g")} - {None} == elements.nodes.keys()
    assert {group.get("data-flow") for group in root.iter(f"{SVG}g")} - {None} == elements.flows.keys()


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_name_holds_is_text(text: str) -> None:
    nodes = (
        node("a", K.START_EVENT, text),
        node(f"b{text}", K.USER_TASK, text),
        node("c", K.EXCLUSIVE_GATEWAY, text),
        node("d", K.SUB_PROCESS, text, inside=Inside(nodes=(node("e", K.TASK, text),))),
    )
    flows = (
        Flow(id=f"f{text}", source="a", target="c", name=text),
        flow("c", "d", condition=BpmnExpression(text=text)),
    )
    svg = svg_of(model_of(Inside(nodes=nodes, flows=flows, lanes=(Lane(id="l", name=text, nodes=("a",)),))))
    root = drawn(svg)
    assert unexpected(root) == set()
    assert not any("\u202e" in (one.text or "") for one in root.iter())


@given(names)
@settings(max_examples=25)
def test_a_name_is_shown_in_full_in_its_title(text: str) -> None:
    group = of(drawn(svg_of(chain(node("a", K.TASK, text)))), "a")
    title = group.find(f"{SVG}title")
    assert title is not None
    assert (title.text or "").replace("\ufffd", "").replace(" ", "") == "".join(
        "" if one in "\x00\u202e\ud800 " else one for one in text
    ) or not text.strip("\x00\u202e\ud800 ")


def test_a_chinese_name_is_wrapped_to_its_shape_and_stays_whole() -> None:
    root = drawn(svg_of(chain(node("a", K.TASK, "等待上海仓库的配件到货以后再联系客户"))))
    group = of(root, "a")
    lines = [span.text or "" for span in group.iter(f"{SVG}tspan")]
    box = next(group.iter(f"{SVG}rect"))
    assert len(lines) > 1
    assert all(len(line) * 12 <= float(box.get("width", "0")) for line in lines)
    assert words(group) == "等待上海仓库的配件到货以后再联系客户"


def test_a_picture_names_its_process_and_fits_its_view() -> None:
    root = drawn(svg_of(of_definition(DEFINITION)))
    assert root.findtext(f"{SVG}title") == "流程"
    assert root.get("viewBox", "").split()[2:] == [root.get("width"), root.get("height")]


def test_the_workflow_of_orders_shows_every_step_by_its_title() -> None:
    model = of_definition(DEFINITION)
    root = drawn(svg_of(model))
    for one in elements_of(model).nodes.values():
        assert words(of(root, one.id)) == one.name or not one.name


@pytest.mark.parametrize("kind", EventKind)
@pytest.mark.parametrize("element", [K.START_EVENT, K.CATCH_EVENT, K.THROW_EVENT, K.END_EVENT])
def test_each_kind_of_event_has_its_mark(kind: EventKind, element: ElementKind) -> None:
    plain = svg_of(chain(node("a", element)))
    assert svg_of(chain(node("a", element, events=about(kind)))).count("<path") > plain.count("<path")


@pytest.mark.parametrize("kind", [one for one in ElementKind if one is not K.BOUNDARY_EVENT])
def test_each_kind_of_node_looks_like_no_other(kind: ElementKind) -> None:
    def look(of_kind: ElementKind) -> str:
        return re.sub(r'class="[^"]*"', "", svg_of(chain(node("a", of_kind, "b"))))

    same = {one for one in ElementKind if one is not K.BOUNDARY_EVENT and look(one) == look(kind)}
    alike = [{K.TASK, K.SUB_PROCESS}, {K.CATCH_EVENT, K.THROW_EVENT}]
    assert same == next((both for both in alike if kind in both), {kind})


def circles(svg: str) -> list[dict[str, str]]:
    return [dict(one.attrib) for one in drawn(svg).iter(f"{SVG}circle")]


def test_starts_are_thin_ends_thick_and_what_is_between_double() -> None:
    (start,) = circles(svg_of(chain(node("a", K.START_EVENT))))
    (end,) = circles(svg_of(chain(node("a", K.END_EVENT))))
    assert float(end["stroke-width"]) > 2 * float(start["stroke-width"])
    assert len(circles(svg_of(chain(node("a", K.CATCH_EVENT))))) == 2


def test_an_event_that_does_not_interrupt_is_dashed() -> None:
    nodes = (
        node("a", K.TASK),
        node("b", K.BOUNDARY_EVENT, attached_to="a", events=about(EventKind.TIMER), interrupts=False),
    )
    assert all("stroke-dasharray" in one for one in circles(svg_of(model_of(Inside(nodes=nodes)))))


@pytest.mark.parametrize("loop", [Loop(), Loop(multi=True), Loop(multi=True, sequential=True)])
def test_a_loop_has_its_marker(loop: Loop) -> None:
    pictures = [
        svg_of(chain(node("a", K.TASK, loop=one)))
        for one in (None, Loop(), Loop(multi=True), Loop(multi=True, sequential=True))
    ]
    assert pictures.count(svg_of(chain(node("a", K.TASK, loop=loop)))) == 1


def test_the_flow_that_is_taken_else_has_a_stroke_and_that_with_a_condition_a_diamond() -> None:
    nodes = (node("a", K.TASK, default="a_to_c"), node("b", K.TASK), node("c", K.TASK))
    plain = (flow("a", "b"), flow("a", "c"))
    marked = (flow("a", "b", condition=BpmnExpression(text="x > 1")), flow("a", "c"))
    root = drawn(svg_of(model_of(Inside(nodes=nodes, flows=marked))))
    paths = {
        group.get("data-flow"): len(list(group.iter(f"{SVG}path")))
        for group in root.iter(f"{SVG}g")
        if group.get("data-flow")
    }
    unmarked = svg_of(model_of(Inside(nodes=(node("a", K.TASK), *nodes[1:]), flows=plain)))
    assert paths == {"a_to_b": 3, "a_to_c": 3}
    assert unmarked.count("<path") == 4


def test_a_lane_that_is_not_drawn_is_written_above_its_steps() -> None:
    nodes = (node("a", K.TASK, "甲"), node("b", K.TASK, "乙"))
    svg = svg_of(chain(*nodes, lanes=(Lane(id="l", name="客服", nodes=("a",)),)))
    assert "客服" in words(of(drawn(svg), "a"))
    assert "客服" not in words(of(drawn(svg), "b"))


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        (NodeCounts(done=3), NodeState.DONE),
        (NodeCounts(done=3, open=1), NodeState.OPEN),
        (NodeCounts(done=3, open=1, failed=2), NodeState.FAILED),
    ],
)
def test_a_run_shows_where_it_stands_and_how_often(counts: NodeCounts, state: NodeState) -> None:
    model = chain(node("a", K.TASK, "甲"), node("b", K.TASK, "乙"))
    root = drawn(svg_of(model, RunPosition(nodes={"a": counts})))
    assert state.value in of(root, "a").get("class", "").split()
    shown = {
        (group.get("class") or "").removeprefix("count "): group.findtext(f"{SVG}text")
        for group in of(root, "a").iter(f"{SVG}g")
        if (group.get("class") or "").startswith("count")
    }
    expected = {"done": counts.done, "open": counts.open, "failed": counts.failed}
    assert shown == {name: str(count) for name, count in expected.items() if count}
    assert of(root, "b").get("class") == "node task"


def test_there_is_a_legend_where_there_is_a_run_and_only_there() -> None:
    model = chain(node("a", K.TASK))
    assert 'class="legend"' in svg_of(model, RunPosition())
    assert 'class="legend"' not in svg_of(model)


def test_a_node_that_was_not_entered_looks_as_without_a_run() -> None:
    model = chain(node("a", K.TASK))
    with_run = of(
        drawn(svg_of(model, RunPosition(nodes={"a": NodeCounts(), "other": NodeCounts(done=1)}))), "a"
    )
    assert with_run.attrib == of(drawn(svg_of(model)), "a").attrib


@given(st.integers(0, 3))
def test_the_same_model_gives_the_same_picture(done: int) -> None:
    position = RunPosition(nodes={"start": NodeCounts(done=done)})
    assert svg_of(of_definition(DEFINITION), position) == svg_of(of_definition(DEFINITION), position)
