"""docs/expressions.md is run: each row of its tables is an expression, or a text with `${}`, with its value."""

import json
import re

import pytest
import yaml

from runtime.settings import PROJECT
from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.functions import FUNCTIONS
from statemachine.workflow.expression.template import ValueTemplate

PAGE = (PROJECT / "docs" / "expressions.md").read_text(encoding="utf-8")
VALUES = yaml.safe_load(PAGE.partition("```yaml\n")[2].partition("```")[0])
ROWS = re.findall(r"^\| `(.+?)` \| `(.+?)` \|", PAGE, re.MULTILINE)
EXPRESSIONS = [row for row in ROWS if "${" not in row[0]]
TEXTS = [row for row in ROWS if "${" in row[0]]


@pytest.mark.parametrize(("written", "value"), EXPRESSIONS)
def test_each_expression_of_the_page_has_the_value_beside_it(written: str, value: str) -> None:
    found = Expression.parse(written, strict=True).evaluate(VALUES)
    assert json.dumps(found) == json.dumps(json.loads(value))


@pytest.mark.parametrize(("written", "value"), TEXTS)
def test_each_text_of_the_page_has_the_value_beside_it(written: str, value: str) -> None:
    assert json.dumps(ValueTemplate.of(written).fill(VALUES)) == value


def test_the_page_has_every_function_and_no_row_that_is_not_run() -> None:
    shown = {name for written, _ in EXPRESSIONS for name in re.findall(r"^(\w+)\(", written)}
    assert shown == FUNCTIONS.keys()
    headings = 3 * 2
    assert len(ROWS) == len(re.findall(r"^\|", PAGE, re.MULTILINE)) - headings
