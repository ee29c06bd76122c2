"""Gives out slots of limits to those who have waited longest for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engine.transaction import Transaction
from statemachine.workflow.options.limits import WhenFull
from statemachine.workflow.states import RunState
from storage.engine.flow.slots import Slots, WaitingSlot

if TYPE_CHECKING:
    from engine.engine import Engine

_TOGETHER: Final = 500
_NAMES: Final = 100
SKIPPED: Final = "skipped"
"""Why a run has ended that found no slot and was not to wait for one."""


@dataclass(frozen=True, slots=True)
class SlotKeeper:
    """Gives out slots, a name at a time; any number may work at once."""

    engine: "Engine"

    def look(self) -> int:
        """Give out what a crash has left, and what the time of a rate lets go on; how many names there were."""
        with self.engine.database.looks() as work:
            names = Slots(work).open_names(_NAMES)
        self.give(names)
        return len(names)

    def give(self, names: Iterable[str]) -> None:
        """Give out the slots of these names for which there is room."""
        for name in sorted(set(names)):
            self._make_room(name)
            with self.engine.transaction() as transaction:
                _give(transaction, name)

    def _make_room(self, name: str) -> None:
        """End the runs that hold slots, where those who wait are to take their place."""
        with self.engine.database.looks() as work:
            waiting = Slots(work).waiting(name, _TOGETHER)
            taking = [each for each in waiting if each.when_full == WhenFull.CANCEL_RUNNING.value]
            room = Slots(work).room(name) if taking else 0
            holders = Slots(work).holders(name, len(taking) - room) if len(taking) > room else []
        if holders:
            with self.engine.transaction() as transaction:
                transaction.end(
                    holders,
                    RunState.CANCELLED,
                    agent_id="orchestrator",
                    reason="another run takes its place (when_full: cancel_running)",
                )


def _give(transaction: Transaction, name: str) -> None:
    slots = Slots(transaction.work)
    slots.hold(name)
    waiting = slots.waiting(name, _TOGETHER)
    room = slots.room(name) if waiting else 0
    transaction.give_slots(waiting[:room])
    skipping = [each for each in waiting[room:] if each.when_full == WhenFull.SKIP.value]
    if skipping:
        transaction.end(_runs(skipping), RunState.CANCELLED, agent_id="orchestrator", reason=SKIPPED)


def _runs(slots: Iterable[WaitingSlot]) -> list[str]:
    return [each.run_id for each in slots]
