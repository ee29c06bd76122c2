"""What of a file becomes what in the model: references and names, what is kept, what is given an id."""

from dataclasses import replace

from schemas.core.bpmn.model import (
    BpmnExpression,
    BpmnModel,
    ElementKind,
    EventDefinition,
    EventKind,
    FlowNode,
    XmlNode,
)
from schemas.core.bpmn.reading import read_model
from schemas.core.bpmn.writing import write_model
from schemas.core.bpmn.xml.names import BPMN, bpmn
from tests.support.bpmn.files import definitions, process
from tests.support.bpmn.schema import faults_of


def nodes_of(inside: str, roots: str = "") -> dict[str, FlowNode]:
    text = definitions(f'{roots}<process id="orders">{inside}</process>')
    return {node.id: node for node in read_model(text.encode()).processes[0].inside.nodes}


def again(model: BpmnModel) -> BpmnModel:
    """The model, written and read once more, which must be the same."""
    text = write_model(model)
    assert read_model(text) == model
    assert faults_of(text) == []
    return model


def test_events_and_tasks_have_the_names_of_what_they_refer_to() -> None:
    roots = (
        '<message id="m" name="订单"/><signal id="g" name="stop"/><error id="r" name="Refused" errorCode="E1"/>'
        '<error id="q" name="Late"/><escalation id="c" escalationCode="C1"/>'
    )
    nodes = nodes_of(
        '<startEvent id="s"><messageEventDefinition messageRef="m"/><signalEventDefinition signalRef="g"/></startEvent>'
        '<endEvent id="e"><errorEventDefinition errorRef="r"/></endEvent>'
        '<endEvent id="f"><errorEventDefinition errorRef="q"/></endEvent>'
        '<endEvent id="h"><escalationEventDefinition escalationRef="c"/></endEvent>'
        '<receiveTask id="t" messageRef="m"/>',
        roots,
    )
    named = {own: [(event.reference, event.name) for event in node.events] for own, node in nodes.items()}
    assert named == {
        "s": [("m", "订单"), ("g", "stop")],
        "e": [("r", "E1")],
        "f": [("q", "Late")],
        "h": [("c", "C1")],
        "t": [],
    }
    assert (nodes["t"].reference, nodes["t"].message) == ("m", "订单")


def test_a_qualified_reference_means_the_id_behind_its_prefix() -> None:
    text = (
        f'<b:definitions xmlns:b="{BPMN}" xmlns:t="urn:t" targetNamespace="urn:t"><b:message id="m" name="n"/>'
        '<b:process id="p"><b:task id="a"/><b:boundaryEvent id="e" attachedToRef="t:a">'
        '<b:messageEventDefinition messageRef="t:m"/></b:boundaryEvent>'
        '<b:callActivity id="c" calledElement="t:other"/>'
        "</b:process></b:definitions>"
    )
    model = again(read_model(text.encode()))
    nodes = {node.id: node for node in model.processes[0].inside.nodes}
    assert (nodes["e"].attached_to, nodes["e"].events[0].reference) == ("a", "m")
    assert nodes["c"].called == "other"
    assert nodes_of('<callActivity id="d" calledElement="x:other"/>')["d"].called == "x:other"
    assert model.prefixes == {"b": BPMN, "t": "urn:t"}


def test_an_event_that_refers_to_a_definition_of_the_file_has_it() -> None:
    nodes = nodes_of(
        '<startEvent id="s"><eventDefinitionRef>d</eventDefinitionRef></startEvent>',
        '<timerEventDefinition id="d"><timeCycle>R/PT1H</timeCycle></timerEventDefinition>',
    )
    assert nodes["s"].events == (
        EventDefinition(kind=EventKind.TIMER, timer="timeCycle", expression=BpmnExpression(text="R/PT1H")),
    )


def test_an_expression_is_in_its_own_language_or_that_of_the_file() -> None:
    text = process(
        '<task id="a"/><sequenceFlow id="f" sourceRef="a" targetRef="a"><conditionExpression>\n  a > 1\n'
        '</conditionExpression></sequenceFlow><sequenceFlow id="g" sourceRef="a" targetRef="a">'
        '<conditionExpression xsi:type="tFormalExpression" language="urn:own"><![CDATA[a < 1]]></conditionExpression>'
        "</sequenceFlow>"
    ).replace(b"<definitions", b'<definitions expressionLanguage="urn:of-the-file"')
    conditions = [flow.condition for flow in again(read_model(text)).processes[0].inside.flows]
    assert conditions == [
        BpmnExpression(text="a > 1", language="urn:of-the-file"),
        BpmnExpression(text="a < 1", language="urn:own"),
    ]


