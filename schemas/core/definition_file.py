"""A workflow definition in a YAML file: read, checked, and its faults told with file and line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from schemas.core.definition import read_definition
from statemachine.workflow.definition import MalformedWorkflow, Workflow
from statemachine.workflow.purposes import PurposeNeed, unmet_needs


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
    text = path.read_text(encoding="utf-8")
    body: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    workflow = read_definition(body)
    faults = tuple(unmet_needs(workflow, needs_of.get(workflow.trigger, ())))
    if faults:
        lines = _lines(text)
        problems = tuple(f"{path}:{lines[fault.step_id]}: {fault.message}" for fault in faults)
        raise MalformedWorkflow(workflow.name, problems)
    return body, workflow


def _lines(text: str) -> dict[str | None, int]:
    """The line of each step, by its id; of the list of steps, by `None`."""
    lines: dict[str | None, int] = {}
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    assert isinstance(root, yaml.MappingNode)
    for key, value in root.value:
        if key.value == "steps":
            lines[None] = key.start_mark.line + 1
            for step in value.value:
                step_id = next(given.value for name, given in step.value if name.value == "id")
                lines[step_id] = step.start_mark.line + 1
    return lines
