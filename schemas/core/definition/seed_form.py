"""The field names of seed 002's workflow definitions, read as ours."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_OF_WORKFLOW: Final = {"workflow_id": "workflow", "name": "title", "tasks": "steps", "retry_policy": "retry"}
_OF_STEP: Final = {
    "task_id": "id",
    "name": "title",
    "input_data": "parameters",
    "dependencies": "needs",
    "retry_policy": "retry",
}
_OF_RETRY: Final = {"backoff_multiplier": "backoff", "retry_delay_seconds": "delay_seconds"}
_PROGRESS: Final = frozenset(
    {"status", "output_data", "created_at", "started_at", "completed_at", "error_message", "retry_count"}
)
"""What the seed's record of a task says of one execution; a definition has none yet."""
_MOST_RETRIES: Final = 3
"""`retry_policy.get("max_retries", 3)` (seed 002, start_workflow)."""
_FIRST_VERSION: Final = "1"


def in_our_names(body: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with our names in the place of the seed's; one that has none of them stays as it is."""
    if "workflow_id" not in body and "tasks" not in body:
        return dict(body)
    ours = {
        _OF_WORKFLOW.get(name, name): value
        for name, value in body.items()
        if name != "description" or "name" not in body
    }
    ours.setdefault("version", _FIRST_VERSION)
    if "timeout_minutes" in ours:
        minutes = ours.pop("timeout_minutes")
        ours["timeout_seconds"] = minutes * 60 if isinstance(minutes, int) else minutes
    if isinstance(ours.get("retry"), Mapping):
        ours["retry"] = _retry(ours["retry"])
    if isinstance(ours.get("steps"), list):
        ours["steps"] = [
            dict(_step(step, ours.get("retry"))) if isinstance(step, Mapping) else step
            for step in ours["steps"]
        ]
    return ours


def _step(written: Mapping[str, Any], of_workflow: Any) -> Iterator[tuple[str, Any]]:
    for name, value in written.items():
        if name == "agent_id":
            if value is not None:
                yield "agent", {"id": value}
        elif name == "max_retries":
            policy = of_workflow if isinstance(of_workflow, Mapping) else {}
            yield "retry", {**policy, "max_retries": value}
        elif name not in _PROGRESS and not (name == "description" and "name" in written):
            yield _OF_STEP.get(name, name), value
    if "task_id" in written and not {"agent", "action", "type"} & written.keys():
        # What an agent is to do has no other name in the seed.
        yield "action", written["task_id"]


def _retry(written: Mapping[str, Any]) -> dict[str, Any]:
    return {"max_retries": _MOST_RETRIES} | {
        _OF_RETRY.get(name, name): value for name, value in written.items()
    }
