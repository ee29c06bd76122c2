"""The routes by which an outside agent asks for steps, looks at what there is, and drains."""

import asyncio
import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request

from api.flows.outside.desk import GivenDesk
from api.flows.outside.own_agents import require_own
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from engine.engine import Engine
from engine.outside import work_name
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.flows.agents import AgentId
from schemas.flows.outside_work import GivenStep, OfferedStepView, WorkGiven, WorkOffered, WorkPolled
from storage.core.unit_of_work import UnitOfWork
from storage.engine.offers import OfferedStep
from storage.flows.agents import OutsideAgents
from tasks.flows.outside_work import GivenWork, WorkRequest, offered

router = APIRouter(prefix="/agents", tags=["agents"], route_class=Route)

GivenAgentId = Annotated[AgentId, Path(description="The agent's name on the wire.")]
_MOST_SHOWN: Final = 50
"""Offered steps that are looked at."""


@router.post(
    "/{agent_id}/poll",
    summary="Ask for steps to do",
    dependencies=[requires(Scope.ACTIONS, repeatable=True)],
    responses=documented(Code.NOT_FOUND),
)
async def poll_for_work(
    agent_id: GivenAgentId,
    body: WorkPolled,
    parts: GivenParts,
    desk: GivenDesk,
    caller: Caller,
    request: Request,
) -> WorkGiven:
    """The most urgent steps that fit the agent, each under a lease; waits for the first where there is none.

    Of several agents that wait, the one with the lowest load is given a step. It is sign of life, too.
    """
    require_own(caller, agent_id)
    began = time.perf_counter()
    asked = WorkRequest(agent_id, body.max)
    given = await desk.ask(asked, body.wait_seconds, owner=caller.agent_id, gone=request.is_disconnected)
    # How long somebody waited says nothing of how fast the answer came.
    request.state.waited_seconds = time.perf_counter() - began
    if given.state is None:
        raise unknown("agent", agent_id)
    steps = await asyncio.to_thread(_given, parts.engine, given) if given.steps else []
    return WorkGiven(agent_id=agent_id, status=given.state.value, steps=steps)


@router.get(
    "/{agent_id}/offered",
    summary="What an agent could be given",
    dependencies=[requires(Scope.ACTIONS)],
    responses=documented(Code.NOT_FOUND),
)
def list_offered(agent_id: GivenAgentId, parts: GivenParts, caller: Caller) -> WorkOffered:
    """Up to 50 steps, most urgent first, whether the agent has room for them or not; none is given."""
    require_own(caller, agent_id)
    with parts.database.transaction() as work:
        agent = OutsideAgents(work).find(agent_id)
        if agent is None:
            raise unknown("agent", agent_id)
        steps = offered(work, agent, _MOST_SHOWN)
    return WorkOffered(agent_id=agent_id, steps=[OfferedStepView(**_shown(step)) for step in steps])


def _given(engine: Engine, given: GivenWork) -> list[GivenStep]:
    """The steps as they are answered, with what their definitions name for them."""
    with engine.database.looks() as work:
        return [_given_step(engine, work, each) for each in given.steps]


def _given_step(engine: Engine, work: UnitOfWork, given: OfferedStep) -> GivenStep:
    step = given.step
    written = engine.catalogue.version(work, step.workflow, step.version).steps[step.node]
    return GivenStep(
        **_shown(given),
        lease_id=step.lease_id,
        lease_seconds=engine.limits.outside_lease_seconds,
        parameters=dict(written.parameters),
        idempotency_key=f"{step.run_id}.{step.step_id}",
        delivery=step.delivery,
        progress=given.progress,
    )


def _shown(given: OfferedStep) -> dict[str, Any]:
    step = given.step
    return {
        "step_id": step.step_id,
        "action": work_name(step),
        "task_id": step.subject_id or step.run_id,
        "workflow": step.workflow,
        "node": step.node,
        "priority": step.priority,
        "input": dict(step.input),
    }
