"""The place up to which the feed of events was read for triggers of workflows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.outbound.feed import SETTLED_BELOW

BATCH: Final = 500
"""Events one transaction looks at."""

_BEGIN = text(
    f"INSERT INTO trigger_feed (feed_order, event_id) VALUES ({SETTLED_BELOW}, 0) ON CONFLICT DO NOTHING"
)
_STOP = text("DELETE FROM trigger_feed")
_LOCK = text("SELECT feed_order, event_id FROM trigger_feed FOR UPDATE SKIP LOCKED")
_END = text(
    f"""
    SELECT w.feed_order, w.event_id FROM (
        SELECT e.feed_order, e.event_id FROM events e
        WHERE (e.feed_order, e.event_id) > (:order, :event) AND e.feed_order < {SETTLED_BELOW}
        ORDER BY e.feed_order, e.event_id LIMIT {BATCH}
    ) w ORDER BY w.feed_order DESC, w.event_id DESC LIMIT 1
    """
)
_NAMED = text(
    """
    SELECT e.event_id, e.event_type, e.task_id, e.execution_id, e.stage, e.title, e.parameters, e.status,
        e.artifact_ref, e.interrupt_id, e.until, e.trace_id, e.at, coalesce(r.depth, 0) AS depth
    FROM events e LEFT JOIN runs r ON r.run_id = e.execution_id
    WHERE (e.feed_order, e.event_id) > (:order, :event) AND (e.feed_order, e.event_id) <= (:end_order, :end_event)
      AND e.event_type = ANY(:names)
    ORDER BY e.feed_order, e.event_id
    """
)
_ADVANCE = text("UPDATE trigger_feed SET feed_order = :order, event_id = :event")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggeringEvent:
    """An event of the feed that a workflow has a trigger for."""

    event_id: int
    event_type: str
    task_id: str | None
    execution_id: str
    stage: str
    title: str
    parameters: Mapping[str, Any]
    status: str
    artifact_ref: str | None
    interrupt_id: str | None
    until: datetime | None
    trace_id: str
    at: datetime
    depth: int
    """Of the run that it is about."""


@dataclass(frozen=True, slots=True)
class TriggerFeed(Repository):
    """The only code that reads or writes `trigger_feed`."""

    def begin(self) -> None:
        """Follow the feed from now on, where it is not followed yet."""
        self.connection.execute(_BEGIN)

    def stop(self) -> None:
        """Follow it no more: what happens meanwhile begins nothing later."""
        self.connection.execute(_STOP)

    def next(self, names: Collection[str]) -> list[TriggeringEvent] | None:
        """Go on by some events, and return those of these names; `None`: there are none, or another is at it."""
        place = self.connection.execute(_LOCK).one_or_none()
        if place is None:
            return None
        after = {"order": place.feed_order, "event": place.event_id}
        end = self.connection.execute(_END, after).one_or_none()
        if end is None:
            return None
        upto = {"end_order": end.feed_order, "end_event": end.event_id, "names": sorted(names)}
        found = self.connection.execute(_NAMED, after | upto).all()
        self.connection.execute(_ADVANCE, {"order": end.feed_order, "event": end.event_id})
        return [TriggeringEvent(**row._mapping) for row in found]
