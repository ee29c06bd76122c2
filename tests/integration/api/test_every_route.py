"""Every route, walked as every role and as a stranger: who may is let through, nobody else."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from fastapi.routing import APIRoute

from api.app import contexts_of
from api.server.authentication import ScopeCheck
from schemas.access.roles import SCOPES_OF_ROLE, Role
from schemas.access.scopes import Scope
from tasks.orders.rules.context import Context
from tasks.registry import task_forms
from tests.support.api.client import ApiClient, register_person

_UNKNOWN: Final = {"task_id": "HT404", "review_id": "REV404", "login": "nobody-here"}
_NO_STREAM: Final = {"Last-Event-ID": "no event"}
"""A place that there is not, so that a stream is refused instead of going on."""


def unused() -> Context:
    raise AssertionError("the routes are known without the tools of the work")


def guarded_routes() -> Iterator[tuple[str, str, Scope]]:
    """The method, path and scope of every route that needs a key."""
    for context in contexts_of(task_forms(unused)):
        for router in context.keyed:
            for route in router.routes:
                assert isinstance(route, APIRoute)
                (scope,) = [
                    d.dependency.scope for d in route.dependencies if isinstance(d.dependency, ScopeCheck)
                ]
                for method in sorted(route.methods or ()):
                    yield (
                        method,
                        re.sub(r"\{(\w+)\}", lambda m: _UNKNOWN.get(m[1], "x404"), route.path),
                        scope,
                    )


ROUTES: Final = list(guarded_routes())


def walked(api: ApiClient, caller: str | None) -> dict[tuple[str, str], int]:
    """What every route answers to this caller, who sends nothing that could be done."""
    return {
        (method, path): api.call(
            method, path, caller, headers=_NO_STREAM, json={"no": "such field"}
        ).status_code
        for method, path, _ in ROUTES
    }


def test_a_stranger_gets_past_no_route_that_needs_a_key(api: ApiClient) -> None:
    assert set(walked(api, None).values()) == {401}


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_past_exactly_the_routes_whose_scope_it_has(api: ApiClient, role: Role) -> None:
    register_person(api.house, "wangfang", role)
    answers = walked(api, "wangfang")
    wrong = {
        (method, path): answers[method, path]
        for method, path, scope in ROUTES
        if (answers[method, path] == 403) is (scope in SCOPES_OF_ROLE[role])
        or answers[method, path] in {401, 429, 500}
    }
    assert wrong == {}


MAY: Final = {
    "hear the words under review": (Scope.REVIEWS, {Role.REVIEWER, Role.MANAGER}),
    "see a number in clear": (Scope.REVEAL, {Role.MANAGER}),
    "give back what another took": (Scope.CLAIMS, {Role.MANAGER}),
    "stop contacts": (Scope.STOPS, {Role.MANAGER}),
    "handle alerts": (Scope.ALERTS, {Role.MANAGER}),
    "steer orders": (Scope.TASKS, {Role.OPERATOR, Role.MANAGER}),
    "correct what intake refused": (Scope.INTAKE, {Role.OPERATOR, Role.DEVELOPER}),
    "subscribe systems": (Scope.WEBHOOKS, {Role.DEVELOPER}),
    "send and activate workflows": (Scope.WORKFLOWS, {Role.DEVELOPER}),
    "make keys and people": (Scope.ADMIN, set[Role]()),
}
"""What a role is for, as CONSOLE.md §3 has it; an admin may do all of it."""


@pytest.mark.parametrize("what", MAY)
def test_a_role_may_do_what_it_is_for_and_nothing_of_the_others(what: str) -> None:
    scope, roles = MAY[what]
    assert {role for role, scopes in SCOPES_OF_ROLE.items() if scope in scopes} == roles | {Role.ADMIN}
