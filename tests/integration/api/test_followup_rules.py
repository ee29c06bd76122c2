"""Follow-ups over the API: a date, a number of days, or a rule, checked at the door."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.access.keys import Keys
from storage.orders.contacts.contacts import Contacts
from tasks.orders.rules.followup import rule_of
from tests.support.agents import OWNERS
from tests.support.api.background_work import working_in_background
from tests.support.api.client import ApiClient, api_over, key_of
from tests.support.factories import answered, payload
from tests.support.in_process_fleet import InProcessFleet

RULE: dict[str, Any] = {"cron": "0 10 * * 1", "until": {"signal": "part_arrived"}}
EXECUTE = "/agents/actions/execute"


@pytest.fixture
def manual(house: InProcessFleet) -> Iterator[ApiClient]:
    """The API with keys whose default is manual, and a fleet at work."""
    with house.database.transaction() as work:
        for agent, scopes in OWNERS.items():
            Keys(work).register(key_of(agent), agent, [scope.value for scope in scopes])
        work.connection.exec_driver_sql("UPDATE api_keys SET default_mode = 'manual'")
    with api_over(house) as caller, working_in_background(house):
        yield caller


def postponed(caller: ApiClient) -> str:
    """A manual order whose customer waits for a part, ready to be acted on."""
    body = payload(answered("配件还没到，等配件到了再说"))
    task_id = str(body["task_id"])
    caller.post("/agents/orchestrator/tasks/start", "orchestrator", json=body)
    contact = {"task_id": task_id, "contact_method": "phone"}
    assert caller.post("/agents/contact/initiate", "contact_agent", json=contact).status_code == 200
    classified = caller.post("/agents/triage/classify", "triage_agent", json={"task_id": task_id})
    assert classified.status_code == 200, classified.text
    return task_id


def scheduled(caller: ApiClient, task_id: str, **parameters: Any) -> Any:
    body = {"task_id": task_id, "action_type": "schedule_followup", "action_params": parameters}
    return caller.post(EXECUTE, "action_agent", json=body)


def test_an_action_sets_a_rule_and_the_same_call_again_answers_the_same(manual: ApiClient) -> None:
    task_id = postponed(manual)
    first = scheduled(manual, task_id, followup_rule=RULE)
    assert first.status_code == 200, first.text
    order = manual.house.order(task_id)
    rule = rule_of(order)
    assert rule is not None
    assert (rule.rule.zone, rule.rule.most_rounds, rule.used) == ("Asia/Shanghai", 12, 1)
    assert order.next_contact_time is not None
    local = order.next_contact_time + timedelta(hours=8)
    assert (local.weekday(), local.hour) == (0, 10)
    assert scheduled(manual, task_id, followup_rule=RULE).json() == first.json()
    other = scheduled(manual, task_id, followup_rule=RULE | {"cron": "0 10 * * 2"})
    assert other.status_code == 409


def test_an_action_takes_a_number_of_days(manual: ApiClient) -> None:
    task_id = postponed(manual)
    assert scheduled(manual, task_id, followup_days=20).status_code == 200
    at = manual.house.order(task_id).next_contact_time
    assert at is not None
    assert timedelta(days=19, hours=23) < at - datetime.now(UTC) < timedelta(days=20, hours=1)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"followup_rule": RULE, "followup_days": 3}, "action_params"),
        ({"followup_date": "2030-03-16T10:00:00Z", "followup_days": 3}, "action_params"),
        ({"followup_days": 0}, "action_params.followup_days"),
        ({"followup_days": 10**30}, "action_params"),
        ({"followup_rule": RULE | {"cron": "0 10 * *"}}, "action_params.followup_rule.cron"),
        ({"followup_rule": RULE | {"cron": "0 0 31 2 *"}}, "action_params.followup_rule.cron"),
        ({"followup_rule": RULE | {"cron": "\x00 0 1 1 *"}}, "action_params"),
        ({"followup_rule": RULE | {"timezone": "Mars/Base"}}, "action_params.followup_rule.timezone"),
        ({"followup_rule": RULE | {"timezone": "../../etc/passwd"}}, "action_params.followup_rule.timezone"),
        ({"followup_rule": RULE | {"until": {}}}, "action_params.followup_rule.until"),
        ({"followup_rule": RULE | {"until": {"count": 1, "date": "2030-01-01"}}}, "action_params"),
        (
            {"followup_rule": RULE | {"until": {"date": "0001-01-01"}}},
            "action_params.followup_rule.until.date",
        ),
        ({"followup_rule": RULE | {"until": {"signal": "continue"}}}, "action_params.followup_rule.until"),
        ({"followup_rule": RULE | {"most_rounds": 0}}, "action_params.followup_rule.most_rounds"),
        ({"followup_rule": "every monday"}, "action_params.followup_rule"),
    ],
)
def test_a_follow_up_that_cannot_be_understood_is_refused_by_its_field(
    api: ApiClient, parameters: dict[str, Any], field: str
) -> None:
    answer = scheduled(api, "HT1", **parameters)
    assert answer.status_code == 422, answer.text
    assert field in answer.text


def test_a_person_sets_a_rule_once_and_the_same_decision_again_changes_nothing(api: ApiClient) -> None:
    body = payload(answered("喂？听不清，你说什么"))
    api.post("/agents/orchestrator/tasks/start", json=body)
    api.house.run()
    (review,) = api.get("/reviews", params={"task_id": body["task_id"]}).json()["reviews"]
    path = f"/reviews/{review['review_id']}/decide"
    decision = {"decision": "classify", "intent_level2": "配件未到", "followup_rule": RULE}
    assert api.post(path, "operator", json=decision).status_code == 200
    assert api.post(path, "operator", json=decision).json()["outcome"] == "repeated"
    other = decision | {"followup_rule": RULE | {"cron": "0 10 * * 2"}}
    assert api.post(path, "operator", json=other).status_code == 409
    both = decision | {"followup_days": 3}
    assert api.post(path, "operator", json=both).status_code == 422
    api.house.run()
    rule = rule_of(api.house.order(body["task_id"]))
    assert rule is not None
    assert rule.rule.until_signal == "part_arrived"


def test_a_contact_by_an_unknown_script_is_refused_and_not_made(manual: ApiClient) -> None:
    body = payload(answered())
    manual.post("/agents/orchestrator/tasks/start", "orchestrator", json=body)
    contact = {"task_id": body["task_id"], "contact_method": "phone", "script_id": "no_such_script"}
    answer = manual.post("/agents/contact/initiate", "contact_agent", json=contact)
    assert answer.status_code == 422
    assert "there are pending_task_v1" in answer.text
    with manual.house.database.transaction() as work:
        assert Contacts(work).of_task(str(body["task_id"])) == []
