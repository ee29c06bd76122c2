"""Makes deliveries of events: what happened becomes a message for everyone who chose it."""

from storage.core.unit_of_work import UnitOfWork
from storage.outbound.deliveries import Deliveries, NewDelivery
from storage.outbound.subscribers import Subscribers
from tasks.outbound.messages import events_for, message_of


def feed(work: UnitOfWork, subscriber_id: str) -> bool:
    """Make the deliveries of the subscriber's next events, at most `storage.outbound.subscribers.BATCH` of them.

    The deliveries and how far the subscriber was told commit together, so each event makes its delivery once.

    Returns:
        Whether there were events.
    """
    progress = Subscribers(work).lock_progress(subscriber_id)
    end = None if progress is None else Subscribers(work).end_of_batch(progress)
    if progress is None or end is None:
        return False
    happenings = Subscribers(work).happenings(progress, end, events_for(progress.events))
    messages = [message for happening in happenings if (message := message_of(happening)) is not None]
    Deliveries(work).make(
        [
            NewDelivery(
                subscriber_id=subscriber_id,
                event_id=message.event_id,
                task_id=message.task_id,
                event_type=message.type.value,
                payload=message.payload,
                due_at=progress.now,
            )
            for message in messages
        ]
    )
    Subscribers(work).advance(progress, end)
    return True
