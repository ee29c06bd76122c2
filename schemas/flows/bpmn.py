"""Answers of the routes that take BPMN files in."""

from typing import Literal

from schemas.core.form import Answered


class BpmnRemark(Answered):
    """One thing that is said of a file."""

    message: str
    line: int | None
    """Its line in the file, from 1."""
    element: str | None
    """The id of the element; without one, its name."""


class ImportedDefinitionView(Answered):
    """A definition of a file."""

    workflow: str
    version: str
    ready: bool
    """Whether it can be activated here as it is."""
    flow_nodes: int
    """The activities, gateways and events of its process, those in sub-processes too."""


class BpmnImported(Answered):
    """What became of a file: all of it is kept, as drafts, or nothing."""

    outcome: Literal["ready", "draft", "rejected"]
    """`draft`: something is open in it, and it cannot be activated until that is said. `rejected`: nothing is kept."""
    definitions: list[ImportedDefinitionView]
    open_points: list[BpmnRemark]
    notes: list[BpmnRemark]
    """What is kept and not run."""
    problems: list[BpmnRemark]
    """Why it was rejected: all reasons, in the order of the file."""
