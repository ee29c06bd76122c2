"""The feed of events, read so that no event that commits late is missed."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import RUNS_ENDED

SETTLED_BELOW: Final = "feed_order(pg_snapshot_xmin(pg_current_snapshot()))"
"""In SQL: what is below it in the feed's order was written by transactions that are over."""

_FIELDS: Final = (
    "e.feed_order, e.event_id, e.event_type, e.task_id, e.execution_id, e.stage, "
    "e.title, e.parameters, e.status, e.artifact_ref, e.interrupt_id, e.until, e.trace_id, e.request_id, e.at"
)
_AFTER: Final = (
    "(e.feed_order, e.event_id) > (:order, :event) AND e.feed_order < :ceiling "
    "ORDER BY e.feed_order, e.event_id LIMIT :limit"
)
_CEILING = text(f"SELECT {SETTLED_BELOW}")
_OF_ALL = text(f"SELECT {_FIELDS} FROM events e WHERE {_AFTER}")
_OF_RUN = text(f"SELECT {_FIELDS} FROM events e WHERE e.execution_id = :run_id AND {_AFTER}")
_RUNS = text(
    f"""
    WITH batch AS MATERIALIZED (SELECT e.feed_order, e.event_id, e.execution_id FROM events e WHERE {_AFTER})
    SELECT feed_order, event_id, (SELECT count(*) FROM batch) AS events,
        array(SELECT DISTINCT execution_id FROM batch) AS runs
    FROM batch ORDER BY batch.feed_order DESC, batch.event_id DESC LIMIT 1
    """
)
_ENDED = text(
    "SELECT feed_order(pg_snapshot_xmax(pg_current_snapshot())) AS horizon, "
    "array(SELECT run_id FROM runs WHERE run_id = ANY(:ids) "
    f"AND state IN ({RUNS_ENDED})) AS runs",
)
_RUN_OF_TASK = text(
    "SELECT run_id FROM tasks WHERE task_id = :name "
    "UNION ALL SELECT run_id FROM runs WHERE run_id = :name AND subject_id IS NULL LIMIT 1",
)
_RUN = text("SELECT run_id FROM runs WHERE run_id = :name")
# Nothing written in this server lies beyond its newest transaction; what does came with its rows from another one.
_CONTINUE = text(
    """
    UPDATE feed_origin SET ahead = ahead + newest - feed_order(pg_current_xact_id())
    FROM (SELECT greatest((SELECT max(feed_order) FROM events), (SELECT max(fed_order) FROM subscribers),
        (SELECT max(feed_order) FROM trigger_feed)) AS newest)
    WHERE newest > feed_order(pg_current_xact_id()) RETURNING ahead
    """
)
_CURSOR: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the feed: everything up to it is known. Its text is what a client sends back."""

    order: int
    event: int

    @classmethod
    def parse(cls, given: str) -> Self:
        """The cursor a client sent back.

        Raises:
            ValueError: it is none that was ever given out.
        """
        found = _CURSOR.fullmatch(given)
        if found is None or max(order := int(found[1]), event := int(found[2])) > _LARGEST:
            raise ValueError("is no place in the events: send the id of an event as it was received")
        return cls(order, event)

    def __str__(self) -> str:
        return f"{self.order}-{self.event}"


ORIGIN: Final = Cursor(0, 0)
"""Before every event that is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent:
    """An event people watch (SPEC.md §10), and its place."""

    cursor: Cursor
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
    request_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """What follows a place, in order.

    Attributes:
        next: The place to read on from: of the last event, or beyond everything that was there.
        complete: Whether there was no more.
    """

    events: Sequence[FeedEvent]
    next: Cursor
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsWithEvents:
    """Which runs the events after a place are about; `next` and `complete` as of a page of events."""

    run_ids: Sequence[str]
    next: Cursor
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Which runs were seen to have ended; from `horizon` on, a place lies behind all their events."""

    runs: frozenset[str]
    horizon: int


@dataclass(frozen=True, slots=True)
class Feed(Repository):
    """Reads `events` in the feed's order: by transaction, and within a run as things happened.

    Rows become visible when their transaction commits, not in the order of their ids. So only what lies below every
    transaction still under way is read: nothing can appear before a place that was passed.
    """

    def now(self) -> Cursor:
        """The place behind everything that is settled at this moment."""
        return Cursor(self.connection.execute(_CEILING).scalar_one(), 0)

    def continue_restored(self) -> bool:
        """Let the order go on rising where the rows came from another server (dump and restore); whether they did.

        Otherwise readers would wait behind their place for as many transactions as the other server had had.
        """
        return self.connection.execute(_CONTINUE).one_or_none() is not None

    def page(self, after: Cursor, *, run_id: str | None = None, limit: int) -> FeedPage:
        """What follows a place, of all runs or of one."""
        # Read first: what is settled now is visible to the next statement.
        ceiling = self.now()
        rows = self.connection.execute(
            _OF_ALL if run_id is None else _OF_RUN,
            _between(after, ceiling, limit) | ({} if run_id is None else {"run_id": run_id}),
        ).all()
        events = [
            FeedEvent(
                cursor=Cursor(row.feed_order, row.event_id),
                event_id=row.event_id,
                event_type=row.event_type,
                task_id=row.task_id,
                execution_id=row.execution_id,
                stage=row.stage,
                title=row.title,
                parameters=row.parameters,
                status=row.status,
                artifact_ref=row.artifact_ref,
                interrupt_id=row.interrupt_id,
                until=row.until,
                trace_id=row.trace_id,
                request_id=row.request_id,
                at=row.at,
            )
            for row in rows
        ]
        complete = len(events) < limit
        return FeedPage(
            events=events,
            next=max(after, ceiling) if complete else events[-1].cursor,
            complete=complete,
        )

    def runs_with_events(self, after: Cursor, *, limit: int) -> RunsWithEvents:
        """Which runs the next events after a place are about, of so many events at most."""
        ceiling = self.now()
        row = self.connection.execute(_RUNS, _between(after, ceiling, limit)).one_or_none()
        if row is None or row.events < limit:
            run_ids = () if row is None else row.runs
            return RunsWithEvents(run_ids=run_ids, next=max(after, ceiling), complete=True)
        return RunsWithEvents(run_ids=row.runs, next=Cursor(row.feed_order, row.event_id), complete=False)

    def ended(self, run_ids: Collection[str]) -> Ended:
        """Those of these runs that have ended."""
        row = self.connection.execute(_ENDED, {"ids": list(run_ids)}).one()
        return Ended(runs=frozenset(row.runs), horizon=row.horizon)

    def run_of(self, task_id: str) -> str | None:
        """The run of an order, or the general task itself; `None` when there is neither."""
        return self.connection.execute(_RUN_OF_TASK, {"name": task_id}).scalar_one_or_none()

    def is_run(self, run_id: str) -> bool:
        """Whether there is such a run."""
        return self.connection.execute(_RUN, {"name": run_id}).scalar_one_or_none() is not None


def _between(after: Cursor, ceiling: Cursor, limit: int) -> dict[str, object]:
    return {
        "order": after.order,
        "event": after.event,
        "ceiling": ceiling.order,
        "limit": limit,
    }
