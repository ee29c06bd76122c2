"""A call for a contact is answered by a contact of its channel and script, made now; else it says at once why not."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.settings import PROJECT
from storage.engine.clock import BusinessClock
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.outside_agents import (
    begun,
    contacted,
    contacts_of,
    driven_from_outside,
    said,
    state,
)
from tests.support.factories import READY
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.contact_constraints import CAPS, bounded
from tests.support.orders.signals import HeldChannel

ASYNC = {"Prefer": "respond-async"}
PHONE = "13800138000"


@pytest.fixture
def driven(database_url: str) -> Iterator[ApiClient]:
    """The API over a house whose fleet makes contacts that wait for reports; it works when a test says so."""
    house = InProcessFleet.build(database_url, gateway=HeldChannel())
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


def rather_polled(caller: ApiClient, task_id: str, **changes: Any) -> Any:
    """The answer to a call for a contact by a caller who does not wait."""
    body = {"task_id": task_id, "contact_method": "phone"} | changes
    return caller.post("/agents/contact/initiate", "contact_agent", json=body, headers=ASYNC)


def test_the_fleets_call_under_way_is_not_answered_as_a_text(driven: ApiClient) -> None:
    task_id = begun(driven, mode="auto")
    driven.house.run()
    refused = contacted(driven, task_id, contact_method="sms")
    assert refused.status_code == 409
    assert "made by phone, not by sms" in refused.json()["error"]["message"]
    assert rather_polled(driven, task_id, attempt=1).status_code == 202


def test_a_channel_that_the_fleet_will_not_take_is_refused_before_anything_is_made(driven: ApiClient) -> None:
    task_id = begun(driven, mode="auto")
    refused = rather_polled(driven, task_id, contact_method="sms")
    assert refused.status_code == 409
    assert "to be made by phone, not by sms" in refused.json()["error"]["message"]
    body = {"task_id": task_id, "target_agent": "contact_agent", "action_type": "send_sms"}
    assert driven.post("/agents/orchestrator/tasks/dispatch", "orchestrator", json=body).status_code == 409
    assert rather_polled(driven, task_id).status_code == 202


def test_a_caller_who_names_no_script_shares_the_contact_of_one_who_does(driven: ApiClient) -> None:
    task_id = begun(driven, mode="auto")
    first = rather_polled(driven, task_id)
    second = rather_polled(driven, task_id, script_id="pending_task_v1")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["dispatch_id"] == second.json()["dispatch_id"]


@pytest.fixture
def configured(database_url: str) -> Iterator[Callable[[Path], ApiClient]]:
    """Builds the API of an installation with this configuration, with manual keys and a fleet at work."""
    with ExitStack() as stack:

        def build(config: Path) -> ApiClient:
            house = InProcessFleet.build(database_url, config_folder=config)
            stack.callback(house.close)
            return stack.enter_context(driven_from_outside(house))

        yield build


def test_a_contact_in_another_version_of_the_script_is_not_answered(
    configured: Callable[[Path], ApiClient], tmp_path: Path
) -> None:
    config = tmp_path / "config"
    shutil.copytree(PROJECT / "config", config)
    script = yaml.safe_load((config / "scripts" / "pending_task_v1.yaml").read_text(encoding="utf-8"))
    second = yaml.safe_dump(script | {"version": 2}, allow_unicode=True)
    (config / "scripts" / "second.yaml").write_text(second, encoding="utf-8")
    caller = configured(config)
    task_id = begun(caller, "HT1", said(READY), mode="auto")
    for _ in range(2):
        assert contacted(caller, task_id, script_id="pending_task_v1:1").status_code == 409
    for script_id in ("pending_task_v1", "pending_task_v1:2", None):
        assert contacted(caller, task_id, script_id=script_id).json()["transcript"] == READY


def test_a_contact_that_a_cap_puts_off_is_told_at_once_with_its_time(
    configured: Callable[[Path], ApiClient], tmp_path: Path
) -> None:
    caller = configured(bounded(tmp_path, number_caps=CAPS))
    customer = {"customer_id": "CUST001", "phone": PHONE, "simulation": [said(READY)]}
    first, second = (begun(caller, task_id, metadata=customer) for task_id in ("HT1", "HT2"))
    assert contacted(caller, first).status_code == 200
    put_off = contacted(caller, second)
    assert put_off.status_code == 409
    assert "not due yet" in put_off.json()["error"]["message"]
    not_before = datetime.fromisoformat(put_off.json()["error"]["details"]["not_before"])
    assert contacted(caller, second).json()["error"] == put_off.json()["error"]
    assert contacts_of(caller, second) == []
    with caller.house.database.transaction() as work:
        BusinessClock(work).set(not_before)
    answered = contacted(caller, second)
    assert answered.status_code == 200
    assert answered.json()["transcript"] == READY
    assert state(caller, second) == "responded"
