"""BPMN's XML becomes a model; what no construct of ours says is refused, everything at once."""

from schemas.core.bpmn.reading.model_reader import read_model

__all__ = ["read_model"]
