"""Webhook messages: which event becomes which message, and when a failed one is retried. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import orjson

from runtime.mask import mask_json, mask_text
from runtime.names import shown_id
from schemas.core.form import in_utc
from schemas.core.language import Language
from schemas.outbound.event_types import MessageType
from schemas.outbound.product_events import title_of
from statemachine.orders.states import State
from storage.outbound.subscribers import SubscribedEvent

SOURCES: Final[Mapping[str, MessageType]] = MappingProxyType(
    {
        "task_closed": MessageType.CLOSED,
        "review_opened": MessageType.REVIEW_OPENED,
        "review_decided": MessageType.REVIEW_DECIDED,
        "task_rejected": MessageType.REJECTED,
        # An action that leaves the order waiting for its follow-up; others are no news for upstream.
        "action_executed": MessageType.WAITING,
    }
)
"""The one table: which event, as tasks tell it, is which message."""

PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200))
"""The waits after the first, second, … failed try; the last one repeats until the day is over."""

_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage:
    """A webhook message; `payload` is its body as JSON."""

    event_id: int
    task_id: str | None
    type: MessageType
    payload: Mapping[str, Any]


def events_for(chosen: Collection[str]) -> list[str]:
    """The events that may become one of the chosen messages."""
    return [event for event, message in SOURCES.items() if message in chosen]


def message_of(happening: SubscribedEvent) -> EventMessage | None:
    """Return the message of an event; `None` when upstream gets none. Holds no phone number."""
    kind = SOURCES.get(happening.event_type)
    if kind is None or (kind is MessageType.WAITING and happening.state != State.WAITING_FOLLOWUP):
        return None
    closed = happening.state == State.CLOSED
    next_contact = None if closed else happening.next_contact_time
    task_id = happening.task_id
    further: dict[str, object] = {}
    if kind is MessageType.REJECTED:
        if task_id is not None and happening.state is None:
            # What a refused input calls its task may be anything, a phone number too; an order's id is its id.
            task_id = shown_id(task_id)
        further = {"problems": mask_json(happening.problems or [])}
    return EventMessage(
        event_id=happening.event_id,
        task_id=task_id,
        type=kind,
        payload={
            "type": kind.value,
            "timestamp": in_utc(happening.at),
            "data": {
                "task_id": task_id,
                "order_id": happening.order_id,
                "execution_id": happening.execution_id,
                "event_id": happening.event_id,
                "trace_id": happening.trace_id,
                "event": happening.event_type,
                "status": happening.status,
                "state": happening.state,
                "finish_reason": happening.finish_reason if closed else None,
                "next_contact_time": None if next_contact is None else in_utc(next_contact),
                "title": mask_text(title_of(happening.title, happening.parameters, Language.CHINESE)),
                **further,
            },
        },
    )


def ping(at: datetime) -> Mapping[str, Any]:
    """The payload by which a subscriber is tried out at this moment."""
    return {"type": "ping", "timestamp": in_utc(at), "data": {}}


def body_of(payload: Mapping[str, Any]) -> bytes:
    """The body of a message: the same bytes at every try, whichever process sends it."""
    return orjson.dumps({key: payload[key] for key in ("type", "timestamp", "data")})


def pause_after(
    tries: int, retry_after_seconds: float | None, chance: float, pauses: tuple[timedelta, ...] = PAUSES
) -> timedelta:
    """The wait after so many failed tries (≥ 1), a fifth shorter or longer as `chance` (0 to 1) has it.

    It is never shorter than what the receiver asked for.
    """
    pause = pauses[min(tries, len(pauses)) - 1] * (1 - _JITTER + 2 * _JITTER * chance)
    return max(pause, timedelta(seconds=retry_after_seconds or 0))
