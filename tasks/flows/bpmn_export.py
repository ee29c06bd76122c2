"""Definitions given out: as BPMN files, and as pictures."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schemas.core.bpmn.exporting import model_of
from schemas.core.bpmn.own_diagram import marked
from schemas.core.bpmn.writing import write_model
from tools.diagrams.interchange.writing import di_of
from tools.diagrams.picture import diagram_of, svg_of
from tools.diagrams.position import RunPosition


def bpmn_of(body: Mapping[str, Any]) -> bytes:
    """A definition as a BPMN file; one that came without a diagram is laid out."""
    model = model_of(body)
    if not model.diagrams:
        model = replace(model, diagrams=(marked(di_of(diagram_of(model))),))
    return write_model(model)


def picture_of(body: Mapping[str, Any], position: RunPosition | None = None) -> str:
    """A definition as an SVG picture, with where a run of it stands."""
    return svg_of(model_of(body), position)
