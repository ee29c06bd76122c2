"""The events that are sent out and watched: appended in the transaction of what happened."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.outbound.effects import ProductEvent
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.outbound.tables import events as events_table

_EVENTS = BulkInsert(
    events_table,
    ("event_type", "task_id", "execution_id", "stage", "title", "status", "artifact_ref"),
    stamped="at",
)


@dataclass(frozen=True, slots=True)
class Events(Repository):
    """The only code that writes `events`."""

    def append(self, events: Sequence[ProductEvent]) -> None:
        """Write these events; they are delivered once the transaction has committed."""
        _EVENTS(
            self.connection,
            [
                (e.event_type, e.task_id, e.execution_id, e.stage, e.title, e.status, e.artifact_ref)
                for e in events
            ],
        )
