"""The routes of keys: made and shown once, listed, followed by another, revoked; for the admin alone."""

from typing import Any

from storage.access.keys import Keys
from storage.access.system_audit import SystemAudit
from tests.support.api.client import ApiClient


def make(api: ApiClient, **changes: Any) -> dict[str, Any]:
    """A new key, with the answer's whole body."""
    answer = api.post("/keys", json={"agent_id": "dispatch-centre", "scopes": ["read"], **changes})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def lets_in(api: ApiClient, key: str) -> bool:
    with api.house.database.transaction() as work:
        return Keys(work).find(key) is not None


def test_a_new_key_is_answered_once_and_kept_as_a_hash(api: ApiClient) -> None:
    made = make(api, by="王芳")
    assert lets_in(api, made["key"])
    assert made["key"] not in api.get("/keys").text
    with api.house.database.transaction() as work:
        (entry,) = [
            e for e in SystemAudit(work).recent(what="key.created") if (e.actor, e.label) == ("admin", "王芳")
        ]
    assert entry.detail["key_id"] == made["record"]["key_id"]


def test_a_key_that_has_ended_before_it_begins_is_refused(api: ApiClient) -> None:
    wish = {"agent_id": "a", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}
    assert api.post("/keys", json=wish).status_code == 422


def test_a_followed_key_ends_after_the_overlap(api: ApiClient) -> None:
    made = make(api)
    path = f"/keys/{made['record']['key_id']}/rotate"
    rotated = api.post(path, json={"overlap_seconds": 0}).json()
    assert lets_in(api, rotated["key"])
    assert not lets_in(api, made["key"])
    assert api.post(path, json={}).status_code == 409


def test_a_revoked_key_stays_revoked(api: ApiClient) -> None:
    made = make(api)
    path = f"/keys/{made['record']['key_id']}/revoke"
    assert [api.post(path, json={}).json()["outcome"] for _ in range(2)] == ["applied", "repeated"]
    assert not lets_in(api, made["key"])
    assert api.post("/keys/key_404/revoke", json={}).status_code == 404


def test_nobody_but_the_admin_makes_keys(api: ApiClient) -> None:
    wish = {"agent_id": "operator", "scopes": ["admin"]}
    assert api.post("/keys", "operator", json=wish).status_code == 403
    assert api.get("/keys", "operator").status_code == 403
