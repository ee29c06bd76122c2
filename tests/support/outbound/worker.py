"""Workers of the queue `outbound` in threads, over a real database, with the wire in memory."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from engine.engine import Engine
from engine.limits import Limits
from engine.registry import Registry
from engine.rescue.tick import Tick
from storage.core.database import Database
from tasks.outbound.context import OutboundContext
from tasks.outbound.feeding import Feeder
from tasks.outbound.product import OUTBOUND
from tasks.people.product import PEOPLE
from tests.support.in_memory_publisher import InMemoryPublisher


@contextmanager
def outbound_workers(database: Database, contexts: Sequence[OutboundContext]) -> Iterator[None]:
    """A worker that feeds and sends for each of these contexts; all are stopped and must end."""
    workers = [_Worker(database, context) for context in contexts]
    for worker in workers:
        worker.thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """An engine over the queue `outbound` alone, its tick and its feeder, in a thread."""

    def __init__(self, database: Database, context: OutboundContext) -> None:
        self._context = context
        self._wire = InMemoryPublisher()
        self._engine = Engine(
            database=database,
            publisher=self._wire,
            registry=Registry.of((PEOPLE.bind(None), OUTBOUND.bind(self._context))),
            queues=("outbound",),
            holder="test",
            limits=Limits(),
        )
        self._stopped = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def stop(self) -> None:
        self._stopped.set()
        self.thread.join(30)
        assert not self.thread.is_alive()
        self._engine.close()

    def _run(self) -> None:
        feeder, tick = Feeder(self._engine, self._context), Tick(self._engine, self._wire)
        while not self._stopped.is_set():
            fed = feeder.round()
            swept = tick.sweep()
            sent = self._wire.deliver(lambda message: self._engine.execute(message.action, message.keys))
            if not fed and not sent and not (swept and swept.any):
                self._stopped.wait(0.01)
        self._context.close()
