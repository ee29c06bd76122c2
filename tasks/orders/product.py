"""Registers suspended orders with the engine: actions, effect writers, endings."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.effects import NOTHING_REFUSED, EffectRefusal, EffectWriter
from engine.registry import Product
from schemas.orders.effects import ActionTaken, Audit, ContactNoted, DoNotCallAdded, OrderNoted
from statemachine.orders.machine import IllegalTransition
from statemachine.orders.purposes import NEEDS
from storage.core.unit_of_work import UnitOfWork
from storage.orders import effects
from storage.orders.actions import Actions
from storage.orders.contacts.contacts import Contacts
from storage.orders.contacts.do_not_call import DoNotCall
from storage.orders.orders import Orders
from storage.orders.places import NoPlaceLeft
from storage.orders.timeline import Timeline
from tasks.orders.agents import action, audit, contact, orchestrator, triage
from tasks.orders.intake.intake import TRIGGER
from tasks.orders.rules.context import Context


def _move(work: UnitOfWork, given: Sequence[tuple[int, Any]]) -> Mapping[int, EffectRefusal]:
    """Of two appointments for one place the second is made anew; an illegal move cannot be."""
    return {
        step_id: EffectRefusal(error=error, again=isinstance(error, NoPlaceLeft))
        for step_id, error in effects.move(work, given).items()
    }


def _each(
    write: Callable[[UnitOfWork, list[Any]], None],
) -> Callable[[UnitOfWork, Sequence[tuple[int, Any]]], Mapping[int, EffectRefusal]]:
    """A writer that refuses nothing and does not ask whose step an effect is."""

    def write_all(work: UnitOfWork, given: Sequence[tuple[int, Any]]) -> Mapping[int, EffectRefusal]:
        write(work, [effect for _, effect in given])
        return NOTHING_REFUSED

    return write_all


ORDERS: Final[Product[Context]] = Product(
    name="orders",
    triggers=frozenset({TRIGGER}),
    needs=NEEDS,
    actions=(
        *orchestrator.ACTIONS,
        *contact.ACTIONS,
        *triage.ACTIONS,
        *action.ACTIONS,
        *audit.ACTIONS,
    ),
    writers=(
        EffectWriter(kinds=effects.MOVING, write=_move, errors=(IllegalTransition, NoPlaceLeft)),
        EffectWriter(
            kinds=(ContactNoted,),
            write=_each(lambda work, given: Contacts(work).note(given)),
            evidence=_each(lambda work, given: Contacts(work).note(given)),
        ),
        EffectWriter(kinds=(OrderNoted,), write=_each(lambda work, given: Orders(work).note(given))),
        EffectWriter(kinds=(Audit,), write=_each(lambda work, given: Timeline(work).audit(given))),
        EffectWriter(
            kinds=(ActionTaken,),
            write=_each(lambda work, given: Actions(work).record(given)),
            evidence=_each(lambda work, given: Actions(work).keep_evidence(given)),
        ),
        EffectWriter(kinds=effects.CARRIED_OUT, write=_each(effects.keep)),
        EffectWriter(
            kinds=(DoNotCallAdded,), write=_each(lambda work, given: DoNotCall(work).add_all(given))
        ),
    ),
    end_effects=orchestrator.end_effects,
)
"""The first product: suspended service orders."""
