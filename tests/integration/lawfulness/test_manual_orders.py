"""A manual order's caller owns the timing: windows, holidays and the gap are theirs, every cap is ours."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from storage.access.keys import Keys
from storage.engine.clock import BusinessClock
from tasks.orders.explain.next_step import next_step_of
from tests.support.agents import OWNERS
from tests.support.api.background_work import working_in_background
from tests.support.api.client import ApiClient, api_over, key_of
from tests.support.factories import payload, silent
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.contact_constraints import bounded, contact_step
from tests.support.waiting import wait_until

AT_NIGHT = datetime(2026, 2, 17, 3, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
"""A night of the Spring Festival."""


@pytest.fixture
def manual(database_url: str, tmp_path: Path) -> Iterator[ApiClient]:
    """The API of a fleet whose policy is the specification's, number caps aside, with keys in manual mode."""
    house = InProcessFleet.build(
        database_url, config_folder=bounded(tmp_path, "standard", number_caps=[]), contact_policy="standard"
    )
    with house.database.transaction() as work:
        BusinessClock(work).set(AT_NIGHT)
        for agent, scopes in OWNERS.items():
            Keys(work).register(key_of(agent), agent, [scope.value for scope in scopes])
        work.connection.exec_driver_sql("UPDATE api_keys SET default_mode = 'manual'")
    with api_over(house) as caller, working_in_background(house):
        yield caller
    house.close()


def contacted(caller: ApiClient, task_id: str) -> None:
    caller.post(
        "/agents/contact/initiate", "contact_agent", json={"task_id": task_id, "contact_method": "phone"}
    )


def test_two_contacts_a_day_are_permitted_at_night_and_a_third_is_not(manual: ApiClient) -> None:
    body = payload(silent())
    task_id = str(body["task_id"])
    manual.post("/agents/orchestrator/tasks/start", "orchestrator", json=body)
    retry = {
        "task_id": task_id,
        "from_state": "no_response",
        "to_state": "contacting",
        "event": "contact.retry",
        "agent_id": "orchestrator",
    }
    for _ in range(2):
        contacted(manual, task_id)
        wait_until(lambda: manual.house.order(task_id).status == "no_response")
        manual.post("/states/transition", "orchestrator", json=retry)
    assert manual.house.order(task_id).contact_count == 3
    contacted(manual, task_id)
    wait_until(lambda: contact_step(manual.house, task_id)["state"] == "scheduled")
    step = contact_step(manual.house, task_id)
    with manual.house.database.snapshot() as work:
        next_step = next_step_of(work, manual.house.context, task_id)
    assert next_step is not None
    assert [each["code"] for each in step["error"]["why"]] == ["daily_cap"]
    assert next_step.reason == "the customer has been contacted as often as one day allows"
    assert step["due_at"] == next_step.earliest == datetime(2026, 2, 18, tzinfo=AT_NIGHT.tzinfo)
