"""The agent runtime: who works, how busy, and outside agents that register and report (SPEC.md §6)."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from runtime.cipher import Cipher
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.flows.agents import ALIVE_SECONDS
from tests.support.agents import OWNERS
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.engine.general_runs import ScriptedActions, begin, definition
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet

FLEET = ["orchestrator", "contact_agent", "triage_agent", "action_agent", "audit_agent"]
STEPS = [{"id": "first", "agent": "contact", "action": "check"}]


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    """A house that also knows a workflow of one step for the contact agent."""
    built = InProcessFleet.build(
        database_url,
        actions=ScriptedActions().actions(),
        workflows=[definition("parallel_branches", steps=STEPS)],
    )
    yield built
    built.close()


@pytest.fixture
def api(house: InProcessFleet) -> Iterator[ApiClient]:
    register_keys(house)
    with api_over(house) as caller:
        yield caller


def register(api: ApiClient, agent: str = "contact_agent", **body: Any) -> Any:
    return api.post("/agents/register", agent, json={"agent_id": agent} | body)


def heartbeat(api: ApiClient, agent_id: str, agent: str = "contact_agent", **body: Any) -> Any:
    return api.post(f"/agents/{agent_id}/heartbeat", agent, json={"status": "idle"} | body)


def outside(api: ApiClient, agent_id: str) -> dict[str, Any]:
    """An outside agent, as it is shown."""
    listed = {agent["agent_id"]: agent for agent in api.get("/agents").json()["outside"]}
    found: dict[str, Any] = listed[agent_id]
    return found


def fleet(api: ApiClient, agent_id: str) -> dict[str, Any]:
    """One of the fleet's agents, as it is shown."""
    found: dict[str, Any] = api.get(f"/agents/{agent_id}").json()["fleet"]
    return found


def let_pass(api: ApiClient, seconds: float) -> None:
    """Let every heartbeat be so much older."""
    with api.house.database.transaction() as work:
        work.connection.execute(
            text("UPDATE agents SET heartbeat_at = heartbeat_at - make_interval(secs => :s)"), {"s": seconds}
        )


def test_the_five_agents_of_the_fleet_are_there_from_the_beginning(api: ApiClient) -> None:
    found = api.get("/agents", "operator").json()
    assert [agent["agent_id"] for agent in found["agents"]] == FLEET
    assert found["outside"] == []
    assert all(agent["steps"]["waiting"] == agent["outside"] == 0 for agent in found["agents"])


@pytest.mark.parametrize("agent_id", FLEET)
def test_each_of_the_five_is_found_by_its_name_on_the_wire(api: ApiClient, agent_id: str) -> None:
    found = api.get(f"/agents/{agent_id}").json()
    assert found["agent_id"] == found["fleet"]["agent_id"] == agent_id
    assert found["outside"] == []


def test_steps_are_counted_by_what_they_wait_for(api: ApiClient) -> None:
    api.house.wire.cut = True
    begin(api.house, "parallel_branches", runs=2)
    begin(api.house, "parallel_branches", manual=True)
    steps = fleet(api, "contact_agent")["steps"]
    assert steps["waiting"] + steps["published"] == 2
    assert (steps["offered"], steps["leased"], steps["parked"]) == (1, 0, 0)
    assert fleet(api, "triage_agent")["steps"]["offered"] == 0


def test_workers_are_seen_by_their_connections(api: ApiClient, database_url: str) -> None:
    assert fleet(api, "contact_agent")["workers"] == {"connections": 0, "at_work": 0}
    with Database(database_url, Cipher(CIPHER_KEY), application="unpend-contact") as worker:
        with worker.transaction() as work:
            BusinessClock(work).now()
        assert fleet(api, "contact_agent")["workers"] == {"connections": 1, "at_work": 0}
        assert fleet(api, "audit_agent")["workers"] == {"connections": 0, "at_work": 0}


def test_a_worker_is_seen_at_work_while_its_lease_holds(api: ApiClient) -> None:
    begin(api.house, "parallel_branches", runs=2)
    with api.house.database.transaction() as work:
        work.connection.execute(
            text(
                "INSERT INTO leases (lease_id, holder, queue, expires_at) SELECT 'lease_' || n, holder, "
                "'contact', clock_timestamp() + make_interval(secs => seconds) FROM (VALUES (1, 'a', 60), "
                "(2, 'a', 60), (3, 'b', 60), (4, 'c', -1)) AS held(n, holder, seconds)"
            )
        )
    assert fleet(api, "contact_agent")["workers"]["at_work"] == 2


def test_an_agent_registers_and_is_shown_as_it_described_itself(api: ApiClient) -> None:
    answer = register(
        api,
        agent_id="contact_agent.shanghai-2",
        capabilities=["initiate_contact", "send_sms", "send_sms"],
        most_at_once=10,
        metadata={"version": "2.1"},
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "agent_id": "contact_agent.shanghai-2",
        "heartbeat_seconds": 15,
    }
    shown = outside(api, "contact_agent.shanghai-2")
    assert shown["role"] == "contact_agent"
    assert shown["capabilities"] == ["initiate_contact", "send_sms"]
    assert (shown["most_at_once"], shown["metadata"]) == (10, {"version": "2.1"})
    assert (shown["alive"], shown["status"], shown["load"]) == (True, "active", 0.0)
    assert api.get("/agents/contact_agent.shanghai-2").json() == {
        "agent_id": "contact_agent.shanghai-2",
        "fleet": None,
        "outside": [outside(api, "contact_agent.shanghai-2")],
    }


