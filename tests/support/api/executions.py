"""Executions for the tests of their routes: workflows of each shape that a verb meets, and calls by name."""

from typing import Any, Final

from tests.support.api.client import ApiClient


def workflow(name: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A definition of these steps."""
    return {"workflow": name, "version": "1", "steps": list(steps), **more}


def act(step_id: str, queue: str = "contact", **more: Any) -> dict[str, Any]:
    """A step that the tests' own action does."""
    return {"id": step_id, "agent": queue, "action": "check", **more}


WORKFLOWS: Final = (
    workflow(
        "line",
        act("a", next="b"),
        act("b", next="c"),
        act("c"),
        variables={"total": {"type": "integer", "default": 0}},
    ),
    workflow(
        "counted",
        act("a", next="w"),
        {"id": "w", "type": "wait", "events": [{"message": "paid", "key": "${order}", "next": "b"}]},
        act("b"),
        title="计数",
        parameters={"type": "object", "properties": {"order": {"type": "string"}}},
        variables={"total": {"type": "integer", "default": 0}, "note": {"type": "string", "default": ""}},
        output="${total}",
    ),
    workflow("bell", {"id": "w", "type": "wait", "events": [{"signal": "rung", "next": "b"}]}, act("b")),
    workflow(
        "joined",
        act("left"),
        act("right", "triage"),
        act("both", "audit", needs=["left", "right"]),
        act("last", needs=["both"]),
    ),
    workflow("asked", {"id": "q", "type": "human", "decisions": {"yes": "a", "no": "end"}}, act("a")),
    workflow("boxed", {"id": "box", "type": "scope", "steps": [act("x")], "next": "a"}, act("a")),
    workflow("undone", act("pay", compensate="unpay", next="b"), act("b"), act("unpay"), on_cancel="compensate"),
    workflow("kept", act("a", next="b"), act("b"), on_failure="incident"),
    workflow("watched", {"id": "w", "type": "wait", "events": [{"condition": "total > 3", "next": "b"}]}, act("b"),
             variables={"total": {"type": "integer", "default": 0}}),
    workflow("wide", act("a"), variables={f"v{n}": None for n in range(5)}),
    workflow("each", act("item", for_each={"in": "${items}", "as": "item"}, next="b"), act("b")),
)  # fmt: skip


def start(api: ApiClient, name: str, **body: Any) -> str:
    """Begin an execution; its id."""
    answer = api.post(f"/workflows/{name}/start", json=body)
    assert answer.status_code == 201, answer.text
    execution_id: str = answer.json()["execution_id"]
    return execution_id


def see(api: ApiClient, execution_id: str, part: str = "", **query: Any) -> Any:
    """An execution, or a part of it; with no id, a page of all."""
    answer = api.get(f"/executions/{execution_id}{part}".rstrip("/"), params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def do(api: ApiClient, execution_id: str, verb: str, caller: str = "operator", **body: Any) -> Any:
    """The answer to a verb."""
    return api.post(f"/executions/{execution_id}/{verb}", caller, json=body)


def done(api: ApiClient, execution_id: str, verb: str, **body: Any) -> dict[str, Any]:
    """The execution after a verb that is carried out."""
    answer = do(api, execution_id, verb, **body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(api: ApiClient, execution_id: str, verb: str, **body: Any) -> str:
    """Why a verb is a conflict."""
    answer = do(api, execution_id, verb, **body)
    assert answer.status_code == 409, answer.text
    message: str = answer.json()["error"]["message"]
    return message


def statuses(api: ApiClient, execution_id: str) -> list[tuple[str, str]]:
    """Its steps with their status, in the order in which they were entered."""
    return [(each["step"], each["status"]) for each in see(api, execution_id, "/steps")["steps"]]


def step_id(api: ApiClient, execution_id: str, step: str) -> int:
    """The last row of a step."""
    found: int = [e["step_id"] for e in see(api, execution_id, "/steps")["steps"] if e["step"] == step][-1]
    return found


def log_of(api: ApiClient, execution_id: str, event_type: str) -> list[dict[str, Any]]:
    """What its log says of this."""
    entries = see(api, execution_id, "/log", limit=200)["entries"]
    return [entry["data"] for entry in entries if entry["event_type"] == event_type]
