"""Orders that outside agents drive over the API, and the calls they make of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from tests.support.api.background_work import working_in_background
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

START: Final[dict[str, Any]] = {
    "task_id": "HT20260313001",
    "order_id": "SO20260313001",
    "order_type": "未上门",
    "contact_count": 0,
    "metadata": {"customer_id": "CUST001", "phone": "138****0000"},
}
SILENT: Final[dict[str, Any]] = {"result": "no_answer", "transcript": "", "delay_seconds": 0}


@contextmanager
def driven_from_outside(house: InProcessFleet) -> Iterator[ApiClient]:
    """The API over this house with keys whose default is manual, and a fleet at work."""
    register_keys(house)
    Probe(house.database).write("UPDATE api_keys SET default_mode = 'manual'")
    with api_over(house) as caller, working_in_background(house):
        yield caller


def begun(caller: ApiClient, task_id: str = "HT20260313001", *script: dict[str, Any], **changes: Any) -> str:
    """A manual order whose customer behaves as scripted."""
    metadata = {**START["metadata"], "simulation": list(script)} if script else START["metadata"]
    body = {**START, "task_id": task_id, "order_id": f"S{task_id}", "metadata": metadata} | changes
    answer = caller.post("/agents/orchestrator/tasks/start", "orchestrator", json=body)
    assert answer.status_code == 200, answer.text
    return task_id


def said(words: str) -> dict[str, Any]:
    return {"result": "answered", "transcript": words, "delay_seconds": 0}


def contacted(caller: ApiClient, task_id: str, **changes: Any) -> Any:
    body = {"task_id": task_id, "contact_method": "phone"} | changes
    return caller.post("/agents/contact/initiate", "contact_agent", json=body)


def classified(caller: ApiClient, task_id: str, **changes: Any) -> Any:
    return caller.post("/agents/triage/classify", "triage_agent", json={"task_id": task_id} | changes)


def executed(caller: ApiClient, task_id: str, action_type: str, **changes: Any) -> Any:
    body = {"task_id": task_id, "action_type": action_type} | changes
    return caller.post("/agents/actions/execute", "action_agent", json=body)


def state(caller: ApiClient, task_id: str) -> str:
    return str(caller.get(f"/states/{task_id}").json()["current_state"])


def moved(caller: ApiClient, task_id: str, source: str, event: str, target: str, **metadata: Any) -> Any:
    body = {
        "task_id": task_id,
        "from_state": source,
        "to_state": target,
        "event": event,
        "metadata": metadata,
    }
    return caller.post("/states/transition", json=body)


def contacts_of(caller: ApiClient, task_id: str) -> list[Contact]:
    with caller.house.database.transaction() as work:
        return list(Contacts(work).of_task(task_id))
