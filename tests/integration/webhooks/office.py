"""A courier at work in a thread, over a real database, and the verbs a test of it needs."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from schemas.outbound.effects import ProductEvent
from schemas.outbound.event_types import MessageType
from storage.core.database import Database
from storage.outbound.deliveries import Deliveries, Delivery
from storage.outbound.events import Events
from storage.outbound.subscribers import Subscribers
from tools.webhooks.address import check_peer
from tools.webhooks.sender import WebhookSender
from tools.webhooks.signature import new_secret
from workers.outbound.feeding import feed
from workers.outbound.webhooks import Courier, Pace

FAST = Pace(poll_seconds=0.02, timeout_seconds=1.0, pauses=(timedelta(milliseconds=30),))


@dataclass(slots=True)
class Office:
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

    def states(self, subscriber_id: str | None = None) -> list[str]:
        return sorted(delivery.state for delivery in self.log(subscriber_id))

    def change(self, statement: str) -> None:
        with self.database.transaction() as work:
            work.connection.execute(text(statement))

    def alerts(self) -> list[str]:
        with self.database.transaction() as work:
            found = work.connection.execute(text("SELECT alert_type FROM alerts ORDER BY raised_at"))
            return [row.alert_type for row in found]


def event(
    task_id: str | None, event_type: str = "review_opened", title: str = "等待人工处理"
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


@contextmanager
def couriers(
    database: Database, number: int = 1, pace: Pace = FAST, judge: Callable[[str, str], None] = check_peer
) -> Iterator[None]:
    """So many couriers at work, each with its own loop and connections; `judge` looks at who is spoken to."""
    with_loops: Sequence[_Working] = [_Working(database, pace, judge) for _ in range(number)]
    for working in with_loops:
        working.start()
    try:
        yield
    finally:
        for working in with_loops:
            working.stop()


class _Working:
    def __init__(self, database: Database, pace: Pace, judge: Callable[[str, str], None]) -> None:
        self._database = database
        self._judge = judge
        self._pace = pace
        self._began = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._courier: Courier | None = None

    def start(self) -> None:
        self._thread.start()
        assert self._began.wait(180)

    def stop(self) -> None:
        assert self._loop is not None
        assert self._courier is not None
        self._loop.call_soon_threadsafe(self._courier.stop)
        self._thread.join(180)
        assert not self._thread.is_alive()

    async def _run(self) -> None:
        async with WebhookSender(timeout_seconds=self._pace.timeout_seconds, judge=self._judge) as sender:
            self._loop = asyncio.get_running_loop()
            self._courier = Courier(self._database, sender, self._pace)
            self._began.set()
            await self._courier.run()
