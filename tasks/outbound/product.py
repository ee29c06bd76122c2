"""What the outbound side registers with the engine: who writes the events that people watch."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.effects import NOTHING_REFUSED, EffectWriter, Refusal
from engine.registry import Product
from schemas.outbound.effects import ProductEvent
from storage.core.unit_of_work import UnitOfWork
from storage.outbound.events import Events


def _append(work: UnitOfWork, effects: Sequence[tuple[int, Any]]) -> Mapping[int, Refusal]:
    Events(work).append([effect for _, effect in effects])
    return NOTHING_REFUSED


OUTBOUND: Final[Product[None]] = Product(
    name="outbound", writers=(EffectWriter(kinds=(ProductEvent,), write=_append),)
)
"""Events, for every product."""
