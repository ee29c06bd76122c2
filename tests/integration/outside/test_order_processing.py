"""Seed 002 over HTTP: its own workflow, started, done by an example agent, its status and load as the seed has them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from runtime.settings import PROJECT
from tests.support.api.agent_programs import EXAMPLES, agent_program
from tests.support.api.background_work import working_in_background
from tests.support.api.client import ApiClient, api_over
from tests.support.api.executions import see
from tests.support.api.live_server import serving
from tests.support.api.outside_work import OWN, poll, register, say
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until

FILE: Final = PROJECT / "examples" / "workflows" / "order_processing_v1.json"
ORDER: Final = {
    "order_id": "ORD-2026-001",
    "customer_id": "CUST-123",
    "items": [{"sku": "SKU-001", "quantity": 2}],
    "total_amount": 299.99,
}
"""What seed 002 starts it with."""
STEPS: Final = ["validate_order", "check_inventory", "process_payment", "fulfill_order", "send_notification"]
STATUS: Final = {"execution_id", "workflow_id", "started_at", "updated_at", "task_stats", "log_entries"}
LOAD: Final = {
    "agent_id", "name", "role", "status", "current_tasks", "max_concurrent", "load_percentage", "total_assigned",
}  # fmt: skip


@pytest.fixture
def api(house: InProcessFleet) -> Iterator[ApiClient]:
    with api_over(house) as caller:
        yield caller


@pytest.fixture
def execution_id(api: ApiClient) -> str:
    """The seed's workflow, registered and started."""
    added = api.post("/workflows", json=json.loads(FILE.read_text(encoding="utf-8")))
    assert added.status_code == 200, added.json()
    assert api.post("/workflows/order_processing_v1/1/activate").status_code == 200
    answer = api.post("/workflows/order_processing_v1/start", json={"parameters": ORDER})
    assert answer.status_code == 201, answer.text
    started: str = answer.json()["execution_id"]
    return started


def load_of(api: ApiClient, agent_id: str) -> dict[str, Any]:
    found = api.get("/agents").json()["outside"]
    load: dict[str, Any] = next(each for each in found if each["agent_id"] == agent_id)
    return load


def test_an_example_agent_does_every_step_of_the_seeds_workflow(
    house: InProcessFleet, api: ApiClient, execution_id: str, tmp_path: Path
) -> None:
    before = see(api, execution_id)
    assert before.keys() >= STATUS
    assert (before["workflow_id"], before["task_stats"]["pending"]) == ("order_processing_v1", 5)
    assert before["variables"] == {"currency": "USD", "tax_rate": 0.08}
    work = f"{sys.executable} {EXAMPLES / 'order_work.py'}"
    with (
        serving(house) as address,
        working_in_background(house),
        agent_program(
            "python", address, tmp_path / "one", capabilities="order_validation data_check", work=work
        ) as one,
    ):
        wait_until(
            lambda: see(api, execution_id)["status"] == "completed",
            "the order is processed",
            explain=one.said,
        )
        load = load_of(api, OWN)
    after = see(api, execution_id)
    assert {name: n for name, n in after["task_stats"].items() if n} == {"completed": 5}
    assert after["output"] == {"sent": ["email", "sms"]}
    assert load.keys() >= LOAD
    assert (load["current_tasks"], load["total_assigned"]) == (0, 5)
    assert [each["step"] for each in see(api, execution_id, "/steps")["steps"]] == STEPS
    log = see(api, execution_id, "/log", limit=200)["entries"]
    assert len(log) == after["log_entries"]
    assert all(entry.keys() == {"timestamp", "event_type", "data"} for entry in log)
    initialized = [e["data"]["task_id"] for e in log if e["event_type"] == "task_initialized"]
    moved = [e["data"] for e in log if e["event_type"] == "state_transition" and "task_id" in e["data"]]
    assert initialized == STEPS
    assert [(each["old_state"], each["new_state"]) for each in moved] == [
        ("pending", "running"),
        ("running", "completed"),
    ] * 5


def test_a_load_and_the_statistics_of_tasks_change_as_a_step_is_held_and_reported(
    api: ApiClient, execution_id: str
) -> None:
    register(api, OWN, "order_validation", max_concurrent=10)
    (step,) = poll(api)
    assert (step["node"], step["priority"]) == ("validate_order", 8)
    assert step["input"].items() >= ORDER.items()
    load = load_of(api, OWN)
    assert (load["current_tasks"], load["max_concurrent"], load["load_percentage"]) == (1, 10, 10.0)
    assert see(api, execution_id)["task_stats"]["running"] == 1
    assert say(api, "complete", step).status_code == 200
    stats = see(api, execution_id)["task_stats"]
    assert (stats["pending"], stats["completed"]) == (4, 1)
