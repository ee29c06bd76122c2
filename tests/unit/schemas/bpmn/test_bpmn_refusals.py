"""What BPMN has and no construct of ours says is refused, with line and element, everything at once."""

import pytest

from tests.support.bpmn.files import definitions, process, rejections

START = '<startEvent id="s"/>'
EVENT = '<{0} id="e" parallelMultiple="true"><signalEventDefinition/><timerEventDefinition/></{0}>'


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (
            '<adHocSubProcess id="x"><completionCondition/></adHocSubProcess>',
            '<adHocSubProcess id="x">: no construct; use a sub-process with gateways',
        ),
        (
            '<transaction id="x"/>',
            '<transaction id="x">: no construct; use a sub-process with an error boundary event and compensation',
        ),
        (
            '<endEvent id="x"><cancelEventDefinition/></endEvent>',
            "<cancelEventDefinition>: no construct; use an error event, and an error boundary event on the sub-process",
        ),
        (
            '<complexGateway id="x"><activationCondition>1</activationCondition></complexGateway>',
            (
                '<complexGateway id="x">: no construct; use a parallel or an inclusive gateway, or say in '
                '<unpend:field name="join"> what it waits for'
            ),
        ),
        (
            EVENT.format("startEvent"),
            (
                '<startEvent id="e">: no construct for parallelMultiple="true"; use one event, and a parallel gateway '
                "with an event on each branch"
            ),
        ),
        (
            EVENT.format("intermediateCatchEvent"),
            (
                '<intermediateCatchEvent id="e">: no construct for parallelMultiple="true"; use a parallel gateway '
                "with an event on each branch"
            ),
        ),
        (
            '<receiveTask id="x" instantiate="true"/>',
            (
                '<receiveTask id="x">: no construct for instantiate="true"; a receive task begins no run; '
                "use a message start event before it"
            ),
        ),
        (
            '<eventBasedGateway id="x" instantiate="1"/>',
            (
                '<eventBasedGateway id="x">: no construct for instantiate="true"; an event-based gateway begins no '
                "run; use a start event for each event"
            ),
        ),
        (
            '<eventBasedGateway id="x" eventGatewayType="Parallel"/>',
            (
                '<eventBasedGateway id="x">: no construct for a parallel event gateway; use a parallel gateway with an '
                "event on each branch"
            ),
        ),
        (
            '<task id="x" startQuantity="2"/>',
            "<task id=\"x\">: no construct for startQuantity='2'; use a loop",
        ),
        (
            '<task id="x" completionQuantity="3"/>',
            "<task id=\"x\">: no construct for completionQuantity='3'; use a loop",
        ),
        (
            (
                '<task id="x"><multiInstanceLoopCharacteristics id="l"><loopCardinality>3</loopCardinality>'
                "<loopDataInputRef>orders</loopDataInputRef></multiInstanceLoopCharacteristics></task>"
            ),
            '<multiInstanceLoopCharacteristics id="l">: has a count and a collection; leave one of them',
        ),
        (
            (
                '<task id="x"><multiInstanceLoopCharacteristics f:collection="orders">'
                "<loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></task>"
            ),
            "<multiInstanceLoopCharacteristics>: has a count and a collection; leave one of them",
        ),
        (
            (
                '<task id="x"><multiInstanceLoopCharacteristics><extensionElements><f:loop inputCollection="= orders"/>'
                "</extensionElements><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></task>"
            ),
            "<multiInstanceLoopCharacteristics>: has a count and a collection; leave one of them",
        ),
        (
            '<task id="x"><standardLoopCharacteristics loopMaximum="many"/></task>',
            "<standardLoopCharacteristics>: loopMaximum is 'many', and no whole number",
        ),
        (
            '<task id="s"/>',
            '<task id="s">: the id is that of the element on line 5; give it another',
        ),
        (
            '<sequenceFlow id="x" sourceRef="s" targetRef="nobody"/>',
            "<sequenceFlow id=\"x\">: leads to 'nobody', which is no flow node of the file",
        ),
        (
            '<sequenceFlow id="x" sourceRef="s"/>',
            '<sequenceFlow id="x">: has no targetRef; lead it from one element to another',
        ),
        (
            '<sequenceFlow id="x" sourceRef="s" targetRef="t"/><subProcess id="b"><task id="t"/></subProcess>',
            "<sequenceFlow id=\"x\">: leads to 't' across the border of a process or sub-process; use a message",
        ),
        (
            '<boundaryEvent id="x"><timerEventDefinition/></boundaryEvent>',
            '<boundaryEvent id="x">: it has no host; attach it to an activity',
        ),
        (
            '<boundaryEvent id="x" attachedToRef="s"><timerEventDefinition/></boundaryEvent>',
            "<boundaryEvent id=\"x\">: its host 's' is no activity beside it; attach it to an activity",
        ),
        (
            '<boundaryEvent id="x" attachedToRef="t"/><subProcess id="b"><task id="t"/></subProcess>',
            "<boundaryEvent id=\"x\">: its host 't' is no activity beside it; attach it to an activity",
        ),
        (
            '<receiveTask id="x" messageRef="m"/>',
            "<receiveTask id=\"x\">: refers to the message 'm', which is not in the file; add it",
        ),
        (
            '<endEvent id="x"><signalEventDefinition id="d" signalRef="g"/></endEvent>',
            "<signalEventDefinition id=\"d\">: refers to the signal 'g', which is not in the file; add it",
        ),
        (
            '<endEvent id="x"><errorEventDefinition errorRef="s"/></endEvent>',
            "<errorEventDefinition>: refers to the error 's', which is not in the file; add it",
        ),
        (
            '<endEvent id="x"><escalationEventDefinition escalationRef="e"/></endEvent>',
            "<escalationEventDefinition>: refers to the escalation 'e', which is not in the file; add it",
        ),
        (
            '<endEvent id="x"><compensateEventDefinition activityRef="a"/></endEvent>',
            "<compensateEventDefinition>: refers to the activity 'a', which is not in the file",
        ),
        (
            '<endEvent id="x"><eventDefinitionRef>d</eventDefinitionRef></endEvent>',
            "<eventDefinitionRef>: refers to 'd', which is no event definition of the file",
        ),
        (
            '<exclusiveGateway id="x" default="f"/>',
            "<exclusiveGateway id=\"x\">: its default 'f' is no flow that leaves it",
        ),
        (
            '<choreographyTask id="x"/>',
            '<choreographyTask id="x">: no construct; use a send and a receive task',
        ),
        (
            '<task id="x"><timerEventDefinition/></task>',
            "<timerEventDefinition>: only an event has an event definition",
        ),
        ('<tusk id="x"/>', '<tusk id="x">: is nothing that a process of BPMN 2.0 has'),
        (
            '<task id="x"><lane id="l"/></task>',
            '<lane id="l">: is nothing that an element of BPMN 2.0 has at this place',
        ),
    ],
)
def test_what_no_construct_says_is_refused_with_its_line_and_element(inside: str, expected: str) -> None:
    assert rejections(process(f"{START}\n{inside}")) == [f"line 6: {expected}"]


def test_a_file_without_a_process_is_refused() -> None:
    expected = ["line 2: <definitions>: has no process; draw one with a start event"]
    assert rejections(definitions("").encode()) == expected
    assert rejections(definitions('<collaboration id="c"/>').encode()) == expected


def test_everything_is_refused_at_once_in_the_order_of_the_file() -> None:
    text = process(
        '<sequenceFlow id="f" sourceRef="s" targetRef="nobody"/>\n<transaction id="t">\n'
        '<adHocSubProcess id="a"/>\n</transaction>\n<startEvent id="s"/>\n<sequenceFlow id="g" sourceRef="s" '
        'targetRef="t"/>\n<boundaryEvent id="b" attachedToRef="t"><cancelEventDefinition/></boundaryEvent>'
    )
    found = [message.partition(">")[0] for message in rejections(text)]
    assert found == [
        'line 5: <sequenceFlow id="f"',
        'line 6: <transaction id="t"',
        'line 7: <adHocSubProcess id="a"',
        "line 11: <cancelEventDefinition",
    ]
