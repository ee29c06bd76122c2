"""Outside agents ask for steps and report on them: who may have what, and what is kept of late reports."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine import outside
from engine.engine import Engine
from engine.outcomes import Done, Failed, TryAgain
from engine.outside import AgentCapacity, Poll, StepReport, StepResult
from runtime.mask import mask_json
from statemachine.workflow.agent_states import AgentState, seen
from storage.access.system_audit import SystemAudit
from storage.core.bulk import dump_json
from storage.core.unit_of_work import UnitOfWork
from storage.engine.offers import OfferedStep, Offers, Taker
from storage.flows.agents import OutsideAgent, OutsideAgents

LATE_REPORT: Final = "outside_report_late"
"""What the installation's audit log calls a report on a step that its sender no longer held."""
_LARGEST_EVIDENCE: Final = 4_096
"""Characters of JSON that are kept of a late report; of a longer one its digest."""


@dataclass(frozen=True, slots=True)
class WorkRequest:
    """An agent that asks for at most so many steps."""

    agent_id: str
    most: int
    is_new: bool = True
    """Whether it asks for the first time: one that waits on has said that it lives when it began to."""


@dataclass(frozen=True, slots=True)
class GivenWork:
    """What an agent is given, with how it stands."""

    state: AgentState | None
    """`None`: it is not registered."""
    steps: Sequence[OfferedStep] = ()

    @property
    def is_final(self) -> bool:
        """Whether waiting longer could not bring more."""
        return bool(self.steps) or self.state in (None, AgentState.DRAINING, AgentState.OFFLINE)


def give(engine: Engine, requests: Sequence[WorkRequest]) -> list[GivenWork]:
    """Give these agents what they may have, in their order: one look for all of them, under their locks."""
    ids = [request.agent_id for request in requests]
    with engine.database.transaction() as work:
        agents = OutsideAgents(work).several(ids, lock=True)
        # After the lock: what another process gave them before it is counted.
        polls = _polls(requests, agents, Offers(work).held(ids))
        taken = outside.claim(work, list(polls.values()), engine.limits.outside_lease_seconds)
        by_request = {place: taken[nth] for nth, place in enumerate(polls) if nth in taken}
        counted = Counter({request.agent_id: 0 for request in requests if request.is_new})
        for place, steps in by_request.items():
            counted[ids[place]] += len(steps)
        OutsideAgents(work).note_polls(counted)
        held = Offers(work).held(ids)
    return [
        GivenWork(_state(agents.get(agent_id), held), by_request.get(place, ()))
        for place, agent_id in enumerate(ids)
    ]


def nothing_for(engine: Engine, requests: Sequence[WorkRequest]) -> list[GivenWork] | None:
    """How these agents stand that wait in vain, seen without a lock; `None` where `give` would answer one of them."""
    ids = [request.agent_id for request in requests]
    with engine.database.looks() as work:
        agents = OutsideAgents(work).several(ids)
        held = Offers(work).held(ids)
        polls = _polls(requests, agents, held)
        outside.distribute(work, list(polls.values()))
    if len(polls) < len(requests) or any(poll.given for poll in polls.values()):
        return None
    return [GivenWork(_state(agents.get(agent_id), held)) for agent_id in ids]


def offered(work: UnitOfWork, agent: OutsideAgent, most: int) -> list[OfferedStep]:
    """The most urgent steps that this agent could be given; it is given none of them."""
    found = [offer.step_id for offer in Offers(work).fitting([_taker(agent)], most)]
    steps = Offers(work).look(found)
    return [steps[step_id] for step_id in found if step_id in steps]


def report(engine: Engine, reports: Sequence[StepReport]) -> list[StepResult]:
    """Record what agents say of their steps, in their order; of two about one step the first."""
    first = {each.step_id: each for each in reversed(reports)}
    results = outside.record(engine, first, _keep_evidence)
    return [
        results[each.step_id]
        if first[each.step_id] is each
        else outside.record(engine, {each.step_id: each}, _keep_evidence)[each.step_id]
        for each in reports
    ]


def renew(
    engine: Engine,
    step_id: int,
    lease_id: str,
    *,
    progress: Mapping[str, Any] | None,
    speaks_for: Callable[[str], bool],
) -> bool:
    """Prolong the lease of a step, and keep what is said of how far it is; whether it was cancelled instead.

    Raises:
        ForeignLease, LeaseLost, UnknownStep: nothing was changed.
    """
    with engine.database.transaction() as work:
        holder = outside.renew(
            work,
            step_id,
            lease_id,
            seconds=engine.limits.outside_lease_seconds,
            progress=progress,
            speaks_for=speaks_for,
        )
        if holder is not None:
            OutsideAgents(work).note_polls({holder: 0})
    return holder is None


def state_of(agent: OutsideAgent, held: Mapping[str, int], *, asks: bool = False) -> AgentState:
    """How an agent stands, given how many steps each agent holds; one that asks for work is not silent."""
    return seen(
        agent.status,
        held=held.get(agent.agent_id, 0),
        most=agent.most_at_once,
        working_on=agent.working_on,
        silent=not (agent.alive or asks),
    )


def _polls(
    requests: Sequence[WorkRequest], agents: Mapping[str, OutsideAgent], held: Mapping[str, int]
) -> dict[int, Poll]:
    """The polls of those who may be given anything, by the place of the request; those of one agent share its room."""
    capacities = {
        agent_id: AgentCapacity(held.get(agent_id, 0), agent.most_at_once)
        for agent_id, agent in agents.items()
        if agent.status not in (AgentState.DRAINING, AgentState.OFFLINE)
    }
    return {
        place: Poll(
            taker=_taker(agents[request.agent_id]),
            most=request.most,
            capacity=capacities[request.agent_id],
        )
        for place, request in enumerate(requests)
        if request.agent_id in capacities
    }


def _state(agent: OutsideAgent | None, held: Mapping[str, int]) -> AgentState | None:
    return None if agent is None else state_of(agent, held, asks=True)


def _taker(agent: OutsideAgent) -> Taker:
    return Taker(agent_id=agent.agent_id, role=agent.role, capabilities=agent.capabilities)


def _keep_evidence(work: UnitOfWork, late: StepReport) -> None:
    """Keep what was said of a step that its sender no longer held: something may have been done outside."""
    said = _said(late)
    text = dump_json(said)
    if len(text) > _LARGEST_EVIDENCE:
        said = {"characters": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    SystemAudit(work).write(
        late.by, LATE_REPORT, {"step_id": late.step_id, "lease_id": late.lease_id, "said": said}
    )


def _said(late: StepReport) -> Any:
    match late.outcome:
        case Done(output=output):
            return mask_json({"output": output})
        case Failed(code=code, message=message) | TryAgain(code=code, message=message):
            return mask_json({"code": code, "message": message})
        case _:
            return {"released": True}
