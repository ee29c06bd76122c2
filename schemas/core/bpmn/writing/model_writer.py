"""A model becomes a BPMN file."""

from schemas.core.bpmn.model import BpmnModel, BpmnProcess, XmlNode
from schemas.core.bpmn.writing.contents import inside_nodes
from schemas.core.bpmn.writing.elements import ExpressionWriter, attributes_of, described, ordered
from schemas.core.bpmn.xml.child_order import OF_PROCESS
from schemas.core.bpmn.xml.names import UNPEND, bpmn, bpmn_name
from schemas.core.bpmn.xml.tree_writer import completed_prefixes, write_tree

_FIRST = frozenset({"import", "extension"})
_LAST = frozenset({"relationship"})


def write_model(model: BpmnModel) -> bytes:
    """The bytes of a file that satisfies the OMG's XSD, and that is read as the same model.

    The names of messages, signals, errors and escalations are those of the model's `roots`. A file that says no target
    namespace is given one.

    Raises:
        RejectedBpmn: A text has a character that XML cannot hold.
    """
    prefixes = completed_prefixes(XmlNode(tag=bpmn("definitions")), model.prefixes)
    expressions = ExpressionWriter(model.attributes.get("expressionLanguage"), prefixes)
    first = tuple(root for root in model.roots if bpmn_name(root.tag) in _FIRST)
    last = tuple(root for root in model.roots if bpmn_name(root.tag) in _LAST)
    others = tuple(root for root in model.roots if bpmn_name(root.tag) not in _FIRST | _LAST)
    root = XmlNode(
        tag=bpmn("definitions"),
        attributes={"targetNamespace": UNPEND, **model.attributes},
        children=(
            *first,
            *others,
            *model.collaboration,
            *(_process(process, expressions) for process in model.processes),
            *model.diagrams,
            *last,
        ),
    )
    return write_tree(root, prefixes)


def _process(process: BpmnProcess, expressions: ExpressionWriter) -> XmlNode:
    children = (
        *described(process.documentation, process.extensions),
        *inside_nodes(process.inside, expressions),
    )
    return XmlNode(
        tag=bpmn("process"),
        attributes=attributes_of(
            process.attributes, process.id, name=process.name, isExecutable=process.is_executable
        ),
        children=ordered(children, OF_PROCESS),
    )
