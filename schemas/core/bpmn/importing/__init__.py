"""A BPMN file becomes definitions, with what is open in them."""

from schemas.core.bpmn.importing.file import definitions_of, import_bpmn
from schemas.core.bpmn.importing.found import ImportedDefinition, ImportedFile

__all__ = ["ImportedDefinition", "ImportedFile", "definitions_of", "import_bpmn"]
