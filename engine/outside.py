"""Steps that outside agents do: given to those who ask, renewed, and recorded as any worker's results are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.engine import Engine
from engine.outcomes import Outcome, Snooze
from runtime.clock import Clock
from runtime.ids import Prefix, new_id
from schemas.core.agents import OUTSIDE
from statemachine.workflow.states import StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.offers import Offer, OfferClaim, OfferedStep, Offers, Taker
from storage.engine.steps import StepRow

_MOST_AT_A_LOOK: Final = 500
"""Offered steps that are looked at together."""


class LeaseLost(Exception):
    """The step is no longer under this lease: it has run out, or the step was cancelled; nothing was changed."""

    def __init__(self, step_id: int, state: StepState) -> None:
        self.step_id = step_id
        self.state = state
        self.cancelled = state is StepState.CANCELLED
        super().__init__(
            f"step {step_id} is {state.value} and no longer under this lease; nothing was changed"
        )


class ForeignLease(PermissionError):
    """The lease is held by an agent for which the caller does not speak."""


class UnknownStep(LookupError):
    """There is no such step of outside agents."""

    def __init__(self, step_id: int) -> None:
        super().__init__(f"there is no step '{step_id}' that outside agents do")


@dataclass(slots=True)
class AgentCapacity:
    """How many steps an agent holds of the most it may hold; its polls share it."""

    held: int
    most: int

    @property
    def load(self) -> float:
        """The share in use."""
        return self.held / self.most


@dataclass(slots=True, kw_only=True)
class Poll:
    """An agent that asks for work; what it is given is counted here."""

    taker: Taker
    most: int
    """Steps it asks for."""
    capacity: AgentCapacity
    given: list[int] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Steps it may still be given."""
        return min(self.most - len(self.given), self.capacity.most - self.capacity.held)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What an agent says of a step that it was given."""

    step_id: int
    lease_id: str
    outcome: Outcome | None
    """`None`: it gives the step back."""
    speaks_for: Callable[[str], bool]
    """Whether whoever reports speaks for this agent."""
    by: str
    """Whose key it was reported with."""


StepResult = StepState | LeaseLost | ForeignLease | UnknownStep
"""The state of a step after a report, or why nothing was recorded."""


def distribute(work: UnitOfWork, polls: Sequence[Poll]) -> None:
    """Give offered steps to those who ask, most urgent first, each to whoever has the lowest load and may have it.

    It is a proposal until it is claimed. What only one of them may have never hides what another may have.
    """
    given: set[int] = set()
    while asking := [poll for poll in polls if poll.room > 0]:
        limit = min(sum(poll.room for poll in asking), _MOST_AT_A_LOOK)
        offers = Offers(work).fitting([poll.taker for poll in asking], limit, but=given)
        before = len(given)
        for offer in offers:
            chosen = _lowest_load(asking, offer)
            if chosen is not None:
                chosen.given.append(offer.step_id)
                chosen.capacity.held += 1
                given.add(offer.step_id)
        if len(offers) < limit or len(given) == before:
            return


def claim(work: UnitOfWork, polls: Sequence[Poll], seconds: float) -> dict[int, list[OfferedStep]]:
    """Put what was distributed under leases, by the place of the poll; a step that somebody else took is left out."""
    distribute(work, polls)
    places = {step_id: place for place, poll in enumerate(polls) for step_id in poll.given}
    if not places:
        return {}
    claims = [
        OfferClaim(step_id, new_id(Prefix.LEASE), polls[place].taker.agent_id)
        for step_id, place in places.items()
    ]
    taken: dict[int, list[OfferedStep]] = {}
    for step in Offers(work).claim(claims, seconds):
        taken.setdefault(places[step.step.step_id], []).append(step)
    return taken


def record(
    engine: Engine,
    reports: Mapping[int, StepReport],
    keep_evidence: Callable[[UnitOfWork, StepReport], None],
) -> dict[int, StepResult]:
    """Record what agents say of their steps, by the step; of what comes too late only evidence.

    The same again changes nothing and has the same answer.
    """
    with engine.transaction() as transaction:
        given_back = Snooze(
            until=transaction.moments.database_now,
            clock=Clock.DATABASE,
            reason="an outside agent gave it back",
        )
        holders = Offers(transaction.work).holders([report.lease_id for report in reports.values()])
        own = {
            step_id: report
            for step_id, report in reports.items()
            if (holder := holders.get(report.lease_id)) is not None and report.speaks_for(holder)
        }
        lost = transaction.record_leases(
            {step_id: report.lease_id for step_id, report in own.items()},
            {step_id: report.outcome or given_back for step_id, report in own.items()},
            {},
        )
        found = Offers(transaction.work).look(list(reports))
        results: dict[int, StepResult] = {}
        for step_id, report in reports.items():
            if step_id not in found:
                results[step_id] = UnknownStep(step_id)
            elif report.lease_id in holders and step_id not in own:
                results[step_id] = ForeignLease(f"step {step_id} is held by another's agent")
            else:
                results[step_id] = _result(found[step_id].step, report, lost)
                if isinstance(results[step_id], LeaseLost):
                    keep_evidence(transaction.work, report)
    return results


def renew(
    work: UnitOfWork,
    step_id: int,
    lease_id: str,
    *,
    seconds: float,
    progress: Mapping[str, Any] | None,
    speaks_for: Callable[[str], bool],
) -> str | None:
    """Prolong the lease of a step, and keep what is said of how far it is; who holds it, `None`: it was cancelled.

    Raises:
        ForeignLease: another's agent holds it.
        LeaseLost: it is under another lease, or under none.
        UnknownStep: there is no such step.
    """
    holder = Offers(work).holders([lease_id]).get(lease_id)
    if holder is not None and not speaks_for(holder):
        raise ForeignLease(f"step {step_id} is held by another's agent")
    if Offers(work).renew(step_id, lease_id, seconds, progress):
        return holder
    found = Offers(work).look([step_id]).get(step_id)
    if found is None:
        raise UnknownStep(step_id)
    if found.step.state is StepState.CANCELLED and found.step.lease_id == lease_id:
        return None
    raise LeaseLost(step_id, found.step.state)


def work_name(step: StepRow) -> str:
    """What the work of an outside step is called."""
    return (step.action or "").removeprefix(f"{OUTSIDE}.")


def _result(row: StepRow, report: StepReport, lost: Sequence[StepRow]) -> StepResult:
    held_by_it = row.lease_id == report.lease_id and row.state not in (StepState.LEASED, StepState.CANCELLED)
    if held_by_it and row.step_id not in {each.step_id for each in lost}:
        return row.state
    return LeaseLost(row.step_id, row.state)


def _lowest_load(polls: Sequence[Poll], offer: Offer) -> Poll | None:
    may = [
        poll
        for poll in polls
        if poll.room > 0 and offer.wanted.fits(poll.taker.agent_id, poll.taker.role, poll.taker.capabilities)
    ]
    return min(may, key=lambda poll: poll.capacity.load, default=None)
