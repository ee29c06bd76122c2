"""The routes of the agent runtime: who works, how busy they are, and outside agents that report (SPEC.md §6)."""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path

from api.flows.outside.desk import GivenDesk
from api.flows.outside.own_agents import require_own
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.load import loads, workers
from api.server.parts import Parts
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.scopes import Scope
from schemas.core.agents import Agent
from schemas.core.agents import Agents as FleetAgents
from schemas.core.error import Code
from schemas.core.load import WorkersView
from schemas.flows.agents import (
    HEARTBEAT_SECONDS,
    SCOPES_OF_ROLE,
    AgentDetail,
    AgentDrained,
    AgentId,
    AgentList,
    AgentRegistered,
    AgentStatus,
    FleetAgent,
    Heartbeat,
    HeartbeatTaken,
    OutsideAgentView,
    RegistrationTaken,
)
from statemachine.workflow.agent_states import AgentEvent
from storage.access.keys import Key
from storage.access.system_audit import SystemAudit
from storage.core.unit_of_work import UnitOfWork
from storage.engine.offers import Offers
from storage.flows.agents import NewAgent, OutsideAgent, OutsideAgents
from tasks.flows.outside_work import state_of

router = APIRouter(prefix="/agents", tags=["agents"], route_class=Route)

GivenAgentId = Annotated[AgentId, Path(description="The agent's name on the wire.")]

_LONGEST_ROLE: Final = 32
_EVENTS: Final[Mapping[str, AgentEvent]] = MappingProxyType(
    {
        "idle": AgentEvent.FREE,
        "active": AgentEvent.FREE,
        "busy": AgentEvent.FILL,
        "draining": AgentEvent.DRAIN,
    }
)
"""What each status says that an agent may report."""


@router.post(
    "/register",
    summary="Register an outside agent",
    dependencies=[requires(Scope.READ)],
)
def register_agent(body: AgentRegistered, parts: GivenParts, caller: Caller) -> RegistrationTaken:
    """For a program that performs steps over this API. Again is an update; a week of silence, and it is forgotten."""
    require_own(caller, body.agent_id)
    agent = NewAgent(
        agent_id=body.agent_id,
        name=body.name,
        role=_role(caller, body, parts.agents),
        registered_by=caller.agent_id,
        capabilities=list(dict.fromkeys(body.capabilities)),
        most_at_once=body.capacity,
        metadata=body.metadata,
    )
    with parts.database.transaction() as work:
        OutsideAgents(work).register(agent)
    return RegistrationTaken(agent_id=agent.agent_id, heartbeat_seconds=HEARTBEAT_SECONDS)


