"""The events that are sent out and watched: appended in the transaction of what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.outbound.effects import ProductEvent
from storage.core.bulk import BulkInsert
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
_EVENTS = BulkInsert(
    events_table,
    ("event_type", "task_id", "execution_id", "stage", "title", "status", "artifact_ref"),
    stamped="at",
    computed={"feed_order": _ORDER},
)


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
                (e.event_type, e.task_id, e.execution_id, e.stage, e.title, e.status, e.artifact_ref)
                for e in events
            ],
        )
