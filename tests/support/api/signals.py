"""What the tests of the route for signals share: orders, signals, and the conflicts they may come to."""

from typing import Any

import httpx2

from tests.support.api.client import ApiClient
from tests.support.factories import payload

START = "/agents/orchestrator/tasks/start"
NUMBER = "13912345678"


def order_run_over_api(api: ApiClient, *script: dict[str, object], **changes: Any) -> str:
    """An order that went as far as it goes by itself now."""
    body = payload(*script, **changes)
    assert api.post(START, json=body).status_code == 200
    api.house.run()
    task_id: str = body["task_id"]
    return task_id


def send_signal(
    api: ApiClient, task_id: str, kind: str, agent: str = "orchestrator", **body: Any
) -> httpx2.Response:
    """Send a signal; `data` and whatever else is given are its body."""
    return api.post(f"/tasks/{task_id}/signals", agent, json={"type": kind, "data": {}, **body})


def conflict(answer: httpx2.Response) -> dict[str, Any]:
    """The error of an answer that is a conflict."""
    assert answer.status_code == 409, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == "STATE_CONFLICT"
    return error
