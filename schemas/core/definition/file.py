"""A workflow definition in a YAML file: read, checked, and its faults told with file, line and column."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.core.definition.reader import place_of, read_definition
from schemas.core.definition.text import (
    DefinitionProblem,
    UnreadableDefinition,
    WrittenDefinition,
    read_yaml,
)
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.purposes import PurposeNeed, unmet_needs
from statemachine.workflow.definition import MalformedWorkflow, Workflow


def read_definition_file(
    path: Path, needs_of: Mapping[str, Sequence[PurposeNeed]]
) -> tuple[dict[str, Any], Workflow]:
    """The definition in this file, as written and as checked.

    Args:
        path: The file.
        needs_of: The purposes that a definition needs, by its trigger.

    Raises:
        MalformedWorkflow: it cannot run, or lacks a purpose that its trigger needs.
    """
    try:
        written = read_yaml(path.read_text(encoding="utf-8"))
    except UnreadableDefinition as error:
        raise MalformedWorkflow(path.name, tuple(_in(path, each) for each in error.problems)) from error
    name = str(written.body.get("workflow", "without a name"))
    try:
        workflow = read_definition(written.body)
    except MalformedWorkflow as error:
        raise MalformedWorkflow(name, _placed(path, written, error.faults)) from error
    if faults := tuple(unmet_needs(workflow, needs_of.get(workflow.trigger, ()))):
        raise MalformedWorkflow(name, _placed(path, written, faults))
    return dict(written.body), workflow


def _placed(
    path: Path, written: WrittenDefinition, faults: Sequence[DefinitionFault]
) -> tuple[DefinitionFault, ...]:
    placed = (written.problem(fault.message, place_of(fault, written.body)) for fault in faults)
    return tuple(_in(path, each) for each in placed)


def _in(path: Path, problem: DefinitionProblem) -> DefinitionFault:
    place = f":{problem.line}:{problem.column}" if problem.line else ""
    return DefinitionFault(f"{path}{place}: {problem.message}", at=problem.at)
