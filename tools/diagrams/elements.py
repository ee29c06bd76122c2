"""The elements of a model by their ids: what a picture shows, and of what kind each is."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from schemas.core.bpmn.model import BpmnModel, BpmnProcess, Flow, FlowNode, Inside, Lane, XmlNode

ARTIFACTS: Final = frozenset({"textAnnotation", "group", "dataObjectReference", "dataStoreReference"})
"""What is drawn where the file's own diagram has a place for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A pool."""

    id: str
    name: str
    process: str | None
    """The process in it; none: it is a black box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFlow:
    """A message between pools, or what is in them."""

    id: str
    name: str
    source: str
    target: str


@dataclass(slots=True)
class Elements:
    """A model's elements by their ids, in the order of the file."""

    nodes: dict[str, FlowNode] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    artifacts: dict[str, XmlNode] = field(default_factory=dict)
    participants: dict[str, Participant] = field(default_factory=dict)
    message_flows: dict[str, MessageFlow] = field(default_factory=dict)
    associations: dict[tuple[str, str], str] = field(default_factory=dict)
    """The id of an association by its ends."""
    undirected: set[str] = field(default_factory=set)
    """Associations that do not lead from one end to the other."""
    around: dict[str, str] = field(default_factory=dict)
    """The sub-process in which a node or a flow is."""
    lane_of: dict[str, Lane] = field(default_factory=dict)
    """The innermost lane of a node."""


def local_name(node: XmlNode) -> str:
    """The element's name without its namespace."""
    return node.tag.rpartition("}")[2]


def elements_of(model: BpmnModel) -> Elements:
    """Every element that a picture may show."""
    elements = Elements()
    for process in model.processes:
        _add(elements, process.inside, None)
    for node in descendants(model.collaboration):
        _add_of_collaboration(elements, node)
    return elements


def association_key(source: str, target: str) -> str:
    """What stands for the id of an association that has none."""
    return f"{source} {target}"


def descendants(nodes: tuple[XmlNode, ...]) -> Iterator[XmlNode]:
    """Every node with what is in it."""
    for node in nodes:
        yield node
        yield from descendants(node.children)


def title_of(model: BpmnModel) -> str:
    """What a picture of the model is called: the names of its processes."""
    return ", ".join(process.name or process.id for process in model.processes)


def process_of(model: BpmnModel, participant: Participant) -> BpmnProcess | None:
    """The process that is in a pool."""
    return next((process for process in model.processes if process.id == participant.process), None)


def _add(elements: Elements, inside: Inside, frame: str | None) -> None:
    for node in inside.nodes:
        elements.nodes[node.id] = node
        if frame is not None:
            elements.around[node.id] = frame
        if node.inside is not None:
            _add(elements, node.inside, node.id)
    for flow in inside.flows:
        elements.flows[flow.id] = flow
        if frame is not None:
            elements.around[flow.id] = frame
    for lane in inside.lanes:
        _add_lane(elements, lane)
    for kept in inside.kept:
        _add_kept(elements, kept)


def _add_lane(elements: Elements, lane: Lane) -> None:
    elements.lanes[lane.id] = lane
    elements.lane_of.update(dict.fromkeys(lane.nodes, lane))
    for inner in lane.lanes:
        _add_lane(elements, inner)


def _add_kept(elements: Elements, node: XmlNode) -> None:
    given = node.attributes
    name = local_name(node)
    if name in ARTIFACTS and "id" in given:
        elements.artifacts[given["id"]] = node
    if name == "association" and "id" in given:
        elements.associations[given.get("sourceRef", ""), given.get("targetRef", "")] = given["id"]
        if given.get("associationDirection", "None") == "None":
            elements.undirected.add(given["id"])


def _add_of_collaboration(elements: Elements, node: XmlNode) -> None:
    given = node.attributes
    identifier = given.get("id")
    if identifier is None:
        return
    match local_name(node):
        case "participant":
            elements.participants[identifier] = Participant(
                id=identifier, name=given.get("name", ""), process=given.get("processRef")
            )
        case "messageFlow" if "sourceRef" in given and "targetRef" in given:
            elements.message_flows[identifier] = MessageFlow(
                id=identifier,
                name=given.get("name", ""),
                source=given["sourceRef"],
                target=given["targetRef"],
            )
        case _:
            _add_kept(elements, node)
