"""The database, the publisher and the channel of a process that faults may strike; each does the real thing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from engine.publisher import Message, WireUnavailable
from runtime.cipher import Cipher
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.core.unit_of_work import UnitOfWork
from tests.support.faults.injector import FaultInjector, Killed, Point, When, point_here
from tests.support.in_memory_publisher import InMemoryPublisher
from tools.channels.contract import (
    ChannelGateway,
    ContactQuery,
    ContactRequest,
    QueryOutcome,
    SendOutcome,
    Unknown,
    Unreachable,
)

_GONE = "the process is gone"
_BROKEN = "the connection broke"


class FaultyDatabase(Database):
    """A database whose transactions may be struck: before their commit, or between it and its answer."""

    def __init__(self, url: str, cipher: Cipher | None, faults: FaultInjector) -> None:
        super().__init__(url, cipher)
        self._faults = faults

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A real transaction, refused to a dead process."""
        self._must_live()
        point = point_here()
        with super().transaction() as work:
            yield work
            self._must_live()
            if self._faults.reach(point, When.BEFORE):
                raise StorageUnavailable(_BROKEN)
        if self._faults.reach(point, When.AFTER):
            raise StorageUnavailable(_BROKEN)

    @contextmanager
    def looks(self) -> Iterator[UnitOfWork]:
        """The same for a look."""
        self._must_live()
        with super().looks() as work:
            yield work

    def _must_live(self) -> None:
        if self._faults.killed:
            raise StorageUnavailable(_GONE)


class FaultyPublisher(InMemoryPublisher):
    """A process's connection to the wire that it shares with the others."""

    def __init__(self, wire: InMemoryPublisher, faults: FaultInjector) -> None:
        super().__init__()
        self.messages = wire.messages
        self._faults = faults

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish, where nothing strikes."""
        self._must_live()
        if self._faults.reach(Point.PUBLISH, When.BEFORE):
            raise WireUnavailable(_BROKEN)
        super().publish(messages)
        if self._faults.reach(Point.PUBLISH, When.AFTER):
            raise WireUnavailable(_BROKEN)

    def depths(self, queues: Sequence[str]) -> Mapping[str, int]:
        """Messages kept for each queue."""
        self._must_live()
        return super().depths(queues)

    def _must_live(self) -> None:
        if self._faults.killed:
            raise WireUnavailable(_GONE)


@dataclass(frozen=True, slots=True)
class FaultyChannel:
    """A process's connection to the channel that it shares with the others."""

    channel: ChannelGateway
    faults: FaultInjector

    def send(self, request: ContactRequest) -> SendOutcome:
        """Send; an error before leaves nothing there, one after loses the answer: the sender cannot tell which."""
        self._must_live()
        if self.faults.reach(Point.SEND, When.BEFORE):
            return Unknown(_BROKEN)
        answer = self.channel.send(request)
        if self.faults.reach(Point.SEND, When.AFTER):
            return Unknown(_BROKEN)
        return answer

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:
        """Ask, where nothing strikes."""
        self._must_live()
        if self.faults.reach(Point.QUERY, When.BEFORE):
            return Unreachable(_BROKEN)
        answer = self.channel.query(sought, timeout_seconds=timeout_seconds)
        return Unreachable(_BROKEN) if self.faults.reach(Point.QUERY, When.AFTER) else answer

    def close(self) -> None:
        """The channel is the others' too."""

    def _must_live(self) -> None:
        if self.faults.killed:
            raise Killed(_GONE)
