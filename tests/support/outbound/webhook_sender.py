"""Workers that send deliveries, in threads over a real database, and the verbs a test of them needs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from runtime.settings import networks_of
from schemas.outbound.effects import Mailbox, ProductEvent
from schemas.outbound.event_types import MessageType
from storage.core.database import Database
from storage.outbound.deliveries import Deliveries, Delivery
from storage.outbound.events import Events
from storage.outbound.outbox import Outbox, WaitingDelivery
from storage.outbound.subscribers import Subscribers
from tasks.outbound.context import OutboundContext
from tasks.outbound.feeding import feed
from tasks.outbound.sending import SendingLimits, Webhooks
from tests.support.outbound.worker import outbound_workers
from tools.webhooks.address import WebhookAddresses
from tools.webhooks.signature import new_secret

FAST = SendingLimits(timeout_seconds=1.0, pauses=(timedelta(milliseconds=30),))


@dataclass(slots=True)
class WebhookSenderAtWork:
    """Everything a test does to subscribers and their deliveries."""

    database: Database

    def subscribe(self, url: str, *types: MessageType, secret: str | None = None) -> str:
        with self.database.transaction() as work:
            chosen = [kind.value for kind in types or MessageType]
            return Subscribers(work).add(url, secret or new_secret(), chosen)

    def tell(self, *events: ProductEvent) -> None:
        with self.database.transaction() as work:
            Events(work).append(events)

    def feed(self, subscriber_id: str) -> None:
        """Make every delivery there is to make."""
        more = True
        while more:
            with self.database.transaction() as work:
                more = feed(work, subscriber_id)

    def log(self, subscriber_id: str | None = None) -> list[Delivery]:
        with self.database.transaction() as work:
            return Deliveries(work).log(subscriber_id=subscriber_id, limit=10_000)

    def next_of(self, subscriber_id: str, task_id: str) -> WaitingDelivery:
        """The first delivery of this task that waits."""
        with self.database.transaction() as work:
            return Outbox(work).next_of({1: Mailbox(subscriber_id=subscriber_id, task_id=task_id)})[1]

    def states(self, subscriber_id: str | None = None) -> list[str]:
        return sorted(delivery.state for delivery in self.log(subscriber_id))

    def change(self, statement: str) -> None:
        with self.database.transaction() as work:
            work.connection.execute(text(statement))

    def value(self, statement: str) -> object:
        with self.database.transaction() as work:
            return work.connection.execute(text(statement)).scalars().first()

    def runs(self, condition: str = "true") -> int:
        """How many runs there are of which this holds."""
        found = self.value(f"SELECT count(*) FROM runs WHERE {condition}")
        assert isinstance(found, int)
        return found

    def alerts(self) -> list[str]:
        with self.database.transaction() as work:
            found = work.connection.execute(text("SELECT alert_type FROM alerts ORDER BY raised_at"))
            return [row.alert_type for row in found]


def event(
    task_id: str | None, event_type: str = "review_opened", title: str = "review_opened"
) -> ProductEvent:
    """An event of a task that upstream is told of."""
    return ProductEvent(
        execution_id="exec_1",
        task_id=task_id,
        event_type=event_type,
        stage="review",
        title=title,
        status="waiting",
    )


HERE = WebhookAddresses(networks_of("127.0.0.0/8"))
"""Where the receivers of tests stand."""


@contextmanager
def couriers(
    database: Database,
    number: int = 1,
    limits: SendingLimits = FAST,
    judge: Callable[[str, str], None] | None = None,
) -> Iterator[None]:
    """So many workers that feed and send, each with its own engine; `judge` looks at who is spoken to."""
    contexts = [OutboundContext(Webhooks(limits, HERE, judge)) for _ in range(number)]
    with outbound_workers(database, contexts):
        yield
