"""A model becomes BPMN's XML, as the OMG's XSD has it."""

from schemas.core.bpmn.writing.model_writer import write_model

__all__ = ["write_model"]
