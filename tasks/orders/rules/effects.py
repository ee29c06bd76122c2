"""Writing effects outside a step, in a transaction that changes an order."""

from collections.abc import Sequence

from engine.transaction import Transaction
from schemas.orders.effects import Effect
from storage.orders.effects import Effects


def write_effects(transaction: Transaction, effects: Sequence[Effect]) -> None:
    """Write effects that belong to no step.

    Raises:
        IllegalTransition: an order's state does not allow one of them; nothing may be committed.
    """
    for refusal in Effects(transaction.work).apply([(0, effect) for effect in effects]).values():
        raise refusal
