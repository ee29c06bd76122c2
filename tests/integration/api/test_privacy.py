"""Personal data: seen in clear only with a reason on record, and forgotten when asked."""

import json
from typing import Any

import pytest

from storage.access.system_audit import SystemAudit
from storage.orders.contacts.contacts import Contacts
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from tests.support.agents import OWNERS
from tests.support.api.client import ApiClient
from tests.support.api.signals import START, conflict, order_run_over_api, send_signal
from tests.support.factories import READY, answered, payload, silent

NUMBER = "13964805678"
WORDS = f"{READY}，琥珀窗帘那家"


def reveal(api: ApiClient, task_id: str, agent: str = "admin", **body: Any) -> Any:
    return api.post(f"/tasks/{task_id}/reveal", agent, json={"reason": "客户要求人工回电", **body})


def looks(api: ApiClient, task_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Who saw what, as the order's audit log has it."""
    with api.house.database.transaction() as work:
        lines = OrderView(work).audit_lines(task_id)
    return [
        (line["agent_id"], line["metadata"])
        for line in lines
        if line["event_type"] == "personal_data_revealed"
    ]


def order_of(api: ApiClient, *script: dict[str, object], **metadata: object) -> str:
    return order_run_over_api(api, *script, metadata={"phone": NUMBER, "customer_id": "CUST-1", **metadata})


def dump(api: ApiClient) -> str:
    """Every row of every table, as text."""
    with api.house.database.transaction() as work:
        run = work.connection.exec_driver_sql
        tables = run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").scalars().all()
        rows = [row for table in tables for row in run(f'SELECT CAST(r AS text) FROM "{table}" r').scalars()]
    return "\n".join(rows)


def test_a_number_is_revealed_with_a_line_of_who_and_why(api: ApiClient) -> None:
    task_id = order_of(api, answered(WORDS))
    answer = reveal(api, task_id, field="phone", reason=f"回电 {NUMBER}")
    assert answer.json()["value"] == f"+86{NUMBER}"
    ((who, line),) = looks(api, task_id)
    assert (who, line["field"], line["reason"]) == ("admin", "phone", "回电 139****5678")


def test_a_transcript_is_revealed_as_it_was_said(api: ApiClient) -> None:
    task_id = order_of(api, answered(WORDS))
    answer = reveal(api, task_id, field="transcript").json()
    assert answer["value"] == WORDS
    again = reveal(api, task_id, field="transcript", contact_id=answer["contact_id"]).json()
    assert again["value"] == WORDS
    assert [line["contact_id"] for _, line in looks(api, task_id)] == [answer["contact_id"]] * 2


def test_every_look_is_on_record_even_with_an_idempotency_key(api: ApiClient) -> None:
    task_id = order_of(api, answered(WORDS))
    body = {"field": "phone", "reason": "回电"}
    for _ in range(2):
        api.post(f"/tasks/{task_id}/reveal", json=body, headers={"Idempotency-Key": "k1"})
    assert len(looks(api, task_id)) == 2


@pytest.mark.parametrize("agent", sorted(set(OWNERS) - {"admin"}))
def test_nobody_but_the_admin_sees_anything(api: ApiClient, agent: str) -> None:
    task_id = order_of(api, answered(WORDS))
    assert reveal(api, task_id, agent, field="phone").status_code == 403
    assert looks(api, task_id) == []


def test_what_is_not_there_is_not_revealed_and_leaves_no_line(api: ApiClient) -> None:
    task_id = order_of(api, silent())
    assert conflict(reveal(api, task_id, field="transcript"))
    assert reveal(api, task_id, field="transcript", contact_id="CONTother").status_code == 404
    assert reveal(api, "HT-none", field="phone").status_code == 404
    assert reveal(api, task_id, field="phone", reason="").status_code == 422
    assert looks(api, task_id) == []


def test_a_customer_with_an_open_order_is_not_forgotten_halfway(api: ApiClient) -> None:
    task_id = order_of(api, silent())
    error = conflict(api.post("/privacy/erase", json={"customer_id": "CUST-1"}))
    assert error["details"]["open"] == [task_id]
    assert reveal(api, task_id, field="phone").status_code == 200


@pytest.mark.parametrize("whom", [{"customer_id": "CUST-1"}, {"phone": f"+86 {NUMBER}"}])
def test_of_a_forgotten_customer_nothing_is_left_but_what_was_done(
    api: ApiClient, whom: dict[str, str]
) -> None:
    task_id = order_of(api, answered(WORDS), name="张三丰", address="桃花岛")
    send_signal(api, task_id, "customer_called", data={"words": WORDS})
    api.house.run()
    broken = json.dumps({"task_id": "HTother", "colour": f"139-6480-5678 {WORDS}"})
    api.post("/agents/orchestrator/tasks/start", content=broken, headers={"Content-Type": "application/json"})
    history = api.get(f"/states/{task_id}/history").json()
    answer = api.post("/privacy/erase", json={**whom, "cancel": True})
    assert answer.status_code == 200, answer.text
    assert answer.json()["task_ids"] == [task_id]
    left = dump(api)
    for trace in ("张三丰", "桃花岛", "琥珀窗帘", NUMBER, "139****5678", "CUST-1"):
        assert trace not in left, trace
    assert conflict(reveal(api, task_id, field="transcript"))
    assert conflict(reveal(api, task_id, field="phone"))
    with api.house.database.transaction() as work:
        assert all(not contact.transcript for contact in Contacts(work).of_task(task_id))
        assert Orders(work).find([task_id])[task_id].phone_index is None
        (entry,) = SystemAudit(work).recent(what="customer_erased")
    assert entry.detail["task_ids"] == [task_id]
    assert entry.detail["rows"]["orders"] == 1
    kept = api.get(f"/states/{task_id}/history").json()
    assert len(kept["transitions"]) >= len(history["transitions"]) > 0


def test_another_customers_data_stay(api: ApiClient) -> None:
    other = order_run_over_api(
        api, answered(WORDS), metadata={"phone": "13964800009", "customer_id": "CUST-2"}
    )
    order_of(api, answered(READY))
    api.post("/privacy/erase", json={"customer_id": "CUST-1", "cancel": True})
    assert reveal(api, other, field="phone").json()["value"] == "+8613964800009"
    assert reveal(api, other, field="transcript").json()["value"] == WORDS


def test_an_erased_order_sent_again_is_recognised_and_its_data_do_not_come_back(api: ApiClient) -> None:
    body = payload(answered(WORDS), metadata={"phone": NUMBER, "customer_id": "CUST-1"})
    assert api.post(START, json=body).status_code == 200
    api.house.run()
    api.post("/privacy/erase", json={"customer_id": "CUST-1", "cancel": True})
    assert api.post(START, json=body).status_code == 200
    # The simulated customer's script stands for a person, and is gone as well.
    assert not [trace for trace in (NUMBER, "139****5678", "琥珀窗帘") if trace in dump(api)]


def test_erasing_needs_to_be_told_whom(api: ApiClient) -> None:
    assert api.post("/privacy/erase", json={}).status_code == 422
    assert api.post("/privacy/erase", json={"phone": "138****0000"}).status_code == 422
    assert api.post("/privacy/erase", "operator", json={"customer_id": "CUST-1"}).status_code == 403
    assert api.post("/privacy/erase", json={"customer_id": "CUST-none"}).json()["task_ids"] == []
