"""Slots that the steps of a transaction ask for and give back."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.flow.rows import Pending
from statemachine.workflow import planner
from statemachine.workflow.options.limits import WhenFull
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.new_steps import InsertedStep
from storage.engine.flow.slots import NewSlot, Slots

_LONGEST_KEY: Final = 200


@dataclass(slots=True)
class SlotRequests:
    """Asks for slots, and gives them back; they are given out once this is committed."""

    work: UnitOfWork
    names: set[str] = field(default_factory=set)
    """The names of which somebody waits, or which have room, by this transaction."""

    def ask(self, written: Sequence[tuple[InsertedStep, Pending]]) -> None:
        """Ask for the slots that those of these rows need that need one."""
        new = [
            each
            for row, pending in written
            if pending.entered is not None and pending.entered.slot is not None
            for each in (_slot(row, pending),)
        ]
        if new:
            Slots(self.work).ask(new)
            self.names |= {each.name for each in new}

    def release_steps(self, step_ids: Sequence[int]) -> None:
        """Give back what these steps held, which have ended."""
        if step_ids:
            self.names |= Slots(self.work).release_steps(step_ids)


def _slot(row: InsertedStep, pending: Pending) -> NewSlot:
    entered, run = pending.entered, pending.run
    assert entered is not None, "only what is entered asks for a slot"
    request = entered.slot
    assert request is not None, "only what needs one asks for a slot"
    of_run = pending.step.id == planner.SLOT.id
    key = request.key
    if len(key) > _LONGEST_KEY:
        key = hashlib.sha256(key.encode()).hexdigest()
    return NewSlot(
        name=f"{run.workflow.name}/{'' if of_run else pending.step.id}/{key}",
        run_id=run.run_id,
        step_id=row.step_id,
        of_run=of_run,
        most=None if request.concurrency is None else request.concurrency.limit,
        when_full=WhenFull.QUEUE if request.concurrency is None else request.concurrency.when_full,
        rate=None if request.rate is None else request.rate.limit,
        rate_seconds=None if request.rate is None else request.rate.seconds,
    )
