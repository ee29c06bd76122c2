"""BPMN files for tests, each of a few lines so that their numbers can be said."""

from typing import Final

_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:test" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
)
_FLOWS: Final = (
    '<sequenceFlow id="f1" sourceRef="start" targetRef="call"/>'
    '<sequenceFlow id="f2" sourceRef="call" targetRef="done"/>'
)
READY: Final = (
    f'{_HEAD}<process id="visit" name="到访" isExecutable="true"><startEvent id="start"/>\n'
    '<serviceTask id="call" name="致电"><extensionElements><zeebe:taskDefinition type="calling"/></extensionElements>'
    f'</serviceTask>\n<endEvent id="done"/>{_FLOWS}</process></definitions>\n'
)
OPEN: Final = (
    f'{_HEAD}<process id="visit" isExecutable="true"><startEvent id="start"/>\n'
    f'<serviceTask id="call" name="致电"/>\n<endEvent id="done"/>{_FLOWS}</process></definitions>\n'
)
"""Nobody is bound to do its one task, in line 4."""
REJECTED: Final = (
    f'{_HEAD}<process id="visit" isExecutable="true"><startEvent id="start"/>\n'
    '<adHocSubProcess id="free"/>\n<complexGateway id="odd"/>\n</process></definitions>\n'
)
"""Two constructs that there are not, in lines 4 and 5."""
