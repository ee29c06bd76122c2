"""docs/workflow_reference.md has every type and field of the language, each once, and no other."""

import re
from typing import get_args

from runtime.settings import PROJECT
from schemas.core.definition.body import DefinitionBody
from schemas.core.definition.step_body import StepBody, StepType
from schemas.core.definition.validation import names_of_fields

PAGE = (PROJECT / "docs" / "workflow_reference.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of the table under this heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [re.split(r"(?<!\\) ?\| ?", line) for line in lines[1:]]


def names(text: str) -> list[str]:
    return re.findall(r"`(\w+)`", text)


def test_every_type_stands_once() -> None:
    assert [name for row in rows("Types of steps") for name in names(row[0])] == [*get_args(StepType)]


def test_every_field_of_a_step_is_of_a_type_or_of_any_step() -> None:
    of_types = [name for row in rows("Types of steps") for name in names(row[1])]
    of_any = [name for row in rows("Fields of any step") for name in names(row[0])]
    assert sorted([*of_types, *of_any]) == sorted(names_of_fields(StepBody))


def test_every_field_of_a_workflow_stands_once() -> None:
    written = [name for row in rows("Fields of a workflow") for name in names(row[0])]
    assert sorted(written) == sorted(names_of_fields(DefinitionBody))