def test_a_script_keeps_its_blanks() -> None:
    script = nodes_of('<scriptTask id="a" scriptFormat="python"><script>\n  x = 1\n</script></scriptTask>')[
        "a"
    ].script
    assert script == BpmnExpression(text="\n  x = 1\n", language="python")


def test_what_is_foreign_is_in_the_extensions_wherever_it_stood() -> None:
    text = process(
        '<task id="a" f:colour="red"><f:one/><documentation>Why</documentation><extensionElements><f:two/>'
        "</extensionElements></task><sequenceFlow id='x' sourceRef='a' targetRef='a'><f:three/></sequenceFlow>"
    )
    inside = again(read_model(text)).processes[0].inside
    (node,), (flow,) = inside.nodes, inside.flows
    assert [each.tag for each in node.extensions] == ["{urn:foreign:1}one", "{urn:foreign:1}two"]
    assert (node.documentation, node.attributes) == ("Why", {"{urn:foreign:1}colour": "red"})
    assert flow.kept == (
        XmlNode(tag=bpmn("extensionElements"), children=(XmlNode(tag="{urn:foreign:1}three"),)),
    )


def test_an_element_without_an_id_is_given_one_that_is_free() -> None:
    text = process('<task id="task_1"/><task/><laneSet><lane/></laneSet><startEvent/>')
    inside = again(read_model(text)).processes[0].inside
    assert [node.id for node in inside.nodes] == ["task_1", "task_2", "startEvent_1"]
    assert [(lane.id, lane.set_id) for lane in inside.lanes] == [("lane_1", "laneSet_1")]


def test_a_complex_gateway_is_read_with_our_join() -> None:
    join = '<extensionElements><unpend:field name="join">"any"</unpend:field></extensionElements>'
    assert (
        nodes_of(f'<complexGateway id="a">{join}</complexGateway>')["a"].kind is ElementKind.COMPLEX_GATEWAY
    )


def test_a_global_task_is_a_process_of_one_task() -> None:
    text = definitions(
        '<globalScriptTask id="g" name="Count" scriptLanguage="python"><script>1</script></globalScriptTask>'
        '<process id="p"><callActivity id="c" calledElement="g"/></process>'
    )
    model = again(read_model(text.encode()))
    assert [(process.id, process.name) for process in model.processes] == [("g", "Count"), ("p", "")]
    (task,) = model.processes[0].inside.nodes
    assert (task.id, task.kind, task.script) == (
        "g_task",
        ElementKind.SCRIPT_TASK,
        BpmnExpression(text="1", language="python"),
    )


def test_pools_are_a_bundle_and_what_is_between_them_is_kept() -> None:
    text = definitions(
        '<collaboration id="c"><participant id="a" processRef="p"/><participant id="b" processRef="q"/>'
        '<messageFlow id="f" sourceRef="a" targetRef="b"/></collaboration>'
        '<process id="p" isExecutable="true"/><process id="q" isExecutable="false"/>'
    )
    model = again(read_model(text.encode()))
    assert [(process.id, process.is_executable) for process in model.processes] == [("p", True), ("q", False)]
    assert [child.attributes["id"] for child in model.collaboration[0].children] == ["a", "b", "f"]


def test_what_compensates_is_found_whichever_way_its_association_is_drawn() -> None:
    hosts = "".join(
        f'<task id="{own}"/><boundaryEvent id="e{own}" attachedToRef="{own}">'
        "<compensateEventDefinition/></boundaryEvent>"
        for own in "ab"
    )
    text = process(
        f'{hosts}<task id="undo" isForCompensation="true"/><association id="x" sourceRef="ea" targetRef="undo"/>'
        '<association id="y" sourceRef="undo" targetRef="eb"/>'
    )
    inside = again(read_model(text)).processes[0].inside
    assert inside.associations == (("ea", "undo"), ("eb", "undo"))
    assert [node.attributes["id"] for node in inside.kept] == ["x", "y"]


def test_children_are_written_in_the_order_of_the_xsd() -> None:
    kept = tuple(
        XmlNode(tag=bpmn(name), attributes={"id": name}) for name in ("property", "monitoring", "auditing")
    )
    task = FlowNode(id="a", kind=ElementKind.TASK, kept=kept)
    model = read_model(process(""))
    inside = replace(model.processes[0].inside, nodes=(task,))
    written = write_model(replace(model, processes=(replace(model.processes[0], inside=inside),)))
    assert faults_of(written) == []


def test_a_file_without_a_target_namespace_is_given_one_that_is_not_read() -> None:
    model = read_model(f'<definitions xmlns="{BPMN}"><process id="p"/></definitions>'.encode())
    assert again(model).attributes == {}
