"""Files that were made to cost much, or to bring in what no definition can hold."""

import pytest

from schemas.core.bpmn.importing import ImportedDefinition, import_bpmn
from schemas.core.bpmn.problems import RejectedBpmn

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:unpend="urn:unpend:bpmn:1" '
    'targetNamespace="urn:x"><process id="p" isExecutable="true">'
)
TAIL = "</process></definitions>"
MARKS = 'unpend:added="true" unpend:targets="true"'


def imported(inside: str) -> ImportedDefinition:
    (found,) = import_bpmn(f"{HEAD}{inside}{TAIL}".encode()).definitions
    return found


def task(content: str) -> str:
    return f'<task id="a"><extensionElements>{content}</extensionElements></task>'


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 50 + "]" * 50,
        '"\\u0000"',
        '"\\ud800"',
        "1e999",
        "{",
    ],
    ids=["endless", "deep", "nul", "surrogate", "infinite", "cut"],
)
def test_what_no_definition_can_hold_is_left_open(text: str) -> None:
    found = imported(task(f'<unpend:field name="parameters">{text}</unpend:field>'))
    assert "parameters" not in found.body["steps"][0]
    assert any("is no JSON" in point.message for point in found.open_points)


@pytest.mark.parametrize(
    "condition",
    [
        "= " + "(if " * 400 + "a",
        "= " + "(" * 1_900,
        "= " + "a and " * 100_000 + "a",
        "${" + "!" * 1_900 + "a}",
    ],
    ids=["choices", "brackets", "long", "nots"],
)
def test_an_expression_that_is_too_deep_or_too_long_is_left_open(condition: str) -> None:
    found = imported(
        '<exclusiveGateway id="a"/><task id="b"/><sequenceFlow id="f" sourceRef="a" targetRef="b">'
        f"<conditionExpression>{condition}</conditionExpression></sequenceFlow>"
    )
    assert any("says nothing that our expressions say" in point.message for point in found.open_points)


def test_added_gateways_that_lead_to_one_another_many_times_are_passed_once() -> None:
    count = 200
    gates = "".join(f'<parallelGateway id="g{at}" {MARKS}/>' for at in range(count))
    flows = "".join(
        f'<sequenceFlow id="f{at}_{twin}" sourceRef="g{at}" targetRef="g{(at + 1) % count}"/>'
        for at in range(count)
        for twin in "ab"
    )
    found = imported(
        f'<task id="a"/><task id="b"/>{gates}{flows}<sequenceFlow id="in" sourceRef="a" targetRef="g0"/>'
        '<sequenceFlow id="out" sourceRef="g7" targetRef="b"/>'
    )
    assert found.body["steps"][0]["next"] == "b"


def test_a_count_of_a_loop_is_bounded() -> None:
    for count in ("99999", "9" * 5_000, "[" * 5_000):
        found = imported(
            '<task id="a"><multiInstanceLoopCharacteristics><loopCardinality>'
            f"{count}</loopCardinality></multiInstanceLoopCharacteristics></task>"
        )
        assert any("is calculated" in point.message for point in found.open_points)


def test_a_process_of_more_steps_than_a_definition_may_have_is_refused() -> None:
    with pytest.raises(RejectedBpmn, match="has 2,001 steps, and may have 2,000"):
        imported("".join(f'<task id="t{at}"/>' for at in range(2_001)))
