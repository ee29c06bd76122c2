"""The events that are sent out and watched: appended in the transaction of what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.outbound.effects import ProductEvent
from storage.core.bulk import BulkInsert
from storage.core.columns import NEW_TRACE
from storage.core.unit_of_work import Repository
from storage.outbound.tables import events as events_table

# A transaction may have had its id before it waited for the run: what others wrote of the run meanwhile was earlier.
# No transaction lasts a day, and so no month but that one is looked into.
_ORDER: Final = (
    "greatest((SELECT feed_order(pg_current_xact_id())), (SELECT e.feed_order FROM events e "
    "WHERE e.execution_id = c.\"execution_id\" AND e.created_at > statement_timestamp() - interval '1 day' "
    "AND e.created_at < statement_timestamp() + interval '1 day' "
    "ORDER BY e.feed_order DESC LIMIT 1))"
)
# By its key, whatever the planner knows of the table; the run is locked by whoever writes an event of it.
_RUN: Final = (
    "LEFT JOIN LATERAL (SELECT trace_id, request_id FROM runs WHERE runs.run_id = c.execution_id LIMIT 1) AS r "
    "ON true"
)
_EVENTS = BulkInsert(
    events_table,
    (
        "event_type", "task_id", "execution_id", "stage", "title", "parameters", "status", "artifact_ref",
        "interrupt_id", "until", "trace_id", "request_id",
    ),
    stamped="at",
    joined=_RUN,
    computed={
        "feed_order": _ORDER,
        "trace_id": f"coalesce(r.trace_id, c.trace_id, {NEW_TRACE})",
        "request_id": "coalesce(c.request_id, r.request_id)",
    },
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Events(Repository):
    """The only code that writes `events`."""

    def append(self, events: Sequence[ProductEvent]) -> None:
        """Write these events; they are delivered once the transaction has committed.

        Who writes an event of a run holds the run's lock, so that they follow each other as things happened.
        """
        _EVENTS(
            self.connection,
            [
                (
                    e.event_type,
                    e.task_id,
                    e.execution_id,
                    e.stage,
                    e.title,
                    e.parameters,
                    e.status,
                    e.artifact_ref,
                    e.interrupt_id,
                    e.until,
                    e.trace_id,
                    e.request_id,
                )
                for e in events
            ],
        )
