"""An event as it is shown, and the place in the feed that a client sends back."""

from typing import Literal, cast

from api.server.refusal import invalid
from runtime.mask import mask_text
from schemas.core.language import Language
from schemas.outbound.events import EventView, PlacedEvent
from schemas.outbound.product_events import title_of
from storage.outbound.feed import Cursor, Feed, FeedEvent

_Status = Literal["running", "waiting", "ready", "failed"]


def shown(event: FeedEvent, language: Language) -> EventView:
    """The event where its id stands beside it, its title in this language."""
    return EventView(
        event_id=event.event_id,
        event_type=event.event_type,
        task_id=event.task_id,
        execution_id=event.execution_id,
        stage=event.stage,
        # A title may quote what somebody was called to do.
        title=mask_text(title_of(event.title, event.parameters, language)),
        status=cast("_Status", event.status),
        artifact_ref=event.artifact_ref,
        interrupt_id=event.interrupt_id,
        until=event.until,
        trace_id=event.trace_id,
        request_id=None if event.request_id is None else mask_text(event.request_id),
        at=event.at,
    )


def placed(event: FeedEvent, language: Language) -> PlacedEvent:
    """The event with its id within."""
    return PlacedEvent(id=str(event.cursor), **dict(shown(event, language)))


def place(feed: Feed, given: str, field: str) -> Cursor:
    """The place a client sent back.

    Raises:
        Refusal: it was never given out (422).
    """
    try:
        cursor = Cursor.parse(given)
    except ValueError as error:
        raise invalid([(field, str(error))]) from error
    if cursor.order > feed.now().order:
        raise invalid([(field, "lies ahead of every event there is: it is of another installation")])
    return cursor
