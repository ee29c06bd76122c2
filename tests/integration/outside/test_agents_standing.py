"""How outside agents stand: their load, their drain, their roles, and what they may register (WORKFLOWS.md §3)."""

from typing import Any

import pytest

from schemas.core.agents import Agent
from statemachine.workflow.definition import MalformedWorkflow
from storage.access.keys import Keys
from tests.support.agents import AGENTS
from tests.support.api.client import ApiClient, key_of
from tests.support.api.outside_work import (
    OTHER,
    OWN,
    house_of_outside_work,
    poll,
    register,
    say,
    waiting_polls,
    workflow,
)
from tests.support.engine.general_runs import begin, nodes_of
from tests.support.probe import Probe

LOAD = ("name", "role", "status", "current_tasks", "max_concurrent", "load_percentage", "total_assigned")


def load(api: ApiClient, agent_id: str = OWN) -> dict[str, Any]:
    """The fields of the seed's `get_agent_load`."""
    (shown,) = api.get(f"/agents/{agent_id}").json()["outside"]
    return {name: shown[name] for name in LOAD}


def status(api: ApiClient, agent_id: str = OWN) -> str:
    return str(load(api, agent_id)["status"])


def test_the_load_of_an_agent_is_what_it_holds_of_what_it_may(api: ApiClient) -> None:
    agent = register(api, f"{OWN}.night", name="退款", role="worker", max_concurrent=4)
    begin(api.house, "refund", runs=3)
    steps = poll(api, agent, max=3)
    expected = {
        "name": "退款",
        "role": "worker",
        "status": "active",
        "current_tasks": 3,
        "max_concurrent": 4,
        "load_percentage": 75.0,
        "total_assigned": 3,
    }
    assert load(api, agent) == expected
    for step in steps:
        say(api, "complete", step)
    assert load(api, agent) == expected | {"current_tasks": 0, "load_percentage": 0.0}


def test_the_fleets_agents_have_the_same_fields(api: ApiClient) -> None:
    shown = api.get("/agents/contact_agent").json()["fleet"]
    assert {name: shown[name] for name in LOAD} == {
        "name": "contact",
        "role": "contact_agent",
        "status": "offline",
        "current_tasks": 0,
        "max_concurrent": AGENTS.by_queue["contact"].concurrency * 300,
        "load_percentage": 0.0,
        "total_assigned": None,
    }


def test_an_agent_that_drains_is_given_nothing_new_and_is_offline_when_it_has_finished(
    api: ApiClient,
) -> None:
    register(api, max_concurrent=2)
    begin(api.house, "refund", runs=2)
    (step,) = poll(api)
    answer = api.post(f"/agents/{OWN}/drain", OWN)
    assert answer.json()["agent"]["status"] == "draining"
    assert poll(api, wait_seconds=30) == [], "and it does not wait"
    assert say(api, "complete", step).status_code == 200
    assert status(api) == "offline"
    assert api.post(f"/agents/{OWN}/poll", OWN, json={}).json()["status"] == "offline"
    api.post(f"/agents/{OWN}/heartbeat", OWN, json={"status": "idle"})
    assert status(api) == "offline", "a heartbeat does not undo it"
    register(api, max_concurrent=2)
    assert len(poll(api)) == 1


def test_a_poll_that_waits_ends_when_its_agent_drains(api: ApiClient) -> None:
    register(api)
    with waiting_polls(api, [(OWN, OWN)]) as (waiting,):
        api.post(f"/agents/{OWN}/drain", "operator")
        assert waiting.result() == []


def test_who_may_steer_tasks_drains_any_agent_and_nobody_else_anothers(api: ApiClient) -> None:
    register(api)
    assert api.post(f"/agents/{OWN}/drain", OTHER).status_code == 403
    assert status(api) == "active"
    assert api.post(f"/agents/{OWN}/drain", "operator", params={"by": "王芳"}).status_code == 200
    assert api.post(f"/agents/{OWN}.ghost/drain", "operator").status_code == 404
    row = Probe(api.house.database).row(
        "SELECT actor, label, detail FROM system_audit WHERE what = 'agent_drained'"
    )
    assert (row.actor, row.label, row.detail) == ("operator", "王芳", {"agent_id": OWN})