@router.post(
    "/{agent_id}/heartbeat",
    summary="Report as alive",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def report_heartbeat(
    agent_id: GivenAgentId, body: Heartbeat, parts: GivenParts, caller: Caller
) -> HeartbeatTaken:
    """Every 15 seconds, with how busy it is; an agent that is not registered is told so with 404."""
    require_own(caller, agent_id)
    with parts.database.transaction() as work:
        known = OutsideAgents(work).report(agent_id, _EVENTS[body.status], body.working_on)
    if not known:
        raise unknown("agent", agent_id)
    return HeartbeatTaken(next_heartbeat_seconds=HEARTBEAT_SECONDS)


@router.post(
    "/{agent_id}/drain",
    summary="Give an agent nothing new",
    dependencies=[requires(Scope.READ, repeatable=True)],
    responses=documented(Code.NOT_FOUND),
)
async def drain_agent(
    agent_id: GivenAgentId, parts: GivenParts, desk: GivenDesk, caller: Caller, actor: Actor
) -> AgentDrained:
    """It finishes what it holds and is `offline` then, until it registers again.

    For its own key, and for whoever steers tasks (scope `tasks`). What it waits for is answered at once.
    """
    view = await asyncio.to_thread(_drained, parts, agent_id, caller, actor)
    desk.notify()
    return AgentDrained(agent=view)


@router.get("", summary="Who works", dependencies=[requires(Scope.READ)])
def list_agents(parts: GivenParts) -> AgentList:
    """The fleet's five agents with their queues and workers, and up to 500 outside agents."""
    with parts.database.transaction() as work:
        outside = OutsideAgents(work).list()
        agents, offered = _fleet(work, parts, outside)
        views = _views(work, outside, offered)
    return AgentList(agents=agents, outside=views)


@router.get(
    "/{agent_id}",
    summary="How busy an agent is",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def find_agent(agent_id: GivenAgentId, parts: GivenParts) -> AgentDetail:
    """One of the fleet's, with the outside agents of its role, or an outside agent."""
    with parts.database.transaction() as work:
        if parts.agents.named(agent_id) is not None:
            outside = OutsideAgents(work).list(role=agent_id)
        else:
            outside = [_known(work, agent_id)]
        agents, offered = _fleet(work, parts, outside)
        views = _views(work, outside, offered)
    return AgentDetail(
        agent_id=agent_id,
        fleet=next((agent for agent in agents if agent.agent_id == agent_id), None),
        outside=views,
    )


def _known(work: UnitOfWork, agent_id: str) -> OutsideAgent:
    found = OutsideAgents(work).find(agent_id)
    if found is None:
        raise unknown("agent", agent_id)
    return found


def _drained(parts: Parts, agent_id: str, caller: Key, actor: str) -> OutsideAgentView:
    with parts.database.transaction() as work:
        _known(work, agent_id)
        if Scope.TASKS not in caller.scopes:
            require_own(caller, agent_id)
        OutsideAgents(work).drain(agent_id)
        SystemAudit(work).write(actor, "agent_drained", {"agent_id": agent_id})
        found = _known(work, agent_id)
        _, offered = _fleet(work, parts, [found])
        (view,) = _views(work, [found], offered)
    return view


def _role(caller: Key, body: AgentRegistered, fleet: FleetAgents) -> str:
    """Whose steps an agent performs: what its name begins with, unless it says so and may."""
    if body.role is None:
        admin = Scope.ADMIN in caller.scopes
        role = body.agent_id.partition(".")[0] if admin else caller.agent_id
        if len(role) > _LONGEST_ROLE:
            raise invalid([("role", "is needed: what the agent_id begins with is too long for one")])
        return role
    if body.role in SCOPES_OF_ROLE:
        needed = SCOPES_OF_ROLE[body.role] - caller.scopes
        if needed and Scope.ADMIN not in caller.scopes:
            raise Refusal(
                Code.FORBIDDEN,
                f"the role {body.role} needs a key with the scopes {', '.join(sorted(needed))}",
            )
        return body.role
    foreign = body.role != caller.agent_id and fleet.named(caller.agent_id) is not None
    if foreign and Scope.ADMIN not in caller.scopes:
        raise Refusal(Code.FORBIDDEN, f"this key performs the steps of '{caller.agent_id}' only")
    return body.role


def _fleet(
    work: UnitOfWork, parts: Parts, outside: Sequence[OutsideAgent]
) -> tuple[list[FleetAgent], dict[str, int]]:
    """The fleet's agents, and how many manual steps wait for outside agents of each role."""
    fleet = parts.agents
    steps, seen = loads(work, fleet.queues), workers(work, fleet.queues)
    agents = [
        FleetAgent(
            agent_id=one.key_owner,
            name=one.name,
            role=one.key_owner,
            status=_fleet_status(one, seen[one.name]),
            current_tasks=steps[one.name].leased,
            **_share(steps[one.name].leased, one.concurrency * parts.engine.limits.largest_batch),
            total_assigned=None,
            queue=one.name,
            steps=steps[one.name],
            workers=seen[one.name],
            outside=sum(agent.alive and agent.role == one.key_owner for agent in outside),
        )
        for one in fleet
        if one.has_key
    ]
    return agents, {agent.agent_id: agent.steps.offered for agent in agents}


def _fleet_status(agent: Agent, seen: WorkersView) -> AgentStatus:
    if not seen.connections:
        return "offline"
    return "busy" if seen.at_work >= agent.concurrency else "active"


def _share(held: int, most: int) -> dict[str, Any]:
    return {"max_concurrent": most, "load_percentage": round(100 * held / most, 1)}


def _views(
    work: UnitOfWork, agents: Sequence[OutsideAgent], offered: Mapping[str, int]
) -> list[OutsideAgentView]:
    held = Offers(work).held([agent.agent_id for agent in agents])
    return [_view(agent, held, offered) for agent in agents]


def _view(agent: OutsideAgent, held: Mapping[str, int], offered: Mapping[str, int]) -> OutsideAgentView:
    current = held.get(agent.agent_id, 0)
    return OutsideAgentView(
        agent_id=agent.agent_id,
        name=agent.name or agent.agent_id,
        role=agent.role,
        status=state_of(agent, held).value,
        current_tasks=current,
        **_share(current, agent.most_at_once),
        total_assigned=agent.assigned,
        alive=agent.alive,
        working_on=agent.working_on,
        most_at_once=agent.most_at_once,
        load=round(agent.load, 3),
        capabilities=list(agent.capabilities),
        offered=offered.get(agent.role, 0),
        registered_at=agent.registered_at,
        heartbeat_at=agent.heartbeat_at,
        metadata=dict(agent.metadata),
    )
