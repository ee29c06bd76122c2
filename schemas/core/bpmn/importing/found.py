"""What an import comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.core.bpmn.problems import BpmnProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedDefinition:
    """A definition, as `schemas.core.definition` reads it, and what is open in it."""

    body: Mapping[str, Any]
    open_points: tuple[BpmnProblem, ...]
    """What a person must still say; with one of them it is a draft."""
    flow_nodes: int
    """How many the process has, those in sub-processes counted."""

    @property
    def ready(self) -> bool:
        """Whether it can be activated."""
        return not self.open_points


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """The definitions of a file, and what of it is kept and does nothing."""

    definitions: tuple[ImportedDefinition, ...]
    notes: tuple[BpmnProblem, ...]
