"""Definitions in BPMN files of the configuration: read, checked, and their faults told with file and line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.core.bpmn.importing import ImportedDefinition, import_bpmn
from schemas.core.bpmn.problems import BpmnProblem, RejectedBpmn
from schemas.core.definition.reader import read_definition
from statemachine.workflow.checks.definition_fault import DefinitionFault
from statemachine.workflow.checks.purposes import PurposeNeed, unmet_needs
from statemachine.workflow.definition import MalformedWorkflow, Workflow


def read_bpmn_file(
    path: Path, needs_of: Mapping[str, Sequence[PurposeNeed]]
) -> list[tuple[dict[str, Any], Workflow]]:
    """The definitions in this file, as bodies and as checked.

    Args:
        path: The file.
        needs_of: The purposes that a definition needs, by its trigger.

    Raises:
        MalformedWorkflow: the file is rejected, or one of its definitions cannot run as it is.
    """
    try:
        imported = import_bpmn(path.read_bytes())
    except RejectedBpmn as rejected:
        raise MalformedWorkflow(path.name, _faults(path, rejected.problems)) from rejected
    return [_checked(path, each, needs_of) for each in imported.definitions]


def _checked(
    path: Path, imported: ImportedDefinition, needs_of: Mapping[str, Sequence[PurposeNeed]]
) -> tuple[dict[str, Any], Workflow]:
    if imported.open_points:
        raise MalformedWorkflow(str(imported.body["workflow"]), _faults(path, imported.open_points))
    workflow = read_definition(imported.body)
    unmet = [
        BpmnProblem(message=fault.message)
        for fault in unmet_needs(workflow, needs_of.get(workflow.trigger, ()))
    ]
    if unmet:
        raise MalformedWorkflow(workflow.name, _faults(path, unmet))
    return dict(imported.body), workflow


def _faults(path: Path, problems: Sequence[BpmnProblem]) -> tuple[DefinitionFault, ...]:
    return tuple(
        DefinitionFault(f"{path}{f':{each.line}' if each.line else ''}: {each.message}") for each in problems
    )
