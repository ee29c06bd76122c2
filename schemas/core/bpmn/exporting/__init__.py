"""A definition becomes a BPMN file."""

from schemas.core.bpmn.exporting.models import export_bpmn, model_of

__all__ = ["export_bpmn", "model_of"]
