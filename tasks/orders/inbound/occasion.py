"""A signal with everything its handling needs, under the lock of the task's run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.transaction import Transaction
from schemas.core.effects import Effect
from schemas.orders.signals import Said, Signal
from storage.engine.runs import RunRow
from storage.orders.order import Order
from storage.people.reviews import Review, Reviews
from tasks.orders.rules.context import Context

Said_co = TypeVar("Said_co", bound=Said, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOccasion(Generic[Said_co]):
    """A signal to an order; the run is locked, so the order stands as read until the transaction ends."""

    transaction: Transaction
    context: Context
    signal: Signal
    said: Said_co
    order: Order
    run: RunRow
    retries_soon: bool
    """Whether another try follows soon when something is at work in the order."""

    def open_review(self) -> Review | None:
        """The question to a person that is open about the order."""
        return Reviews(self.transaction.work).open_of(self.order.task_id)

    def write(self, effects: Sequence[Effect]) -> None:
        """Write effects.

        Raises:
            IllegalTransition: the order's state does not allow one of them; nothing may be committed.
        """
        self.transaction.write(effects)
