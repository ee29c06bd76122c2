"""A BPMN 2.0 model between its XML and a definition: what runs has types, what is only kept is XML as it stood."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ElementKind(Enum):
    """The flow nodes that there are (OMG BPMN 2.0.2, 10.2 to 10.6), by their element's local name."""

    TASK = "task"
    USER_TASK = "userTask"
    MANUAL_TASK = "manualTask"
    SERVICE_TASK = "serviceTask"
    SEND_TASK = "sendTask"
    RECEIVE_TASK = "receiveTask"
    SCRIPT_TASK = "scriptTask"
    BUSINESS_RULE_TASK = "businessRuleTask"
    CALL_ACTIVITY = "callActivity"
    SUB_PROCESS = "subProcess"
    EXCLUSIVE_GATEWAY = "exclusiveGateway"
    INCLUSIVE_GATEWAY = "inclusiveGateway"
    PARALLEL_GATEWAY = "parallelGateway"
    COMPLEX_GATEWAY = "complexGateway"
    """Only with our `join` in its extensions, which says what it waits for."""
    EVENT_GATEWAY = "eventBasedGateway"
    START_EVENT = "startEvent"
    END_EVENT = "endEvent"
    CATCH_EVENT = "intermediateCatchEvent"
    THROW_EVENT = "intermediateThrowEvent"
    BOUNDARY_EVENT = "boundaryEvent"


class EventKind(Enum):
    """What an event is about, by the local name of its definition less `EventDefinition`."""

    MESSAGE = "message"
    SIGNAL = "signal"
    TIMER = "timer"
    CONDITIONAL = "conditional"
    ERROR = "error"
    ESCALATION = "escalation"
    COMPENSATE = "compensate"
    LINK = "link"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlNode:
    """An XML element as it stood; comments and processing instructions are left out."""

    tag: str
    """`{namespace}name`."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """By `name`, or `{namespace}name` where it has a namespace."""
    text: str = ""
    children: tuple["XmlNode", ...] = ()
    tail: str = ""
    """The text behind it, where texts and elements are mixed; blanks between elements are left out."""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BpmnExpression:
    """An expression as written; nothing of it has been read."""

    text: str
    language: str | None = None
    """The URI of its language, its own or that of the file."""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDefinition:
    """What an event is about."""

    kind: EventKind
    id: str | None = None
    reference: str | None = None
    """The id of the message, signal, error or escalation that it names."""
    name: str | None = None
    """The name of that message or signal, the code of that error or escalation, or the name of a link."""
    expression: BpmnExpression | None = None
    """A time, or a condition."""
    timer: str | None = None
    """`timeDate`, `timeDuration` or `timeCycle`."""
    activity: str | None = None
    """What is to be compensated; none: the scope's done steps."""
    waits: bool = True
    kept: tuple[XmlNode, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """That an activity is done several times."""

    items: BpmnExpression | None = None
    """The collection of a multi-instance loop; none: a standard loop, or a count alone."""
    element: str | None = None
    """What an element is called."""
    count: BpmnExpression | None = None
    sequential: bool = False
    until: BpmnExpression | None = None
    """The completion condition."""
    condition: BpmnExpression | None = None
    """Of a standard loop."""
    most: int | None = None
    tests_before: bool = False
    multi: bool = False
    kept: tuple[XmlNode, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sequence flow."""

    id: str
    source: str
    target: str
    name: str = ""
    condition: BpmnExpression | None = None
    kept: tuple[XmlNode, ...] = ()
    """Documentation, extensions."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A lane with the flow nodes in it, and the lanes within it."""

    id: str
    name: str = ""
    nodes: tuple[str, ...] = ()
    lanes: tuple["Lane", ...] = ()
    set_id: str = ""
    kept: tuple[XmlNode, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What a process or a sub-process holds."""

    nodes: tuple["FlowNode", ...] = ()
    flows: tuple[Flow, ...] = ()
    lanes: tuple[Lane, ...] = ()
    associations: tuple[tuple[str, str], ...] = ()
    """From a compensation event to what compensates."""
    kept: tuple[XmlNode, ...] = ()
    """Data, artifacts, associations, as they stood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowNode:
    """A flow node: an activity, a gateway or an event."""

    id: str
    kind: ElementKind
    name: str = ""
    documentation: str = ""
    events: tuple[EventDefinition, ...] = ()
    attached_to: str | None = None
    interrupts: bool = True
    """`cancelActivity` of a boundary event, `isInterrupting` of the start of an event sub-process."""
    default: str | None = None
    """The id of the flow that is taken where no condition holds."""
    loop: Loop | None = None
    inside: Inside | None = None
    by_event: bool = False
    """An event sub-process."""
    for_compensation: bool = False
    called: str | None = None
    """What a call activity calls."""
    script: BpmnExpression | None = None
    reference: str | None = None
    """The id of the message that a task sends or receives."""
    message: str | None = None
    """That message's name."""
    extensions: tuple[XmlNode, ...] = ()
    kept: tuple[XmlNode, ...] = ()
    """What else is in it: data, resources."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What it says besides, of BPMN or of others."""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BpmnProcess:
    """A process, or a global task as a process of one task."""

    id: str
    inside: Inside
    name: str = ""
    documentation: str = ""
    is_executable: bool = True
    extensions: tuple[XmlNode, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BpmnModel:
    """A file."""

    processes: tuple[BpmnProcess, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of its root."""
    prefixes: Mapping[str, str] = field(default_factory=dict)
    """Namespaces by the prefix under which they were declared; `''` is the default one."""
    roots: tuple[XmlNode, ...] = ()
    """Messages, signals, errors, escalations, data: what is beside the processes."""
    collaboration: tuple[XmlNode, ...] = ()
    diagrams: tuple[XmlNode, ...] = ()
