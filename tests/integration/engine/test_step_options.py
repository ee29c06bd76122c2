"""What a definition says of a step is used, or refused when it is registered: its parameters and its title."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.catalogue import register
from statemachine.workflow.definition import MalformedWorkflow
from storage.core.database import Database
from tasks.registry import PRODUCTS
from tests.support.agents import QUEUES
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.general_work import ask, look
from tests.support.engine.general_runs import ScriptedActions
from tests.support.factories import PARTS_MISSING, READY
from tests.support.in_process_fleet import InProcessFleet

CLASSIFY: Mapping[str, Any] = {"id": "read", "agent": "triage", "action": "classify_text"}


def definition(*steps: Mapping[str, object]) -> dict[str, object]:
    return {"workflow": "tried", "version": "1.0", "steps": list(steps)}


def registered(database: Database, *steps: Mapping[str, object]) -> None:
    with database.transaction() as work:
        register(work, [definition(*steps)], products=PRODUCTS, queues=QUEUES)


def refused(database: Database, *steps: Mapping[str, object]) -> tuple[str, ...]:
    with pytest.raises(MalformedWorkflow) as refusal:
        registered(database, *steps)
    return refusal.value.problems


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"colour": "red"}, "parameters.colour is not a parameter of this action"),
        ({"text": 7}, "parameters.text must be of type string"),
        ({"text": ""}, "parameters.text must have at least 1 characters"),
    ],
)
def test_parameters_that_the_action_does_not_take_are_refused_with_their_place(
    house: InProcessFleet, parameters: dict[str, object], problem: str
) -> None:
    assert refused(house.database, {**CLASSIFY, "parameters": parameters}) == (f"step 'read': {problem}",)


def test_parameters_of_an_action_that_takes_none_are_refused(house: InProcessFleet) -> None:
    step = {"id": "call", "agent": "contact", "action": "initiate_contact", "parameters": {"channel": "sms"}}
    problems = refused(house.database, step)
    assert problems == ("step 'call': action 'contact.initiate_contact' takes no parameters",)


def test_the_parameters_of_a_step_are_in_its_input_and_go_before_what_leads_to_it(
    house: InProcessFleet,
) -> None:
    registered(house.database, {**CLASSIFY, "parameters": {"text": PARTS_MISSING}})
    register_keys(house)
    with api_over(house) as api:
        task_id = ask(api, task_type="tried", parameters={"text": READY})["task_id"]
        house.run()
        assert look(api, task_id)["result"]["classification"]["level2_intent"] == "配件未到"


def test_the_parameters_of_a_step_complete_what_leads_to_it(house: InProcessFleet) -> None:
    registered(house.database, {**CLASSIFY, "parameters": {"pending_reason": "等待配件"}})
    register_keys(house)
    with api_over(house) as api:
        task_id = ask(api, task_type="tried", parameters={"text": PARTS_MISSING})["task_id"]
        house.run()
        assert look(api, task_id)["status"] == "completed"


TITLED = {
    "workflow": "titled",
    "version": "1.0",
    "steps": [
        {"id": "check", "title": "核对", "agent": "audit", "action": "check", "next": "enough"},
        {
            "id": "enough",
            "title": "是否足够",
            "type": "gateway",
            "condition": "ok",
            "next": "end",
            "else": "question",
        },
        {"id": "question", "title": "请确认", "type": "human", "decisions": {"go": "later"}},
        {"id": "later", "title": "稍后", "type": "wait", "seconds": 60},
    ],
}
"""A step of every kind, each with a title."""


@pytest.fixture
def titled(database_url: str) -> Any:
    """The API over a process that knows the definition with titles."""
    house = InProcessFleet.build(database_url, actions=ScriptedActions().actions(), workflows=[TITLED])
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


def test_the_title_of_a_step_of_any_kind_is_in_the_list_of_steps(titled: ApiClient) -> None:
    task_id = ask(titled, task_type="titled")["task_id"]
    titled.house.run()
    (review,) = titled.get("/reviews").json()["reviews"]
    titled.post(f"/reviews/{review['review_id']}/decide", json={"decision": "go"})
    shown = {step["step"]: step["title"] for step in look(titled, task_id)["steps"]}
    assert shown == {"check": "核对", "enough": "是否足够", "question": "请确认", "later": "稍后"}


def test_the_title_of_a_human_step_is_its_question_where_nothing_else_is(titled: ApiClient) -> None:
    ask(titled, task_type="titled")
    titled.house.run()
    (review,) = titled.get("/reviews").json()["reviews"]
    assert review["question"] == "请确认"


def test_what_waits_is_explained_by_its_title(titled: ApiClient) -> None:
    task_id = ask(titled, task_type="titled")["task_id"]
    assert "核对" in titled.get(f"/tasks/{task_id}/why").json()["sentences"]
