"""What the outbound side registers with the engine: what sends webhooks and notices, and who writes events."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.effects import NOTHING_REFUSED, EffectRefusal, EffectWriter
from engine.registry import Product
from schemas.outbound.effects import ArtifactKept, ProductEvent
from storage.core.unit_of_work import UnitOfWork
from storage.outbound.artifacts import Artifacts
from storage.outbound.events import Events
from tasks.outbound import notice, webhook
from tasks.outbound.context import OutboundContext


def _append(work: UnitOfWork, effects: Sequence[tuple[int, Any]]) -> Mapping[int, EffectRefusal]:
    Events(work).append([effect for _, effect in effects])
    return NOTHING_REFUSED


def _keep(work: UnitOfWork, effects: Sequence[tuple[int, Any]]) -> Mapping[int, EffectRefusal]:
    Artifacts(work).keep([effect for _, effect in effects])
    return NOTHING_REFUSED


OUTBOUND: Final[Product[OutboundContext]] = Product(
    name="outbound",
    actions=(webhook.ACTION, notice.ACTION),
    writers=(
        EffectWriter(kinds=(ArtifactKept,), write=_keep),
        EffectWriter(kinds=(ProductEvent,), write=_append),
        webhook.WRITER,
        notice.WRITER,
    ),
)
"""Events for every product, and the sending of what other systems and staff are to know of them."""
