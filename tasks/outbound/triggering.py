"""Brings events of the feed into the inbox that a workflow has a trigger for."""

from dataclasses import dataclass

from engine.definitions.triggers import triggers_of
from engine.engine import Engine
from runtime.mask import mask_text
from schemas.core.form import in_utc
from schemas.core.language import Language
from schemas.outbound.product_events import title_of
from statemachine.workflow.options.triggers import TriggerKind
from storage.engine.triggers.inbox import Inbox, NewInboxEntry
from storage.outbound.trigger_feed import TriggerFeed, TriggeringEvent


@dataclass(slots=True)
class TriggerFollower:
    """Follows the feed while an active workflow has a trigger for an event. Any number may work at once."""

    engine: Engine
    _follows: bool = True
    """Whether there may be a place in the feed to give up."""

    def round(self) -> bool:
        """Bring in what the next events are; whether there were any.

        Raises:
            StorageUnavailable: PostgreSQL went away.
        """
        names = self._names()
        if not names and not self._follows:
            return False
        self._follows = bool(names)
        with self.engine.database.transaction() as work:
            feed = TriggerFeed(work)
            if not names:
                feed.stop()
                return False
            feed.begin()
            events = feed.next(names)
            # The place in the feed and the entries commit together, so each event comes in once.
            Inbox(work).add([_entry(event) for event in events or ()])
        return events is not None

    def _names(self) -> frozenset[str]:
        """The events that begin runs; what begins a product's subjects comes in by intake."""
        with self.engine.database.looks() as work:
            active = self.engine.catalogue.active(work)
        return frozenset(
            trigger.name
            for workflow in active
            for trigger in triggers_of(workflow)
            if trigger.kind is TriggerKind.EVENT and trigger.name not in self.engine.registry.needs
        )


def _entry(event: TriggeringEvent) -> NewInboxEntry:
    return NewInboxEntry(
        kind=TriggerKind.EVENT,
        name=event.event_type,
        payload={
            "event_id": event.event_id,
            "task_id": event.task_id,
            "execution_id": event.execution_id,
            "stage": event.stage,
            "title": mask_text(title_of(event.title, event.parameters, Language.CHINESE)),
            "status": event.status,
            "artifact_ref": event.artifact_ref,
            "interrupt_id": event.interrupt_id,
            "until": None if event.until is None else in_utc(event.until),
            "trace_id": event.trace_id,
            "at": in_utc(event.at),
        },
        # No sender can give an id of this form.
        source_id=f"feed:{event.event_id}",
        depth=event.depth + 1,
        trace_id=event.trace_id,
        occurred_at=event.at,
    )
