"""The diagram that a file has of its own."""

from schemas.core.bpmn.model import BpmnModel
from tools.diagrams.diagram import Diagram


def own_diagram(model: BpmnModel) -> Diagram | None:
    """None yet."""
    return None
