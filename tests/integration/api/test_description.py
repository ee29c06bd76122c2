"""The API describes itself, and what it says is so."""

from typing import Any

import pytest

from tests.support.api.client import VERSION, ApiClient

HELD = {
    ("POST", "/v1/agents/orchestrator/tasks/start"): "tasks",
    ("GET", "/v1/agents/orchestrator/tasks/{task_id}/status"): "read",
    ("POST", "/v1/agents/orchestrator/tasks/dispatch"): "tasks",
    ("GET", "/v1/dispatches/{dispatch_id}"): "read",
    ("POST", "/v1/agents/contact/initiate"): "contact",
    ("POST", "/v1/contact/initiate"): "contact",
    ("POST", "/v1/agents/contact/result/record"): "contact",
    ("POST", "/v1/agents/triage/classify"): "triage",
    ("POST", "/v1/triage/classify"): "triage",
    ("POST", "/v1/agents/triage/validate"): "triage",
    ("POST", "/v1/agents/actions/execute"): "actions",
    ("POST", "/v1/actions/execute"): "actions",
    ("POST", "/v1/agents/audit/report"): "audit",
    ("GET", "/v1/tools"): "read",
    ("POST", "/v1/tools/{name}/call"): "read",
    ("GET", "/v1/states"): "read",
    ("GET", "/v1/states/{task_id}"): "read",
    ("GET", "/v1/states/{task_id}/history"): "read",
    ("POST", "/v1/states/transition"): "states",
    ("POST", "/v1/tasks"): "tasks",
    ("GET", "/v1/tasks"): "read",
    ("GET", "/v1/tasks/{task_id}"): "read",
    ("POST", "/v1/tasks/batch"): "tasks",
    ("POST", "/v1/tasks/{task_id}/cancel"): "tasks",
    ("POST", "/v1/tasks/{task_id}/pause"): "tasks",
    ("POST", "/v1/tasks/{task_id}/resume"): "tasks",
    ("POST", "/v1/tasks/{task_id}/retry"): "tasks",
    ("POST", "/v1/tasks/{task_id}/start"): "tasks",
    ("POST", "/v1/tasks/{task_id}/undo"): "tasks",
    ("POST", "/v1/tasks/{task_id}/actions/{action_id}/take-back"): "tasks",
    ("GET", "/v1/workflows"): "read",
    ("POST", "/v1/workflows"): "workflows",
    ("POST", "/v1/workflows/check"): "workflows",
    ("GET", "/v1/workflows/{name}"): "read",
    ("GET", "/v1/workflows/{name}/{version}"): "read",
    ("POST", "/v1/workflows/{name}/{version}/activate"): "workflows",
    ("POST", "/v1/workflows/{name}/{version}/retire"): "workflows",
    ("POST", "/v1/workflows/{name}/start"): "tasks",
    ("POST", "/v1/workflows/{name}/migrations"): "workflows",
    ("POST", "/v1/workflows/{name}/versions/{version}/replay"): "workflows",
    ("GET", "/v1/executions"): "read",
    ("GET", "/v1/executions/{execution_id}"): "read",
    ("GET", "/v1/executions/{execution_id}/steps"): "read",
    ("GET", "/v1/executions/{execution_id}/variables"): "read",
    ("GET", "/v1/executions/{execution_id}/log"): "read",
    ("POST", "/v1/executions/{execution_id}/pause"): "tasks",
    ("POST", "/v1/executions/{execution_id}/resume"): "tasks",
    ("POST", "/v1/executions/{execution_id}/cancel"): "tasks",
    ("POST", "/v1/executions/{execution_id}/terminate"): "tasks",
    ("POST", "/v1/executions/{execution_id}/retry"): "tasks",
    ("POST", "/v1/executions/{execution_id}/rerun"): "tasks",
    ("POST", "/v1/executions/{execution_id}/skip"): "tasks",
    ("POST", "/v1/executions/{execution_id}/set"): "tasks",
    ("POST", "/v1/executions/{execution_id}/signal"): "tasks",
    ("POST", "/v1/events"): "tasks",
    ("POST", "/v1/messages"): "tasks",
    ("POST", "/v1/signals"): "tasks",
    ("GET", "/v1/schedules"): "read",
    ("POST", "/v1/hooks/{path}"): None,
    ("GET", "/v1/live"): "read",
    ("GET", "/v1/reports/{report_id}"): "read",
    ("GET", "/v1/reports/daily/{day}"): "read",
    ("POST", "/v1/callbacks/http/{token}"): None,
    ("POST", "/v1/live/rebuild"): "admin",
    ("GET", "/v1/tasks/{task_id}/slots"): "read",
    ("GET", "/v1/capacity"): "admin",
    ("PUT", "/v1/capacity"): "admin",
    ("GET", "/v1/tasks/{task_id}/status"): "read",
    ("POST", "/v1/webhooks/contact/{provider}"): None,
    ("POST", "/v1/webhooks/contact/{provider}/{token}"): None,
    ("POST", "/v1/tasks/{task_id}/signals"): "tasks",
    ("GET", "/v1/events"): "read",
    ("GET", "/v1/tasks/{task_id}/events"): "read",
    ("POST", "/v1/audit/log"): "audit",
    ("POST", "/v1/agents/audit/log"): "audit",
    ("POST", "/v1/agents/audit/alert"): "audit",
    ("GET", "/v1/agents/audit/logs"): "read",
    ("GET", "/v1/reviews"): "read",
    ("GET", "/v1/reviews/worklist"): "read",
    ("GET", "/v1/reviews/{review_id}"): "read",
    ("POST", "/v1/reviews/{review_id}/claim"): "reviews",
    ("POST", "/v1/reviews/{review_id}/release"): "reviews",
    ("POST", "/v1/reviews/next"): "reviews",
    ("POST", "/v1/reviews/{review_id}/take"): "reviews",
    ("POST", "/v1/reviews/{review_id}/take-over"): "claims",
    ("POST", "/v1/reviews/{review_id}/hold"): "reviews",
    ("POST", "/v1/reviews/{review_id}/undo"): "reviews",
    ("POST", "/v1/reviews/{review_id}/decide"): "reviews",
    ("GET", "/v1/interrupts"): "read",
    ("GET", "/v1/executions/{execution_id}/diagram.svg"): "read",
    ("GET", "/v1/workflows/{name}/{version}/bpmn"): "read",
    ("GET", "/v1/workflows/{name}/{version}/diagram.svg"): "read",
    ("POST", "/v1/workflows/import"): "workflows",
    ("GET", "/v1/interrupts/{interrupt_id}"): "read",
    ("POST", "/v1/interrupts/{interrupt_id}/continue"): "reviews",
    ("POST", "/v1/interrupts/{interrupt_id}/claim"): "reviews",
    ("POST", "/v1/interrupts/{interrupt_id}/release"): "reviews",
    ("GET", "/v1/alerts"): "read",
    ("POST", "/v1/alerts/{alert_id}/acknowledge"): "alerts",
    ("POST", "/v1/alerts/{alert_id}/resolve"): "alerts",
    ("GET", "/v1/intake/rejected"): "intake",
    ("GET", "/v1/intake/rejected/{reject_id}"): "intake",
    ("POST", "/v1/intake/rejected/{reject_id}/replay"): "intake",
    ("POST", "/v1/intake/rejected/{reject_id}/dismiss"): "intake",
    ("GET", "/v1/agents"): "read",
    ("GET", "/v1/agents/{agent_id}"): "read",
    ("POST", "/v1/agents/register"): "read",
    ("POST", "/v1/agents/{agent_id}/heartbeat"): "read",
    ("POST", "/v1/agents/{agent_id}/drain"): "read",
    ("POST", "/v1/agents/{agent_id}/poll"): "actions",
    ("GET", "/v1/agents/{agent_id}/offered"): "actions",
    ("POST", "/v1/steps/{step_id}/heartbeat"): "actions",
    ("POST", "/v1/steps/{step_id}/complete"): "actions",
    ("POST", "/v1/steps/{step_id}/fail"): "actions",
    ("POST", "/v1/steps/{step_id}/release"): "actions",
    ("GET", "/v1/webhooks/subscribers"): "webhooks",
    ("POST", "/v1/webhooks/subscribers"): "webhooks",
    ("DELETE", "/v1/webhooks/subscribers/{subscriber_id}"): "webhooks",
    ("PATCH", "/v1/webhooks/subscribers/{subscriber_id}"): "webhooks",
    ("GET", "/v1/webhooks/deliveries"): "webhooks",
    ("POST", "/v1/webhooks/deliveries/{delivery_id}/replay"): "webhooks",
    ("GET", "/v1/contact/stops"): "read",
    ("POST", "/v1/contact/stops"): "stops",
    ("POST", "/v1/contact/stops/{stop_id}/lift"): "lift",
    ("GET", "/v1/contact/do-not-call"): "stops",
    ("POST", "/v1/contact/do-not-call"): "stops",
    ("POST", "/v1/contact/do-not-call/find"): "stops",
    ("POST", "/v1/contact/do-not-call/{entry_id}/lift"): "lift",
    ("POST", "/v1/tasks/{task_id}/reveal"): "reveal",
    ("POST", "/v1/privacy/erase"): "admin",
    ("GET", "/v1/overview"): "read",
    ("GET", "/v1/check"): "admin",
    ("GET", "/v1/tasks/{task_id}/why"): "read",
    ("GET", "/v1/tasks/{task_id}/contact-policy"): "read",
    ("GET", "/v1/tasks/{task_id}/next-contact"): "read",
    ("GET", "/v1/orders"): "read",
    ("GET", "/v1/tasks/{task_id}/dossier"): "read",
    ("POST", "/v1/webhooks/subscribers/{subscriber_id}/rotate"): "webhooks",
    ("POST", "/v1/webhooks/subscribers/{subscriber_id}/ping"): "webhooks",
    ("POST", "/v1/webhooks/deliveries/replay"): "webhooks",
    ("GET", "/v1/notices"): "admin",
    ("GET", "/v1/artifacts/{path}"): "read",
    ("POST", "/v1/privacy/retain"): "admin",
    ("POST", "/v1/privacy/reencrypt"): "admin",
    ("POST", "/v1/intake/rejected"): "tasks",
    ("GET", "/v1/keys"): "admin",
    ("POST", "/v1/keys"): "admin",
    ("POST", "/v1/keys/{key_id}/revoke"): "admin",
    ("POST", "/v1/keys/{key_id}/rotate"): "admin",
    ("GET", "/v1/people"): "admin",
    ("POST", "/v1/people"): "admin",
    ("PATCH", "/v1/people/{login}"): "admin",
    ("POST", "/v1/people/{login}/invite"): "admin",
    ("POST", "/v1/auth/login"): None,
    ("POST", "/v1/auth/accept"): None,
    ("GET", "/v1/auth/me"): "read",
    ("POST", "/v1/auth/logout"): "read",
    ("POST", "/v1/auth/password"): "read",
    ("POST", "/v1/auth/im-code"): "read",
    ("GET", "/v1/auth/im-identities"): "read",
    ("DELETE", "/v1/auth/im-identities/{identity_id}"): "read",
    ("GET", "/v1/interrupts/{interrupt_id}/card"): "reviews",
    ("GET", "/v1/im/{provider}/callback"): None,
    ("POST", "/v1/im/{provider}/callback"): None,
    ("GET", "/v1/health"): None,
    ("GET", "/v1/health/live"): None,
    ("GET", "/v1/health/ready"): None,
    ("GET", "/v1/metrics"): None,
}


