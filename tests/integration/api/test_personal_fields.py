"""Names and addresses in the metadata of orders: masked for every reader, encrypted, revealed with a reason, erased."""

import json
from typing import Any

import pytest

from runtime.personal import PersonalFields
from schemas.access.roles import Role
from storage.people.rejects import Rejects
from tests.integration.api.test_privacy import dump, looks, reveal
from tests.support.api.client import ApiClient, register_person
from tests.support.api.outside_agents import begun, classified, contacted, executed, moved, said
from tests.support.api.signals import START, conflict, order_run_over_api
from tests.support.factories import PARTS_MISSING, answered, payload, silent
from tests.support.probe import Probe

GIVEN: dict[str, Any] = {
    "customer_id": "CUST-1",
    "Customer-Name": "张三丰",
    "site": {
        "地址": "桃花岛1号楼",
        "floor": 3,
        "contacts": [{"姓名": "黄药师", "role": "门卫"}, {"role": "保安"}],
    },
    "remark": "两台",
}
TRACES = ("张三丰", "桃花岛", "黄药师")
SHOWN: dict[str, Any] = {
    "Customer-Name": "张**",
    "site": {"地址": "****", "floor": 3, "contacts": [{"姓名": "黄**", "role": "门卫"}, {"role": "保安"}]},
    "remark": "两台",
}
TAKEN: dict[str, Any] = {
    "Customer-Name": "张三丰",
    "site": {"地址": "桃花岛1号楼", "contacts": [{"姓名": "黄药师"}, None]},
}


def order_of(api: ApiClient, **changes: Any) -> str:
    return order_run_over_api(api, answered(), metadata=GIVEN, **changes)


def traces_in(text: str) -> list[str]:
    """Which of the values stand there, as they are or escaped or in hexadecimal."""
    return [
        trace
        for trace in TRACES
        if any(form in text for form in (trace, json.dumps(trace)[1:-1], trace.encode().hex()))
    ]


@pytest.fixture
def viewer(api: ApiClient) -> str:
    register_person(api.house, "reader", Role.VIEWER)
    return "reader"


@pytest.mark.parametrize("path", ["/tasks/{}", "/tasks/{}/dossier"])
def test_a_viewer_sees_that_something_is_there_and_not_what(api: ApiClient, viewer: str, path: str) -> None:
    answer = api.get(path.format(order_of(api)), viewer)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    shown = (told["order"] if "order" in told else told["parameters"])["metadata"]
    assert {name: shown[name] for name in SHOWN} == SHOWN
    assert shown["customer_id"] == "CUST-1"
    assert not traces_in(answer.text)


def test_no_table_holds_them_in_clear(api: ApiClient) -> None:
    order_of(api)
    assert "张**" in dump(api)
    assert not traces_in(dump(api))


def test_an_order_without_personal_fields_encrypts_nothing(api: ApiClient) -> None:
    task_id = order_run_over_api(api, metadata={"remark": "两台", "name": "张**", "address": ""})
    assert Probe(api.house.database).value("SELECT personal FROM tasks WHERE task_id = %s", task_id) is None
    assert conflict(reveal(api, task_id, field="metadata"))
    assert looks(api, task_id) == []


def test_they_are_revealed_with_a_line_of_who_and_why(api: ApiClient) -> None:
    task_id = order_of(api)
    answer = reveal(api, task_id, field="metadata")
    assert answer.json()["value"] == TAKEN
    ((who, line),) = looks(api, task_id)
    assert (who, line["field"], line["reason"]) == ("admin", "metadata", "客户要求人工回电")
    assert not traces_in(dump(api))


def test_a_viewer_cannot_reveal_them(api: ApiClient, viewer: str) -> None:
    task_id = order_of(api)
    assert reveal(api, task_id, viewer, field="metadata").status_code == 403
    assert looks(api, task_id) == []


def test_a_forgotten_customer_has_none(api: ApiClient) -> None:
    task_id = order_of(api)
    assert api.post("/privacy/erase", json={"customer_id": "CUST-1", "cancel": True}).status_code == 200
    assert conflict(reveal(api, task_id, field="metadata"))
    assert Probe(api.house.database).value("SELECT personal FROM tasks WHERE task_id = %s", task_id) is None
    assert "张**" not in dump(api)


