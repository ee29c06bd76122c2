"""Subscribers of webhooks: their events, their secret, and their position in the feed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from runtime.cipher import Sealed
from runtime.ids import Prefix, new_id
from storage.core.unit_of_work import Repository
from storage.engine.steering import Steering
from storage.outbound.feed import SETTLED_BELOW

BATCH: Final = 500
"""Events one transaction turns into deliveries at most."""

# A transaction below the oldest that still runs is over, so nothing can appear before what was read.
_SETTLED: Final = f"e.feed_order < {SETTLED_BELOW}"
_AFTER: Final = "(e.feed_order, e.event_id) > (:order, :event)"
_FIELDS: Final = "subscriber_id, url, events, active, created_at"

_ADD = text(
    "INSERT INTO subscribers (subscriber_id, url, secret, events, fed_order) "
    f"VALUES (:subscriber_id, :url, :secret, :events, {SETTLED_BELOW})",
)
_LIST = text(f"SELECT {_FIELDS} FROM subscribers ORDER BY created_at, subscriber_id")
_FIND = text(f"SELECT {_FIELDS} FROM subscribers WHERE subscriber_id = :subscriber_id")
_SECRET = text(
    "SELECT secret, clock_timestamp() AS now FROM subscribers WHERE subscriber_id = :subscriber_id"
)
_LOCK_SECRET = text(f"{_SECRET.text} FOR UPDATE")
_SET_SECRET = text("UPDATE subscribers SET secret = :secret WHERE subscriber_id = :subscriber_id")
_CHOOSE = text("UPDATE subscribers SET events = :events WHERE subscriber_id = :subscriber_id")
_REMOVE = text(
    "WITH log AS (DELETE FROM deliveries WHERE subscriber_id = :subscriber_id RETURNING run_id, state) "
    "DELETE FROM subscribers WHERE subscriber_id = :subscriber_id RETURNING "
    "array(SELECT run_id FROM log WHERE state = 'waiting' AND run_id IS NOT NULL) AS run_ids",
)
_DEACTIVATE = text("UPDATE subscribers SET active = false WHERE subscriber_id = :subscriber_id AND active")
# Asked for the first row in an index's order: for the mere existence of one the planner reads the whole table.
_BEHIND = text(
    f"""
    SELECT s.subscriber_id FROM subscribers s
    WHERE s.active AND (SELECT e.event_id FROM events e
        WHERE (e.feed_order, e.event_id) > (s.fed_order, s.fed_event) AND {_SETTLED}
        ORDER BY e.feed_order, e.event_id LIMIT 1) IS NOT NULL
    ORDER BY s.subscriber_id
    """,
)
_LOCK = text(
    "SELECT FROM subscribers WHERE subscriber_id = ANY(:ids) ORDER BY subscriber_id FOR NO KEY UPDATE"
)
_LOCK_CURSOR = text(
    "SELECT events, fed_order, fed_event, clock_timestamp() AS now "
    "FROM subscribers WHERE subscriber_id = :subscriber_id AND active FOR UPDATE SKIP LOCKED",
)
_END_OF_BATCH = text(
    f"""
    SELECT w.feed_order, w.event_id FROM (
        SELECT e.feed_order, e.event_id FROM events e WHERE {_AFTER} AND {_SETTLED}
        ORDER BY e.feed_order, e.event_id LIMIT :limit
    ) w ORDER BY w.feed_order DESC, w.event_id DESC LIMIT 1
    """,
)
# An order's own events follow each other by event_id, for each writer held the order when it told.
_SUBSCRIBED_EVENTS = text(
    f"""
    WITH batch AS MATERIALIZED (
        SELECT e.* FROM events e WHERE {_AFTER}
          AND (e.feed_order, e.event_id) <= (:end_order, :end_event)
        ORDER BY e.feed_order, e.event_id LIMIT :limit
    )
    SELECT e.event_id, e.event_type, e.task_id, e.execution_id, e.title, e.parameters, e.status, e.trace_id, e.at,
        coalesce(r.order_id, t.order_id) AS order_id, t.finish_reason, t.next_contact_time, r.problems,
        coalesce(m.to_state, (SELECT from_state FROM transitions WHERE task_id = t.task_id
                              ORDER BY version LIMIT 1), t.status) AS state
    FROM batch e
    LEFT JOIN tasks t ON t.task_id = e.task_id
    LEFT JOIN rejects r ON e.event_type = 'task_rejected' AND r.reject_id = e.execution_id
    LEFT JOIN LATERAL (SELECT to_state FROM transitions WHERE task_id = t.task_id AND at <= e.at
                       ORDER BY version DESC LIMIT 1) m ON true
    WHERE e.event_type = ANY(:event_types)
    ORDER BY e.event_id
    """,
)
_ADVANCE = text(
    "UPDATE subscribers SET fed_order = :order, fed_event = :event WHERE subscriber_id = :subscriber_id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A system that gets events by webhook; an inactive one gets nothing until it is added again."""

    subscriber_id: str
    url: str
    events: Sequence[str]
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed of events: a row's order and id."""

    order: int
    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPosition:
    """A subscriber's position in the feed of events, locked; `now` is the database's time."""

    subscriber_id: str
    events: Sequence[str]
    place: Place
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribedEvent:
    """An event with the order's state at that time; the other fields are the present ones.

    Of refused input: the order it names, what is wrong with it, and the state of the order its task_id belongs to.
    """

    event_id: int
    event_type: str
    task_id: str | None
    execution_id: str
    title: str
    parameters: Mapping[str, Any]
    status: str
    trace_id: str
    at: datetime
    order_id: str | None
    finish_reason: str | None
    next_contact_time: datetime | None
    state: str | None
    problems: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Secrets:
    """The signing secrets of a subscriber, still encrypted; with the database's time."""

    sealed: Sealed
    now: datetime

    def open(self) -> tuple[str, ...]:
        """The secrets that hold now: the current one, and the former one for a while after a change.

        Raises:
            UnreadableCiphertext: they were encrypted with another key.
        """
        kept = json.loads(self.sealed.open())
        former, until = kept.get("former"), kept.get("former_until")
        both = former is not None and self.now < datetime.fromisoformat(until)
        return (kept["current"], former) if both else (kept["current"],)


