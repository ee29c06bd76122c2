"""A definition as people write it: every fault names its place, and what is written is what is meant."""

from collections.abc import Mapping
from typing import Any

import pytest

from schemas.core.definition.reader import read_definition
from statemachine.workflow.definition import Kind, MalformedWorkflow
from statemachine.workflow.options.retry import RetryPolicy

STEP: dict[str, Any] = {"id": "a", "agent": "audit", "action": "check"}


def body(*steps: Mapping[str, object], **changes: object) -> dict[str, object]:
    return {"workflow": "tried", "version": "1.0", "steps": list(steps) or [STEP]} | changes


def refused(written: Mapping[str, object]) -> tuple[str, ...]:
    with pytest.raises(MalformedWorkflow) as refusal:
        read_definition(written)
    return refusal.value.problems


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"id": "1a"}, "steps.1.id: "),
        ({"id": "a" * 129}, "steps.1.id: "),
        ({"id": "$origin"}, "steps.1.id: "),
        ({"agent": "Nobody!"}, "steps.1.agent: "),
        ({"type": "dance"}, "steps.1.type: "),
        ({"colour": "red"}, "steps.1.colour: "),
        ({"retry": {"max_retries": 101}}, "steps.1.retry.max_retries: "),
        ({"retry": {"max_retries": 1, "delay_seconds": 0}}, "steps.1.retry.delay_seconds: "),
        ({"retry": {"max_retries": 1, "backoff": 0.5}}, "steps.1.retry.backoff: "),
        ({"seconds": -1}, "steps.1.seconds: "),
        ({"deadline_seconds": 0}, "steps.1.deadline_seconds: "),
        ({"priority": 11}, "steps.1.priority: "),
        ({"decisions": {"go": 1}}, "steps.1.decisions.go: "),
        ({"inline": "perhaps"}, "steps.1.inline: "),
    ],
)
def test_a_fault_of_a_step_names_the_step_and_the_option(changes: dict[str, object], place: str) -> None:
    problems = refused(body(STEP, STEP | {"id": "b"} | changes))
    assert [problem for problem in problems if problem.startswith(place)]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"workflow": "Not A Name"}, "workflow: "),
        ({"version": "one"}, "version: "),
        ({"version": 1.0}, "version: "),
        ({"timeout_seconds": 0}, "timeout_seconds: "),
        ({"steps": []}, "steps: "),
        ({"colour": "red"}, "colour: "),
        ({"variables": []}, "variables: "),
    ],
)
def test_a_fault_of_the_whole_names_its_option(changes: dict[str, object], place: str) -> None:
    assert refused(body(**changes))[0].startswith(place)


def test_a_refusal_names_the_workflow() -> None:
    with pytest.raises(MalformedWorkflow, match="workflow 'tried' cannot run"):
        read_definition(body(colour="red"))
    with pytest.raises(MalformedWorkflow, match="workflow 'without a name' cannot run"):
        read_definition({})


def test_a_malformed_condition_is_quoted() -> None:
    gateway = {"id": "g", "type": "gateway", "condition": "total ** 2", "next": "a", "else": "end"}
    (problem,) = refused(body(gateway, STEP))
    assert "'total ** 2'" in problem


def test_malformed_conditions_name_their_steps_and_come_together() -> None:
    gateways = [
        {"id": name, "type": "gateway", "condition": f"{name} ** 2", "next": "a", "else": "end"}
        for name in ("g", "f")
    ]
    problems = refused(body(*gateways, STEP))
    assert [problem.split("'")[1] for problem in problems] == ["g", "f"]


def test_faults_of_the_grammar_come_with_their_step() -> None:
    assert refused(body(STEP | {"next": "b"})) == ("step 'a' leads to 'b', which is not a step",)


def test_one_target_and_a_list_of_one_mean_the_same() -> None:
    last = STEP | {"id": "b"}
    one = read_definition(body(STEP | {"next": "b"}, last))
    several = read_definition(body(STEP | {"next": ["b"]}, last))
    assert one.steps["a"] == several.steps["a"]


def test_every_option_reaches_the_grammar() -> None:
    workflow = read_definition(
        body(
            STEP
            | {
                "title": "检查",
                "next": ["g"],
                "on_error": "h",
                "retry": {"max_retries": 3, "delay_seconds": 0.5, "backoff": 2},
                "not_before": "at",
                "parameters": {"rules": ["one"]},
                "priority": 9,
            },
            {"id": "g", "type": "gateway", "condition": "total > limit", "next": "w", "else": "end"},
            {"id": "w", "type": "wait", "seconds": 60},
            {"id": "h", "type": "human", "decisions": {"again": "$origin"}, "deadline_seconds": 10},
            {"id": "j", "agent": "triage", "action": "check", "needs": ["w"], "inline": True},
            trigger="order_created",
            timeout_seconds=3600,
            on_error="h",
            variables={"limit": 2},
        )
    )
    steps = workflow.steps
    assert (workflow.trigger, workflow.timeout_seconds, workflow.on_error) == ("order_created", 3600, "h")
    assert workflow.variables == {"limit": 2}
    assert steps["a"].retry == (RetryPolicy(max_retries=3, delay_ms=500, backoff=2),)
    assert (steps["a"].title, steps["a"].not_before, steps["a"].priority) == ("检查", "at", 9)
    assert (steps["a"].on_error, steps["a"].parameters) == ("h", {"rules": ["one"]})
    assert steps["g"].condition is not None
    assert steps["g"].condition.text == "total > limit"
    assert (steps["g"].next, steps["g"].otherwise) == (("w",), ("end",))
    assert (steps["w"].kind, steps["w"].wait_seconds) == (Kind.WAIT, 60)
    assert (steps["h"].decisions, steps["h"].deadline_seconds) == ({"again": "$origin"}, 10)
    assert (steps["j"].needs, steps["j"].inline, steps["j"].agent) == (("w",), True, "triage")


def test_a_wait_an_hour_between_tries_is_an_hour() -> None:
    retry = {"max_retries": 1, "delay_seconds": 3600}
    (policy,) = read_definition(body(STEP | {"retry": retry})).steps["a"].retry
    delay = policy.delay(1)
    assert delay is not None
    assert delay.total_seconds() == 3600


def test_what_a_run_is_begun_with_is_described_and_anything_where_nothing_is() -> None:
    schema = {"type": "object", "properties": {"amount": {"type": "integer"}}}
    assert read_definition(body(parameters=schema)).parameters == schema
    assert read_definition(body()).parameters == {}


def test_a_description_that_cannot_be_read_is_refused_with_its_place() -> None:
    (problem,) = refused(body(parameters={"properties": {"amount": {"type": "number of pieces"}}}))
    assert problem.startswith("parameters.properties.amount.type: ")
