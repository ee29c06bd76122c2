"""The checker: what must be true once everything rests, whatever was struck on the way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.chaos.checks.contacts import violations_of_contacts
from bench.chaos.checks.rescues import JudgedRescue, RescueCause, judge
from bench.chaos.customers import ChaosOrder
from bench.chaos.faults.journal import FaultRecord
from bench.chaos.lives import Lives
from bench.chaos.producers import SentOrders
from fleet.simulator.ledger import KeyCount
from storage.core.unit_of_work import UnitOfWork
from storage.orders.consistency.ledger import WholeLedger
from storage.orders.consistency.rescues import RescueLog
from storage.orders.consistency.violations import Consistency, Violation
from storage.orders.orders import Orders

LOST: Final = "an order that was sent is there"
REFUSED: Final = "a good order is accepted"
UNACCOUNTED: Final = "every order is closed, open, or waits for a person"
OTHER_END: Final = "an order is closed for what its customer did"
FALSE_RESCUE: Final = "a step is rescued from a holder that is gone"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the checker found."""

    violations: tuple[Violation, ...]
    rescues: tuple[JudgedRescue, ...]


def check(
    work: UnitOfWork,
    *,
    orders: Sequence[ChaosOrder],
    sent: SentOrders,
    ledger: Sequence[KeyCount],
    faults: Sequence[FaultRecord],
    lives: Lives,
    lease_seconds: float,
) -> Judgement:
    """Judge a fleet at rest."""
    rescues = tuple(judge(each, faults, lives, lease_seconds) for each in RescueLog(work).all())
    violations = [
        *Consistency(work).violations(),
        *_lost(work, sent),
        *_unaccounted(work),
        *_other_ends(work, orders),
        *violations_of_contacts(Consistency(work).contact_keys(), ledger),
        *_false(rescues),
    ]
    return Judgement(tuple(sorted(violations)), rescues)


def _lost(work: UnitOfWork, sent: SentOrders) -> Iterator[Violation]:
    for task_id in Consistency(work).missing(sent.times):
        yield Violation(LOST, task_id, f"sent {sent.times[task_id]} times, and it is not there")
    for task_id in Consistency(work).rejected(sent.times):
        yield Violation(REFUSED, task_id, "it is kept as rejected")
    for task_id, said in sent.refused.items():
        yield Violation(REFUSED, task_id, said)


def _unaccounted(work: UnitOfWork) -> Iterator[Violation]:
    ledger = WholeLedger(work).look()
    if ledger.unaccounted:
        yield Violation(UNACCOUNTED, "", f"{ledger.unaccounted} orders are none of these")


def _other_ends(work: UnitOfWork, orders: Sequence[ChaosOrder]) -> Iterator[Violation]:
    found = Orders(work).find([order.task_id for order in orders])
    for order in orders:
        known = found.get(order.task_id)
        reason = known.finish_reason if known else None
        if reason is not None and reason not in order.customer.reasons:
            yield Violation(
                OTHER_END, order.task_id, f"closed as {reason}; its customer {order.customer.name}"
            )


def _false(rescues: Sequence[JudgedRescue]) -> Iterator[Violation]:
    for judged in rescues:
        if judged.cause is RescueCause.NONE:
            rescue = judged.rescue
            yield Violation(
                FALSE_RESCUE,
                rescue.subject_id or str(rescue.step_id),
                f"step {rescue.step_id} was taken from {rescue.holder or 'a lease that is gone'} at "
                f"{rescue.rescued_at:%H:%M:%S}, which was at work",
            )