@dataclass(frozen=True, slots=True)
class Subscribers(Repository):
    """The only code that writes `subscribers`."""

    def add(self, url: str, secret: str, events: Sequence[str]) -> str:
        """Add a subscriber with this address and these events; return its id."""
        subscriber_id = new_id(Prefix.SUBSCRIBER)
        self.connection.execute(
            _ADD,
            {
                "subscriber_id": subscriber_id,
                "url": url,
                "secret": self._sealed({"current": secret}, subscriber_id),
                "events": list(events),
            },
        )
        return subscriber_id

    def all(self) -> list[Subscriber]:
        """Every subscriber, the oldest first."""
        return [Subscriber(**row._mapping) for row in self.connection.execute(_LIST)]

    def find(self, subscriber_id: str) -> Subscriber | None:
        """The subscriber with this id."""
        row = self.connection.execute(_FIND, {"subscriber_id": subscriber_id}).one_or_none()
        return None if row is None else Subscriber(**row._mapping)

    def choose(self, subscriber_id: str, events: Sequence[str]) -> bool:
        """Set the events of a subscriber; `False`: no such subscriber."""
        chosen = {"subscriber_id": subscriber_id, "events": list(events)}
        return self.connection.execute(_CHOOSE, chosen).rowcount > 0

    def remove(self, subscriber_id: str) -> bool:
        """Delete a subscriber and its log; whether there was one."""
        removed = self.connection.execute(_REMOVE, {"subscriber_id": subscriber_id}).one_or_none()
        if removed is not None:
            Steering(self.work).wake(removed.run_ids)
        return removed is not None

    def deactivate(self, subscriber_id: str) -> bool:
        """Deactivate a subscriber; whether it was active."""
        return bool(self.connection.execute(_DEACTIVATE, {"subscriber_id": subscriber_id}).rowcount)

    def secrets(self, subscriber_id: str) -> Secrets | None:
        """What messages to this subscriber are signed with."""
        row = self.connection.execute(_SECRET, {"subscriber_id": subscriber_id}).one_or_none()
        return None if row is None else Secrets(self._seal(row.secret, subscriber_id), row.now)

    def rotate(self, subscriber_id: str, secret: str, overlap: timedelta) -> bool:
        """Sign with this secret from now on, and with the former one too for a while; `False`: no such subscriber.

        Raises:
            UnreadableCiphertext: the former one was encrypted with another key.
        """
        row = self.connection.execute(_LOCK_SECRET, {"subscriber_id": subscriber_id}).one_or_none()
        if row is None:
            return False
        former = json.loads(self._seal(row.secret, subscriber_id).open())["current"]
        kept = {"current": secret, "former": former, "former_until": (row.now + overlap).isoformat()}
        sealed = self._sealed(kept, subscriber_id)
        self.connection.execute(_SET_SECRET, {"subscriber_id": subscriber_id, "secret": sealed})
        return True

    def behind(self) -> list[str]:
        """The active subscribers that have events to make deliveries of; asked every second while all is quiet."""
        return [row.subscriber_id for row in self.connection.execute(_BEHIND)]

    def lock(self, subscriber_ids: Sequence[str]) -> None:
        """Hold these subscribers, so that nobody else gives up their deliveries or makes new ones meanwhile."""
        self.connection.execute(_LOCK, {"ids": sorted(subscriber_ids)})

    def lock_position(self, subscriber_id: str) -> FeedPosition | None:
        """This subscriber's position; `None` when it is not active, or another process is at it."""
        row = self.connection.execute(_LOCK_CURSOR, {"subscriber_id": subscriber_id}).one_or_none()
        if row is None:
            return None
        place = Place(row.fed_order, row.fed_event)
        return FeedPosition(subscriber_id=subscriber_id, events=row.events, place=place, now=row.now)

    def end_of_batch(self, position: FeedPosition) -> Place | None:
        """The last of the next events whose writers, and all before them, are over; `None` when there is none."""
        row = self.connection.execute(_END_OF_BATCH, {**_after(position.place), "limit": BATCH}).one_or_none()
        return None if row is None else Place(row.feed_order, row.event_id)

    def subscribed_events(
        self, position: FeedPosition, end: Place, event_types: Sequence[str]
    ) -> list[SubscribedEvent]:
        """Return the events of these types up to this place, those of one task in order."""
        rows = self.connection.execute(
            _SUBSCRIBED_EVENTS,
            {
                **_after(position.place),
                "end_order": end.order,
                "end_event": end.event,
                "event_types": list(event_types),
                "limit": BATCH,
            },
        )
        return [SubscribedEvent(**row._mapping) for row in rows]

    def advance(self, position: FeedPosition, end: Place) -> None:
        """Set the subscriber's position in the feed."""
        self.connection.execute(_ADVANCE, {"subscriber_id": position.subscriber_id, **_after(end)})

    def _sealed(self, kept: dict[str, str], subscriber_id: str) -> bytes:
        return self.cipher.encrypt(json.dumps(kept), f"subscribers.secret.{subscriber_id}")

    def _seal(self, stored: bytes, subscriber_id: str) -> Sealed:
        return Sealed(bytes(stored), f"subscribers.secret.{subscriber_id}", self.cipher)


def _after(place: Place) -> dict[str, object]:
    return {"order": place.order, "event": place.event}
