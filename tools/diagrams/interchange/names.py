"""The names of BPMN Diagram Interchange (OMG BPMN 2.0.2, chapter 12)."""

from typing import Final

_BPMNDI: Final = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_DC: Final = "{http://www.omg.org/spec/DD/20100524/DC}"
_DI: Final = "{http://www.omg.org/spec/DD/20100524/DI}"

DIAGRAM: Final = f"{_BPMNDI}BPMNDiagram"
PLANE: Final = f"{_BPMNDI}BPMNPlane"
SHAPE: Final = f"{_BPMNDI}BPMNShape"
EDGE: Final = f"{_BPMNDI}BPMNEdge"
LABEL: Final = f"{_BPMNDI}BPMNLabel"
BOUNDS: Final = f"{_DC}Bounds"
WAYPOINT: Final = f"{_DI}waypoint"
ELEMENT: Final = "bpmnElement"
"""The attribute that names what a shape, an edge or a plane is of."""
EXPANDED: Final = "isExpanded"
HORIZONTAL: Final = "isHorizontal"
MARKED: Final = "isMarkerVisible"
