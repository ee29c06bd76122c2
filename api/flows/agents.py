"""The routes of the agent runtime: who works, how busy they are, and outside agents that report (SPEC.md §6)."""

from collections.abc import Sequence
from typing import Annotated, Final, cast

from fastapi import APIRouter, Path

from api.server.authentication import requires
from api.server.errors import documented
from api.server.load import loads, workers
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.scopes import Scope
from schemas.core.agents import Agents as FleetAgents
from schemas.core.error import Code
from schemas.flows.agents import (
    HEARTBEAT_SECONDS,
    AgentDetail,
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
from storage.access.keys import Key
from storage.core.unit_of_work import UnitOfWork
from storage.flows.agents import NewAgent, OutsideAgent, OutsideAgents

router = APIRouter(prefix="/agents", tags=["agents"], route_class=Route)

GivenAgentId = Annotated[AgentId, Path(description="The agent's name on the wire.")]

_LONGEST_ROLE: Final = 32


@router.post(
    "/register",
    summary="Register an outside agent",
    dependencies=[requires(Scope.READ)],
)
def register_agent(body: AgentRegistered, parts: GivenParts, caller: Caller) -> RegistrationTaken:
    """For a program that performs steps over this API. Again is an update; a week of silence, and it is forgotten."""
    _require_own(caller, body.agent_id)
    agent = NewAgent(
        agent_id=body.agent_id,
        role=_role(caller, body, parts.agents),
        registered_by=caller.agent_id,
        capabilities=list(dict.fromkeys(body.capabilities)),
        most_at_once=body.most_at_once,
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
    _require_own(caller, agent_id)
    with parts.database.transaction() as work:
        known = OutsideAgents(work).heartbeat(agent_id, body.status, body.working_on)
    if not known:
        raise unknown("agent", agent_id)
    return HeartbeatTaken(next_heartbeat_seconds=HEARTBEAT_SECONDS)


@router.get("", summary="Who works", dependencies=[requires(Scope.READ)])
def list_agents(parts: GivenParts) -> AgentList:
    """The fleet's five agents with their queues and workers, and up to 500 outside agents."""
    with parts.database.transaction() as work:
        outside = OutsideAgents(work).list()
        agents, offered = _fleet(work, parts.agents, outside)
    return AgentList(agents=agents, outside=[_view(agent, offered) for agent in outside])


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
            found = OutsideAgents(work).find(agent_id)
            if found is None:
                raise unknown("agent", agent_id)
            outside = [found]
        agents, offered = _fleet(work, parts.agents, outside)
    return AgentDetail(
        agent_id=agent_id,
        fleet=next((agent for agent in agents if agent.agent_id == agent_id), None),
        outside=[_view(agent, offered) for agent in outside],
    )


def _require_own(caller: Key, agent_id: str) -> None:
    """Refuse to let a key speak for another's agent."""
    own = agent_id == caller.agent_id or agent_id.startswith(f"{caller.agent_id}.")
    if not own and Scope.ADMIN not in caller.scopes:
        raise Refusal(
            Code.FORBIDDEN, f"this key speaks for '{caller.agent_id}' and for '{caller.agent_id}.…' only"
        )


def _role(caller: Key, body: AgentRegistered, fleet: FleetAgents) -> str:
    """Whose steps an agent performs: what its name begins with, unless it says so and may."""
    if body.role is None:
        admin = Scope.ADMIN in caller.scopes
        role = body.agent_id.partition(".")[0] if admin else caller.agent_id
        if len(role) > _LONGEST_ROLE:
            raise invalid([("role", "is needed: what the agent_id begins with is too long for one")])
        return role
    foreign = body.role != caller.agent_id and fleet.named(caller.agent_id) is not None
    if foreign and Scope.ADMIN not in caller.scopes:
        raise Refusal(Code.FORBIDDEN, f"this key performs the steps of '{caller.agent_id}' only")
    return body.role


def _fleet(
    work: UnitOfWork, fleet: FleetAgents, outside: Sequence[OutsideAgent]
) -> tuple[list[FleetAgent], dict[str, int]]:
    """The fleet's agents, and how many steps wait for outside agents of each role."""
    steps, seen = loads(work, fleet.queues), workers(work, fleet.queues)
    agents = [
        FleetAgent(
            agent_id=one.key_owner,
            queue=one.name,
            steps=steps[one.name],
            workers=seen[one.name],
            outside=sum(agent.alive and agent.role == one.key_owner for agent in outside),
        )
        for one in fleet
        if one.has_key
    ]
    return agents, {agent.agent_id: agent.steps.offered for agent in agents}


def _view(agent: OutsideAgent, offered: dict[str, int]) -> OutsideAgentView:
    return OutsideAgentView(
        agent_id=agent.agent_id,
        role=agent.role,
        alive=agent.alive,
        status=cast("AgentStatus", agent.status),
        working_on=agent.working_on,
        most_at_once=agent.most_at_once,
        load=round(agent.load, 3),
        capabilities=list(agent.capabilities),
        offered=offered.get(agent.role, 0),
        registered_at=agent.registered_at,
        heartbeat_at=agent.heartbeat_at,
        metadata=dict(agent.metadata),
    )
