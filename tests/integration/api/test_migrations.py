"""Migrations and replays over HTTP, as docs/migration.md shows them."""

import json
import re
from typing import Any

import httpx2
import pytest

from runtime.settings import PROJECT
from schemas.access.roles import Role
from tests.support.api.client import ApiClient, register_person

ASKS: dict[str, Any] = {
    "workflow": "refund",
    "version": "1",
    "steps": [
        {"id": "look", "agent": "audit", "action": "check", "next": "ask"},
        {"id": "ask", "type": "human", "decisions": {"ok": "pay"}},
        {"id": "pay", "agent": "audit", "action": "check"},
    ],
}
ASKS_ANEW: dict[str, Any] = {
    "workflow": "refund",
    "version": "2",
    "steps": [
        {"id": "look", "agent": "audit", "action": "check", "next": "confirm"},
        {"id": "confirm", "type": "human", "decisions": {"ok": "pay"}},
        {"id": "pay", "agent": "contact", "action": "check"},
    ],
}
EXAMPLES = dict(
    re.findall(
        r"<!-- example: (.*?) -->\n```json\n(.*?)\n```",
        (PROJECT / "docs" / "migration.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
)


@pytest.fixture
def refunds(works: ApiClient) -> ApiClient:
    """The API with two active versions of a workflow."""
    for body in (ASKS, ASKS_ANEW):
        assert works.post("/workflows", json=body).status_code == 200
    activate(works, "1")
    return works


def activate(api: ApiClient, version: str) -> None:
    assert api.post(f"/workflows/refund/{version}/activate").status_code == 200


def begun(api: ApiClient) -> str:
    task_id: str = api.post("/workflows/refund/start", json={"description": "退款"}).json()["task_id"]
    api.house.run()
    return task_id


def asked(api: ApiClient, agent: str = "admin", **changes: Any) -> httpx2.Response:
    body = json.loads(EXAMPLES["migration request"]) | {"dry_run": False} | changes
    return api.post("/workflows/refund/migrations", agent, json=body)


def answered(api: ApiClient) -> None:
    (review,) = api.get("/interrupts").json()["interrupts"]
    answer = api.post(f"/interrupts/{review['interrupt_id']}/continue", json={"payload": {"decision": "ok"}})
    assert answer.status_code == 200, answer.text
    api.house.run()


def test_the_examples_of_the_page_are_what_the_api_takes_and_answers(refunds: ApiClient) -> None:
    run_id = begun(refunds)
    activate(refunds, "2")
    told = asked(refunds, steps={}).json()["runs"]
    assert told == [{"run_id": run_id, **json.loads(EXAMPLES["migration answer"])}]
    tried = asked(refunds, dry_run=True).json()
    assert (tried["dry_run"], tried["next"]) == (True, None)
    done = asked(refunds).json()
    assert done == tried | {"dry_run": False}
    assert done["runs"] == [{"run_id": run_id, "moved": True, "later": False, "problems": []}]


def test_a_question_is_found_and_answered_after_the_migration(refunds: ApiClient) -> None:
    begun(refunds)
    activate(refunds, "2")
    assert asked(refunds).json()["runs"][0]["moved"]
    (review,) = refunds.get("/interrupts").json()["interrupts"]
    assert (review["step"], review["workflow"]) == ("confirm", "refund")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"to": "9"}, 404),
        ({"steps": {"ask": "nobody"}}, 409),
        ({"steps": {"nobody": "ask"}}, 409),
        ({"to": "1"}, 409),
        ({"runs": []}, 422),
        ({"runs": ["x"] * 501}, 422),
        ({"steps": {"a b": "c"}}, 422),
        ({"to": "; DROP"}, 422),
        ({"more": 1}, 422),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_wrong(
    refunds: ApiClient, changes: dict[str, Any], status: int
) -> None:
    activate(refunds, "2")
    answer = asked(refunds, **changes)
    assert answer.status_code == status, answer.text


def test_a_draft_is_migrated_to_by_nobody_and_replayed_by_everybody(refunds: ApiClient) -> None:
    begun(refunds)
    refused = asked(refunds)
    assert refused.status_code == 409
    assert "activate it first" in refused.json()["error"]["message"]
    assert refunds.post("/workflows/refund/versions/2/replay", json={}).json() == {"runs": []}


def test_only_who_may_send_definitions_may_migrate_and_replay(refunds: ApiClient) -> None:
    register_person(refunds.house, "wangfang", Role.OPERATOR)
    register_person(refunds.house, "lina", Role.DEVELOPER)
    activate(refunds, "2")
    assert asked(refunds, "wangfang").status_code == 403
    path = "/workflows/refund/versions/2/replay"
    assert refunds.post(path, "wangfang", json={}).status_code == 403
    assert asked(refunds, "lina").status_code == 200
    assert refunds.post(path, "lina", json={}).status_code == 200


def test_a_replay_says_where_a_run_would_go_another_way(refunds: ApiClient) -> None:
    run_id = begun(refunds)
    path = "/workflows/refund/versions/2/replay"
    (opened,) = refunds.post(path, json={"runs": [run_id]}).json()["runs"]
    assert (opened["result"], opened["reason"]) == ("not_comparable", "it has not ended")
    answered(refunds)
    (found,) = refunds.post(path, json={"last": 5}).json()["runs"]
    assert found == {
        "run_id": run_id,
        "recorded_in": "1",
        "result": "differs",
        "difference": {"step": "look", "then": ["ask (human)"], "now": ["confirm (human)"]},
        "reason": None,
    }
    same = refunds.post("/workflows/refund/versions/1/replay", json={}).json()["runs"]
    assert [each["result"] for each in same] == ["same"]
    assert refunds.post("/workflows/refund/versions/9/replay", json={}).status_code == 404