def test_the_same_order_sent_again_is_recognised_and_another_is_refused(api: ApiClient) -> None:
    body = payload(silent(), metadata=GIVEN)
    assert api.post(START, json=body).status_code == 200
    assert api.post(START, json=body).status_code == 200
    other = body | {"metadata": body["metadata"] | {"Customer-Name": "张翠山"}}
    assert conflict(api.post(START, json=other))
    assert not traces_in(dump(api))


def refused(api: ApiClient) -> tuple[dict[str, Any], str]:
    """An order that was refused for the sake of another one of the same order_id, and the reject's id."""
    first = payload(silent())
    assert api.post(START, json=first).status_code == 200
    body = payload(silent(), metadata=GIVEN, order_id=first["order_id"])
    assert conflict(api.post(START, json=body))
    with api.house.database.transaction() as work:
        reject_id = Rejects(work).recent(1)[0].reject_id
    assert api.post(f"/tasks/{first['task_id']}/cancel", json={"reason": "重复"}).status_code == 200
    return body, reject_id


def test_a_refused_order_shows_none_and_goes_in_as_it_came(api: ApiClient) -> None:
    body, reject_id = refused(api)
    answers = [api.get("/intake/rejected").text, api.get(f"/intake/rejected/{reject_id}").text]
    assert "张**" in answers[1]
    assert not traces_in("".join(answers) + dump(api))
    assert api.post(f"/intake/rejected/{reject_id}/replay", json={}).status_code == 200
    assert reveal(api, body["task_id"], field="metadata").json()["value"] == TAKEN


def test_a_correction_that_leaves_what_is_masked_keeps_what_came(api: ApiClient) -> None:
    body, reject_id = refused(api)
    corrected = json.loads(api.get(f"/intake/rejected/{reject_id}").json()["payload"])
    corrected["priority"] = 1
    corrected["metadata"]["Customer-Name"] = "张无忌"
    answer = api.post(f"/intake/rejected/{reject_id}/replay", json={"payload": corrected})
    assert answer.status_code == 200, answer.text
    value = reveal(api, body["task_id"], field="metadata").json()["value"]
    assert value == TAKEN | {"Customer-Name": "张无忌"}


def test_lines_and_alerts_that_name_them_are_masked_before_they_are_written(api: ApiClient) -> None:
    task_id = order_of(api)
    line = {"task_id": task_id, "event_type": "noted", "agent_id": "audit_agent", "metadata": GIVEN}
    assert api.post("/agents/audit/log", json=line).status_code == 200
    alert = {"alert_type": "note", "task_id": task_id, "severity": "info", "message": "x", "metadata": GIVEN}
    assert api.post("/agents/audit/alert", json=alert).status_code == 200
    assert not traces_in(dump(api))
    assert "张**" in api.get("/agents/audit/logs", params={"task_id": task_id}).text


def test_parameters_of_an_action_that_name_them_are_masked_before_they_are_written(manual: ApiClient) -> None:
    for task_id, call in (("HT1", executed_over_its_route), ("HT2", moved_by_action)):
        begun(manual, task_id, said(PARTS_MISSING))
        contacted(manual, task_id)
        classified(manual, task_id)
        answer = call(manual, task_id, {"followup_days": 3} | GIVEN)
        assert answer.status_code == 200, answer.text
    assert dump(manual).count("张**") >= 2
    assert not traces_in(dump(manual))


def executed_over_its_route(api: ApiClient, task_id: str, parameters: dict[str, Any]) -> Any:
    return executed(api, task_id, "schedule_followup", action_params=parameters)


def moved_by_action(api: ApiClient, task_id: str, parameters: dict[str, Any]) -> Any:
    return moved(
        api,
        task_id,
        "classified",
        "action.execute",
        "action_taken",
        action_type="schedule_followup",
        action_params=parameters,
    )


def test_what_was_declared_later_is_hidden_from_readers_and_taken_out_by_the_next_pass(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = api.house.context.personal
    monkeypatch.setitem(vars(api.house.context), "personal", PersonalFields.of(["姓名"], []))
    task_id = order_of(api)
    assert traces_in(dump(api)) == ["张三丰", "桃花岛"]
    monkeypatch.setitem(vars(api.house.context), "personal", declared)
    assert not traces_in(api.get(f"/tasks/{task_id}").text + api.get(f"/tasks/{task_id}/dossier").text)
    assert api.post("/privacy/reencrypt").json()["written"] == {"tasks.metadata": 1}
    assert not traces_in(dump(api))
    assert reveal(api, task_id, field="metadata").json()["value"] == TAKEN
    assert api.post("/privacy/reencrypt").json()["written"] == {}