def test_registering_again_is_an_update(api: ApiClient) -> None:
    register(api, capabilities=["initiate_contact"], most_at_once=2)
    heartbeat(api, "contact_agent", status="busy", working_on=2)
    register(api, capabilities=["send_im"], most_at_once=4)
    shown = outside(api, "contact_agent")
    assert (shown["capabilities"], shown["most_at_once"]) == (["send_im"], 4)
    assert (shown["status"], shown["working_on"], shown["load"]) == ("busy", 2, 0.5)


def test_a_heartbeat_says_how_busy_an_agent_is(api: ApiClient) -> None:
    register(api, most_at_once=10)
    answer = heartbeat(api, "contact_agent", status="draining", working_on=3)
    assert answer.json() == {"success": True, "next_heartbeat_seconds": 15}
    shown = outside(api, "contact_agent")
    assert (shown["status"], shown["working_on"], shown["load"]) == ("draining", 3, 0.3)


def test_an_agent_that_is_silent_for_three_heartbeats_counts_as_gone_until_it_reports(api: ApiClient) -> None:
    register(api)
    let_pass(api, ALIVE_SECONDS - 5)
    assert outside(api, "contact_agent")["alive"] is True
    let_pass(api, 5)
    assert outside(api, "contact_agent")["alive"] is False
    assert fleet(api, "contact_agent")["outside"] == 0
    heartbeat(api, "contact_agent")
    assert outside(api, "contact_agent")["alive"] is True
    assert fleet(api, "contact_agent")["outside"] == 1


def test_an_agent_that_is_silent_for_a_week_is_forgotten_when_its_key_registers_another(
    api: ApiClient,
) -> None:
    register(api, agent_id="contact_agent.old")
    register(api, "triage_agent")
    let_pass(api, 7 * 86_400 + 1)
    register(api, agent_id="contact_agent.new")
    shown = {agent["agent_id"] for agent in api.get("/agents").json()["outside"]}
    assert shown == {"contact_agent.new", "triage_agent"}


def test_an_outside_agent_is_told_how_many_steps_wait_for_its_role(api: ApiClient) -> None:
    begin(api.house, "parallel_branches", runs=3, manual=True)
    register(api)
    register(api, "triage_agent")
    assert outside(api, "contact_agent")["offered"] == 3
    assert outside(api, "triage_agent")["offered"] == 0
    assert [a["offered"] for a in api.get("/agents/contact_agent").json()["outside"]] == [3]


@pytest.mark.parametrize("agent_id", ["triage_agent", "contact_agents", "contact_agent-2", "contact", "x"])
def test_a_key_speaks_for_its_own_agents_only(api: ApiClient, agent_id: str) -> None:
    register(api, "admin", agent_id=agent_id)
    assert register(api, agent_id=agent_id).status_code == 403
    assert heartbeat(api, agent_id).status_code == 403


def test_a_key_of_one_agent_does_not_take_anothers_role(api: ApiClient) -> None:
    assert register(api, agent_id="contact_agent.x", role="triage_agent").status_code == 403
    assert register(api, "operator", role="triage_agent").status_code == 200
    assert outside(api, "operator")["role"] == "triage_agent"


def test_an_admin_registers_for_any_role(api: ApiClient) -> None:
    register(api, "admin", agent_id="audit_agent.night")
    assert outside(api, "audit_agent.night")["role"] == "audit_agent"
    assert heartbeat(api, "audit_agent.night", "audit_agent").status_code == 200


@pytest.mark.parametrize("agent", OWNERS)
def test_any_key_registers_its_agent(api: ApiClient, agent: str) -> None:
    assert register(api, agent).status_code == 200
    assert heartbeat(api, agent, agent).status_code == 200


def test_an_agent_that_never_registered_is_not_found(api: ApiClient) -> None:
    assert heartbeat(api, "contact_agent.unknown").status_code == 404
    assert api.get("/agents/contact_agent.unknown").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"agent_id": "contact_agent." + "x" * 60},
        {"agent_id": "contact agent"},
        {"agent_id": "contact_agent.\x00"},
        {"capabilities": ["check"] * 51},
        {"capabilities": ["a b"]},
        {"capabilities": ["x" * 33]},
        {"most_at_once": 0},
        {"most_at_once": 2**63},
        {"role": "x" * 33},
        {"metadata": {"a": "\x00"}},
        {"metadata": {"a": 2**64}},
        {"metadata": {"a": "x" * 20_000}},
        {"metadata": []},
        {"further": 1},
    ],
)
def test_a_registration_that_cannot_be_kept_is_refused(api: ApiClient, body: dict[str, Any]) -> None:
    assert register(api, **body).status_code == 422
    assert api.get("/agents").json()["outside"] == []


@pytest.mark.parametrize(
    "body",
    [{"status": "gone"}, {"working_on": -1}, {"working_on": 2**40}, {"working_on": 1.5}, {"further": 1}],
)
def test_a_heartbeat_that_makes_no_sense_is_refused(api: ApiClient, body: dict[str, Any]) -> None:
    register(api)
    assert heartbeat(api, "contact_agent", **body).status_code == 422


def test_an_admins_agent_needs_a_role_when_its_name_holds_none(api: ApiClient) -> None:
    answer = register(api, "admin", agent_id="x" * 40)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "role"