@pytest.fixture
def described(api: ApiClient) -> dict[str, Any]:
    answer = api.get("/openapi.json", None)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_open_and_names_the_version(described: dict[str, Any]) -> None:
    assert described["info"]["title"] == "unpend"
    assert described["info"]["version"] == VERSION


def test_it_shows_every_route_with_the_scope_it_needs(described: dict[str, Any]) -> None:
    shown = {
        route: next((scheme["key"][0] for scheme in operation.get("security", [])), None)
        for route, operation in operations(described).items()
    }
    assert shown == HELD
    assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_every_route_has_a_summary_and_its_own_name(described: dict[str, Any]) -> None:
    found = operations(described)
    assert all(operation["summary"] for operation in found.values())
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)


def test_every_error_is_described_in_the_one_form(described: dict[str, Any]) -> None:
    for operation in operations(described).values():
        failures = {status: r for status, r in operation["responses"].items() if status >= "400"}
        assert {"400", "422", "500", "503"} <= failures.keys()
        for response in failures.values():
            schema = response["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/ErrorBody"}


def test_the_seeds_bodies_are_its_examples(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["TaskCreated"]["examples"][0]["task_id"] == "HT20260313001"
    assert schemas["TaskStarted"]["examples"][0]["next_action"] == "contact_user"
    assert schemas["TransitionMade"]["examples"][0]["transition_id"] == "txn_abc123"


def test_no_page_is_served_that_would_load_from_elsewhere(api: ApiClient) -> None:
    assert [api.get(f"http://api{path}", None).status_code for path in ("/docs", "/redoc")] == [404, 404]
