"""Manual mode: outside agents perform each step over the API, through the same claim and record as the fleet."""

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.scopes import OWNERS
from tests.house import House
from tests.integration.api.caller import Caller, calling, key_of
from tests.integration.api.working import working

START: dict[str, Any] = {
    "task_id": "HT20260313001",
    "order_id": "SO20260313001",
    "order_type": "未上门",
    "contact_count": 0,
    "metadata": {"customer_id": "CUST001", "phone": "138****0000"},
}
CONTACT: dict[str, Any] = {
    "task_id": "HT20260313001",
    "contact_method": "phone",
    "phone_number": "138****0000",
    "script_id": "pending_task_v1",
    "attempt": 1,
}
CLASSIFY: dict[str, Any] = {
    "task_id": "HT20260313001",
    "user_input": "配件还没到,等配件到了再说",
    "context": {"order_type": "未上门", "contact_count": 1},
}
EXECUTE: dict[str, Any] = {
    "task_id": "HT20260313001",
    "action_type": "schedule_followup",
    "action_params": {"followup_date": "2026-03-16T10:00:00Z", "reason": "配件未到"},
    "requires_approval": False,
}
LOG: dict[str, Any] = {
    "task_id": "HT20260313001",
    "event_type": "task_completed",
    "agent_id": "action_agent",
    "action": "schedule_followup",
    "timestamp": "2026-03-13T21:10:00Z",
    "metadata": {"final_state": "waiting_followup", "confidence": 0.95},
}


@pytest.fixture
def manual(house: House) -> Iterator[Caller]:
    """The API with keys whose default is manual, and a fleet at work."""
    with house.database.transaction() as work:
        for agent, scopes in OWNERS.items():
            work.keys.register(key_of(agent), agent, [scope.value for scope in scopes])
        work._connection.exec_driver_sql("UPDATE api_keys SET default_mode = 'manual'")
    with calling(house) as caller, working(house):
        yield caller


def test_the_seeds_five_calls_work_as_printed(manual: Caller) -> None:
    start = manual.post("/agents/orchestrator/tasks/start", "orchestrator", json=START)
    assert start.json() == {
        "success": True,
        "task_id": "HT20260313001",
        "status": "contacting",
        "next_action": "contact_user",
        "assigned_agent": "contact_agent",
    }
    contact = manual.post("/agents/contact/initiate", "contact_agent", json=CONTACT)
    assert contact.status_code == 200, contact.text
    assert contact.json()["success"] is True
    assert contact.json()["contact_id"].startswith("CONT")
    classified = manual.post("/agents/triage/classify", "triage_agent", json=CLASSIFY)
    assert classified.status_code == 200, classified.text
    assert classified.json()["classification"]["level2_intent"] == "配件未到"
    assert classified.json()["suggested_action"] == "schedule_followup"
    assert classified.json()["followup_days"] == 3
    executed = manual.post("/agents/actions/execute", "action_agent", json=EXECUTE)
    assert executed.status_code == 200, executed.text
    assert executed.json()["status"] == "executed"
    assert executed.json()["result"]["followup_scheduled"] is True
    logged = manual.post("/agents/audit/log", "audit_agent", json=LOG)
    assert logged.status_code == 200, logged.text
    assert logged.json()["stored"] is True
    assert manual.get("/states/HT20260313001").json()["current_state"] == "waiting_followup"
