"""Steps that outside agents do: given to those who ask, renewed, and recorded as any worker's results are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.engine import Engine
from engine.outcomes import Outcome
from runtime.ids import Prefix, new_id
from statemachine.workflow.states import StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.offers import Claim, Offer, OfferedStep, Offers, Taker

_MOST_AT_A_LOOK: Final = 500
"""Offered steps that are looked at together."""


class LeaseLost(Exception):
    """The step is no longer under this lease: it has run out, or the step was cancelled; nothing was changed."""

    def __init__(self, step_id: int, state: StepState) -> None:
        self.step_id = step_id
        self.state = state
        super().__init__(f"step {step_id} is {state.value} and no longer under this lease")


class UnknownStep(LookupError):
    """There is no such step of an outside agent."""


@dataclass(slots=True, kw_only=True)
class Poll:
    """An agent that asks for work; what it is given is counted here."""

    taker: Taker
    most: int
    """Steps it asks for."""
    standing: "Standing"
    given: list[int] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Steps it may still be given."""
        return min(self.most - len(self.given), self.standing.most - self.standing.held)


@dataclass(slots=True)
class Standing:
    """How many steps an agent holds of the most it may hold; its polls share it."""

    held: int
    most: int

    @property
    def load(self) -> float:
        """The share of its capacity in use."""
        return self.held / self.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an agent says of a step that it was given."""

    step_id: int
    lease_id: str
    outcome: Outcome


def distribute(work: UnitOfWork, polls: Sequence[Poll]) -> None:
    """Give offered steps to those who ask, most urgent first, each to whoever has the lowest load and may have it.

    It is a proposal until it is claimed. Those who are satisfied no longer hide from the others what only they may have.
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
                chosen.standing.held += 1
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
        Claim(step_id, new_id(Prefix.LEASE), polls[place].taker.agent_id) for step_id, place in places.items()
    ]
    taken: dict[int, list[OfferedStep]] = {}
    for step in Offers(work).claim(claims, seconds):
        taken.setdefault(places[step.step.step_id], []).append(step)
    return taken


def record(engine: Engine, reports: Sequence[Report]) -> dict[int, StepState | LeaseLost]:
    """Record what agents say of their steps; the state of each step after that, or why it was not recorded.

    The same again changes nothing and has the same answer.
    """
    leases = {report.step_id: report.lease_id for report in reports}
    outcomes = {report.step_id: report.outcome for report in reports}
    with engine.transaction() as transaction:
        lost = {row.step_id: row for row in transaction.record_leases(leases, outcomes, {})}
        found = Offers(transaction.work).look(list(leases))
    return {
        step_id: LeaseLost(step_id, found[step_id].step.state) if step_id in lost else found[step_id].step.state
        for step_id in leases
        if step_id in found
    }


def renew(
    work: UnitOfWork, step_id: int, lease_id: str, seconds: float, progress: Mapping[str, Any] | None
) -> bool:
    """Prolong the lease of a step; whether the step was cancelled instead.

    Raises:
        LeaseLost: it is under another lease, or under none.
        UnknownStep: there is no such step.
    """
    if Offers(work).renew(step_id, lease_id, seconds, progress):
        return False
    found = Offers(work).look([step_id]).get(step_id)
    if found is None:
        raise UnknownStep(f"there is no step {step_id}")
    if found.step.state is StepState.CANCELLED and found.step.lease_id == lease_id:
        return True
    raise LeaseLost(step_id, found.step.state)


def _lowest_load(polls: Sequence[Poll], offer: Offer) -> Poll | None:
    may = [
        poll
        for poll in polls
        if poll.room > 0
        and offer.wanted.fits(poll.taker.agent_id, poll.taker.role, poll.taker.capabilities)
    ]
    return min(may, key=lambda poll: poll.standing.load, default=None)
