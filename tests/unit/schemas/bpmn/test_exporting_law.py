"""import(export(d)) = d: for definitions by chance, in every form of the grammar, and for all that are there."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from runtime.settings import PROJECT
from schemas.core.bpmn.exporting import export_bpmn
from schemas.core.bpmn.importing import import_bpmn
from schemas.core.definition.reader import examined_definition
from schemas.core.definition.text import read_json, read_yaml
from tests.support.workflow.written_bodies import bodies


def there() -> Iterator[dict[str, Any]]:
    """Every definition of the documentation, the examples and the configuration."""
    page = (PROJECT / "docs" / "workflows.md").read_text(encoding="utf-8")
    for text in re.findall(r"```yaml\n(workflow:.*?)```", page, re.DOTALL):
        yield dict(read_yaml(text).body)
    for folder in ("config/workflows", "examples/workflows"):
        for path in sorted((PROJECT / folder).iterdir()):
            if path.suffix == ".yaml":
                yield dict(read_yaml(path.read_text(encoding="utf-8")).body)
            elif path.suffix == ".json":
                yield dict(read_json(path.read_bytes()).body)


def in_one_form(value: Any) -> str:
    """JSON as text; the order of the answers to a question counts, that of fields does not."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


@pytest.mark.parametrize("body", list(there()), ids=lambda body: body["workflow"])
def test_a_definition_that_is_there_is_the_same_after_an_export_and_an_import(body: dict[str, Any]) -> None:
    (found,) = import_bpmn(export_bpmn(body)).definitions
    assert found.body == body
    assert found.ready


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(bodies())
def test_any_definition_is_the_same_after_an_export_and_an_import(body: dict[str, Any]) -> None:
    (found,) = import_bpmn(export_bpmn(body)).definitions
    assert in_one_form(found.body) == in_one_form(body)
    assert found.ready == (not examined_definition(body).faults)
