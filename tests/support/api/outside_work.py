"""Work for outside agents: workflows whose steps name what they need, agents that register, and what they say."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from api.flows.outside.desk import OutsideDesk
from storage.access.keys import Keys
from tests.support.api.client import ApiClient, key_of, register_keys
from tests.support.engine.general_runs import ScriptedActions
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.waiting import wait_until

OWN: Final = "action_agent"
"""Whose key the agents of these tests have, unless they say so."""
OTHER: Final = "robots"
"""Another owner of agents."""


def workflow(name: str, agent: Mapping[str, Any], **step: Any) -> dict[str, Any]:
    """A workflow of a step for outside agents and one that the fleet does."""
    return {
        "workflow": name,
        "version": "1",
        "steps": [
            {"id": "outside", **({"agent": dict(agent)} if agent else {}), "next": "inside", **step},
            {"id": "inside", "agent": "audit", "action": "check"},
        ],
    }


WORKFLOWS: Final = (
    workflow("refund", {"capability": "refunds"}, parameters={"currency": "USD"}),
    workflow("stubborn", {"capability": "refunds"}, retry={"max_retries": 1, "delay_seconds": 0.001}),
    workflow("both", {"capabilities": ["refunds", "translation"]}),
    workflow("by_role", {"role": "worker"}, action="tidy"),
    workflow("by_id", {"id": "robots.r2"}, action="tidy"),
    workflow("for_anybody", {}, action="tidy"),
    workflow("unheard_of", {"capability": "alchemy"}),
)


def house_of_outside_work(database_url: str, **options: Any) -> InProcessFleet:
    """A house that knows these workflows, with keys for everybody and for another owner of agents."""
    house = InProcessFleet.build(
        database_url, actions=ScriptedActions().actions(), workflows=WORKFLOWS, **options
    )
    register_keys(house)
    with house.database.transaction() as work:
        Keys(work).register(key_of(OTHER), OTHER, ["read", "actions"])
    return house


def register(api: ApiClient, agent_id: str = OWN, *capabilities: str, key: str = OWN, **body: Any) -> str:
    """Register an agent; its id."""
    told = {"agent_id": agent_id, "capabilities": list(capabilities or ("refunds",)), **body}
    answer = api.post("/agents/register", key, json=told)
    assert answer.status_code == 200, answer.text
    return agent_id


def poll(api: ApiClient, agent_id: str = OWN, *, key: str = OWN, **body: Any) -> list[dict[str, Any]]:
    """The steps that an agent is given."""
    answer = api.post(f"/agents/{agent_id}/poll", key, json=body)
    assert answer.status_code == 200, answer.text
    steps: list[dict[str, Any]] = answer.json()["steps"]
    return steps


def say(api: ApiClient, what: str, step: Mapping[str, Any], *, key: str = OWN, **body: Any) -> Any:
    """The answer to a report on a step."""
    told = {"lease_id": step["lease_id"], **body}
    return api.post(f"/steps/{step['step_id']}/{what}", key, json=told)


def lease_ends(house: InProcessFleet, *lease_ids: str) -> None:
    """Let these leases, or all, have run out, and the tick have been steady for long enough to see it."""
    probe = Probe(house.database)
    probe.write(
        "UPDATE leases SET expires_at = clock_timestamp() - interval '1 second' "
        "WHERE %s = '{}' OR lease_id = ANY(%s)",
        list(lease_ids),
        list(lease_ids),
    )
    house.tick.sweep()


@contextmanager
def waiting_polls(
    api: ApiClient, asked: Sequence[tuple[str, str]], **body: Any
) -> Iterator[list["Future[list[dict[str, Any]]]"]]:
    """Polls of these agents and keys that wait already, in their order."""
    desk = api.app.state.services.of(OutsideDesk)
    with ThreadPoolExecutor(len(asked)) as threads:
        futures = []
        for agent_id, key in asked:
            told = {"wait_seconds": 30, **body}
            futures.append(threads.submit(poll, api, agent_id, key=key, **told))
            wait_until(lambda: len([w for w in desk._waiting if not w.request.is_new]) == len(futures))
        yield futures