def test_an_agent_that_never_reports_is_offline_and_its_steps_return_as_their_leases_end(
    api: ApiClient,
) -> None:
    register(api)
    (run_id,) = begin(api.house, "refund")
    poll(api)
    probe = Probe(api.house.database)
    probe.write("UPDATE agents SET heartbeat_at = heartbeat_at - interval '45 seconds'")
    assert status(api) == "offline"
    assert nodes_of(api.house, run_id) == {"outside": ["leased"]}
    probe.write("UPDATE leases SET expires_at = clock_timestamp() - interval '1 second'")
    api.house.run()
    assert nodes_of(api.house, run_id) == {"outside": ["offered"]}
    assert poll(api) != [], "asking is a sign of life"
    assert status(api) == "busy"


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("coordinator", ["tasks"]),
        ("worker", ["actions"]),
        ("reviewer", ["reviews"]),
        ("supervisor", ["alerts", "tasks"]),
    ],
)
def test_a_role_needs_a_key_that_may_do_what_the_role_is_for(
    api: ApiClient, role: str, scopes: list[str]
) -> None:
    body = {"agent_id": "bot", "role": role}
    with api.house.database.transaction() as work:
        Keys(work).register(key_of("bot"), "bot", ["read"])
    refused = api.post("/agents/register", "bot", json=body)
    assert refused.status_code == 403
    assert all(scope in refused.json()["error"]["message"] for scope in scopes)
    with api.house.database.transaction() as work:
        Keys(work).register(key_of("able"), "able", ["read", *scopes])
    assert api.post("/agents/register", "able", json={"agent_id": "able", "role": role}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"capabilities": [f"c{n}" for n in range(1_000)]},
        {"capabilities": ["退款"]},
        {"capabilities": ['a"b']},
        {"capabilities": ["{refunds}"]},
        {"capabilities": [""]},
        {"capabilities": ["a\x00"]},
        {"max_concurrent": 0},
        {"max_concurrent": 2, "most_at_once": 3},
        {"name": ""},
        {"name": "x" * 65},
    ],
)
def test_what_an_agent_cannot_be_is_refused(api: ApiClient, body: dict[str, Any]) -> None:
    answer = api.post("/agents/register", OWN, json={"agent_id": OWN, **body})
    assert answer.status_code == 422
    assert api.get("/agents").json()["outside"] == []


def test_an_agent_with_as_many_capabilities_as_it_may_have_is_given_what_fits(api: ApiClient) -> None:
    register(api, OWN, *(f"c:{n}.x-y_z" for n in range(49)), "refunds")
    begin(api.house, "refund")
    assert len(poll(api)) == 1


def test_a_queue_of_the_fleet_that_can_do_a_step_does_it(database_url: str) -> None:
    agents = [
        Agent(name="contact", key_owner="contact_agent", capabilities=("calls", "check")),
        Agent(name="audit", key_owner="audit_agent"),
    ]
    house = house_of_outside_work(database_url, agents=agents)
    rules = house.engine.definition_rules
    by_capability = rules.require(workflow("w", {"capability": "check"})).steps["outside"]
    by_role = rules.require(workflow("w", {"role": "audit_agent"}, action="check")).steps["outside"]
    neither = rules.require(workflow("w", {"capabilities": ["check", "alchemy"]})).steps["outside"]
    with pytest.raises(MalformedWorkflow) as unregistered:
        rules.require(workflow("w", {"capability": "calls"}))
    with pytest.raises(MalformedWorkflow) as nameless:
        rules.require(workflow("w", {"role": "worker"}))
    house.close()
    assert (by_capability.agent, by_capability.action, by_capability.choice) == ("contact", "check", None)
    assert (by_role.agent, by_role.action, by_role.choice) == ("audit", "check", None)
    assert (neither.agent, neither.action) == ("outside", "check")
    assert unregistered.value.problems[0].startswith(
        "step 'outside': no action 'contact.calls' is registered"
    )
    assert "needs an action, or a capability" in nameless.value.problems[0]
