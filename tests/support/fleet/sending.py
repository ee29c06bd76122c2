"""A contact worker that is caught in the middle of its sends, with a broker and a provider of its own."""

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from engine.rescue.tick import Tick
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import accept
from tests.support.factories import submission
from tests.support.fleet.broker import Broker
from tests.support.fleet.worker_process import worker_process
from tests.support.in_process_fleet import settings_for
from tests.support.probe import Probe
from tests.support.providers.held import HeldProvider
from tests.support.providers.server import serving
from tests.support.waiting import wait_until
from workers.app import make_app
from workers.process import Process


@dataclass
class Sending:
    """The provider answers when it is let; the test is tick and entry point."""

    provider: HeldProvider
    broker: Broker
    process: Process
    _database_url: str
    _address: str
    _folder: Path

    @classmethod
    @contextmanager
    def opened(cls, database_url: str, folder: Path) -> Iterator[Self]:
        """Everything but the worker."""
        provider = HeldProvider()
        with Broker(folder) as broker, serving(provider) as address:
            settings = settings_for(database_url, broker.url)
            process = Process(settings, make_app(settings), name="test")
            try:
                yield cls(provider, broker, process, database_url, address, folder)
            finally:
                provider.answers.set()
                process.engine.close()
                process.database.close()
                process.app.close()

    def worker(self, **further: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """A contact worker."""
        channel = {
            "UNPEND_CHANNEL": "http",
            "UNPEND_CHANNEL_URL": self._address,
            "UNPEND_CHANNEL_TOKEN": "token",
        }
        return worker_process(
            "contact", self._database_url, self.broker.url, self._folder, **channel, **further
        )

    def begin(self, number: int) -> None:
        """Take so many orders in, and return when their contacts have reached the provider."""
        reached = self.provider.sent.total() + number
        orders = [submission() for _ in range(number)]
        accept(self.process.engine, self.process.context, orders, EntryPoint.COMMAND)
        wait_until(lambda: self.provider.sent.total() == reached, "the contacts have reached the provider")

    def lose_broker(self) -> None:
        """Restart the broker; return when the worker is connected again."""
        self.broker.restart()
        names = [f"contact@{socket.gethostname()}"]
        wait_until(lambda: self.process.app.control.inspect(names).ping(), "the worker has connected again")

    def parked(self, number: int) -> Sequence[Any]:
        """The steps of the contacts, once so many wait for the customer's answer."""
        tick, found = Tick(self.process.engine, self.process.publisher), list[Any]()

        def are_parked() -> bool:
            tick.sweep()
            found[:] = Probe(self.process.database).rows(
                "SELECT state, delivery, crashes FROM steps WHERE queue = 'contact' ORDER BY step_id"
            )
            return [step.state for step in found] == ["parked"] * number

        wait_until(are_parked, "the contacts wait for their answer")
        return found


def children_of(worker: subprocess.Popen[bytes]) -> list[int]:
    """The processes of a worker's pool."""
    return [child.pid for child in psutil.Process(worker.pid).children()]
