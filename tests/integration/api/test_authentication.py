"""Who is let in, and to what (SPEC.md §6)."""

from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from fastapi.routing import APIRoute

from api.app import contexts_of
from api.server.authentication import CACHE_SECONDS, Keyring, ScopeCheck
from schemas.access.scopes import Scope
from storage.access.keys import Keys, digest
from storage.core.database import Database
from tasks.orders.rules.context import Context
from tasks.registry import task_forms
from tests.support.agents import OWNERS
from tests.support.api.client import ApiClient, key_of
from tests.support.factories import payload
from tests.support.probe import Probe

START = "/agents/orchestrator/tasks/start"


def unused() -> Context:
    raise AssertionError("the routes are known without the tools of the work")


def guarded_routes() -> Iterator[tuple[APIRoute, Scope | None]]:
    contexts = contexts_of(task_forms(unused))
    for router in (router for context in contexts for router in (*context.keyed, *context.open)):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            guards = [d.dependency.scope for d in route.dependencies if isinstance(d.dependency, ScopeCheck)]
            assert len(guards) <= 1
            yield route, guards[0] if guards else None


def test_every_route_names_its_scope_but_callbacks_health_and_figures() -> None:
    open_routes = {route.path for route, scope in guarded_routes() if scope is None}
    assert open_routes == {
        "/webhooks/contact/{provider}",
        "/webhooks/contact/{provider}/{token}",
        "/callbacks/http/{token}",
        "/hooks/{path}",
        "/im/{provider}/callback",
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/auth/login",
        "/auth/accept",
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic a2V5"},
        {"Authorization": key_of("admin")},
        {"Authorization": f"Bearer {'x' * 5000}"},
        {"Authorization": b"Bearer \xff\xfe"},
    ],
)
def test_without_a_known_key_every_answer_is_the_same(api: ApiClient, headers: dict[str, Any]) -> None:
    answer = api.get("/states", None, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    error = answer.json()["error"]
    assert error["code"] == "UNAUTHORIZED"
    assert error["message"] == "send Authorization: Bearer KEY with a key of this installation"
    assert error["details"] == {}


@pytest.mark.parametrize("body", [b"{", b"x" * 2_000_000])
def test_nothing_of_a_body_is_read_for_a_caller_nobody_knows(api: ApiClient, body: bytes) -> None:
    answer = api.post(START, None, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


@pytest.mark.parametrize("agent", OWNERS)
def test_a_key_is_let_in_where_its_scopes_reach_and_nowhere_else(api: ApiClient, agent: str) -> None:
    reached = {
        Scope.READ: api.get("/states", agent).status_code,
        Scope.TASKS: api.post(START, agent, json=payload()).status_code,
        Scope.STATES: api.post("/states/transition", agent, json={}).status_code,
        Scope.REVIEWS: api.post("/reviews/REV404/decide", agent, json={"decision": "recontact"}).status_code,
    }
    beyond = {Scope.READ: 200, Scope.TASKS: 200, Scope.STATES: 422, Scope.REVIEWS: 404}
    assert reached == {scope: status if scope in OWNERS[agent] else 403 for scope, status in beyond.items()}


def test_what_is_forbidden_says_no_more_than_that(api: ApiClient) -> None:
    answer = api.post(START, "audit_agent", json=payload())
    error = answer.json()["error"]
    assert (error["code"], error["message"], error["details"]) == (
        "FORBIDDEN",
        "this key may not do this",
        {},
    )


def test_the_agent_header_must_be_the_keys_agent_when_given(api: ApiClient) -> None:
    own = api.get("/states", "triage_agent", headers={"X-Agent-ID": "triage_agent"})
    anothers = api.get("/states", "triage_agent", headers={"X-Agent-ID": "contact_agent"})
    assert (own.status_code, anothers.status_code) == (200, 403)


def test_the_scheme_is_read_in_any_case(api: ApiClient) -> None:
    answer = api.get("/states", None, headers={"Authorization": f"bearer {key_of('admin')}"})
    assert answer.status_code == 200


def test_a_new_key_is_let_in_at_once_even_after_it_was_refused(api: ApiClient) -> None:
    headers = {"Authorization": "Bearer brand-new"}
    assert api.get("/states", None, headers=headers).status_code == 401
    with api.house.database.transaction() as work:
        Keys(work).register("brand-new", "newcomer", [Scope.READ.value])
    assert api.get("/states", None, headers=headers).status_code == 200


def revoke(database: Database, key: str) -> None:
    Probe(database).write("UPDATE api_keys SET revoked = true WHERE digest = %s", digest(key))


def test_a_revoked_key_is_believed_for_five_seconds_at_most(database: Database) -> None:
    with database.transaction() as work:
        Keys(work).register("a-key", "operator", [Scope.READ.value])
    now = 1000.0
    answers: list[bool] = []

    async def ask_around_the_revocation() -> None:
        nonlocal now
        keyring = Keyring(database, clock=lambda: now)
        answers.append(await keyring.owner("a-key") is not None)
        revoke(database, "a-key")
        now += CACHE_SECONDS - 0.1
        answers.append(await keyring.owner("a-key") is not None)
        now += 0.2
        answers.append(await keyring.owner("a-key") is not None)
        await keyring.close()

    anyio.run(ask_around_the_revocation)
    assert CACHE_SECONDS <= 5
    assert answers == [True, True, False]


def test_many_keys_do_not_fill_the_memory(database: Database) -> None:
    names = [f"key-{number}" for number in range(1100)]
    with database.transaction() as work:
        for name in names:
            Keys(work).register(name, "operator", [Scope.READ.value])

    async def ask() -> Keyring:
        keyring = Keyring(database)
        async with anyio.create_task_group() as tasks:
            for name in names:
                tasks.start_soon(keyring.owner, name)
        await keyring.close()
        return keyring

    assert len(anyio.run(ask)._known) == 1024
