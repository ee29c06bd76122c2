"""General work as the tests ask for it: two steps, with parameters that are checked and without."""

from typing import Any, Final

from tests.support.api.client import ApiClient
from tests.support.engine.general_runs import definition

_STEPS: Final = [
    {"id": "first", "agent": "contact", "action": "check", "next": "second"},
    {"id": "second", "agent": "audit", "action": "check"},
]
_PARAMETERS: Final = {
    "type": "object",
    "properties": {"amount": {"type": "integer", "minimum": 1}},
    "required": ["amount"],
    "additionalProperties": False,
}
WORKFLOWS: Final = (
    definition("parallel_branches", workflow="two_steps", steps=_STEPS),
    definition("parallel_branches", workflow="strict_work", steps=_STEPS, parameters=_PARAMETERS),
)


def work(**changes: Any) -> dict[str, Any]:
    """General work in seed 003's form."""
    return {"task_type": "two_steps", "description": "测试任务", "parameters": {"amount": 3}} | changes


def ask(api: ApiClient, **changes: Any) -> dict[str, Any]:
    """The answer to work that is accepted."""
    answer = api.post("/tasks", json=work(**changes))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def look(api: ApiClient, task_id: str) -> dict[str, Any]:
    """A task in full."""
    body: dict[str, Any] = api.get(f"/tasks/{task_id}").json()
    return body
