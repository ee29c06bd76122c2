"""Several processes over one database, one wire and one channel, each under faults of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Final

from runtime.cipher import Cipher
from storage.core.unavailable import StorageUnavailable
from storage.engine.queues import Queues
from tests.support.faults.injector import Fault, FaultInjector, Killed, Kind, Point, When
from tests.support.faults.parts import FaultyChannel, FaultyDatabase, FaultyPublisher
from tests.support.in_memory_publisher import InMemoryPublisher
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.orders.scripted_channel import make_due
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from tools.channels.contract import ChannelGateway

_ROUNDS: Final = 100
"""Far more than any run takes to its end."""

Act = Callable[[InProcessFleet], object]
"""What a process does."""


@dataclass(slots=True)
class FaultyFleet:
    """Processes that can be struck, and the verbs by which a test lets them work.

    Attributes:
        wire: What all of them publish to.
        sound: One more process that no fault strikes: it looks, and brings things to their end.
        struck: The faults that have struck, in order.
    """

    url: str
    channel: ChannelGateway
    build: dict[str, Any] = field(default_factory=dict)
    wire: InMemoryPublisher = field(default_factory=InMemoryPublisher)
    struck: list[Fault] = field(default_factory=list)
    sound: InProcessFleet = field(init=False)
    _processes: dict[int, tuple[InProcessFleet, FaultInjector]] = field(default_factory=dict)
    _beside: list["_Beside"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sound = self._start(FaultInjector())

    def process(self, number: int) -> InProcessFleet:
        """The process of this number; it is started where there is none."""
        return self._of(number)[0]

    def under(self, faults: tuple[Fault, ...], act: Act, *, by: int = 0) -> bool:
        """Let a process act under these faults; `False` when it could not finish, or was killed.

        A killed process is replaced by a new one of the same number when it is next asked for.
        """
        process, injector = self._of(by)
        injector.arm(*faults)
        try:
            act(process)
        except StorageUnavailable:
            return False
        except Killed:
            del self._processes[by]
            process.close()
            return False
        finally:
            injector.disarm()
            self.struck += injector.struck
            injector.struck.clear()
            while self._beside:
                self._beside.pop().end()
        return True

    def beside(self, point: Point, act: Callable[[], object], *, passed: int = 0) -> tuple[Fault, Fault]:
        """A turn of another process while a transaction is about to commit: it ends, or waits for a lock of it."""
        turn = _Beside(act, lambda: bool(Probe(self.sound.database).value(_WAITING)))
        self._beside.append(turn)
        return (
            Fault(point, When.BEFORE, Kind.TURN, passed, turn.begin),
            Fault(point, When.AFTER, Kind.TURN, passed, turn.end),
        )

    def expire_leases(self) -> None:
        """Let the time of every lease be over: those who hold one are zombies."""
        Probe(self.sound.database).write(
            "UPDATE leases SET expires_at = least(expires_at, clock_timestamp()) - interval '2 hours'"
        )

    def forget_messages(self) -> None:
        """Let every message be lost, and it be time to publish again."""
        self.wire.lose_everything()
        Probe(self.sound.database).write(
            "UPDATE steps SET published_at = published_at - interval '2 hours' WHERE state = 'published'"
        )

    def make_due(self) -> None:
        """Let every wait on the database's clock be over."""
        make_due(self.sound, parked=True)

    def rescue(self) -> None:
        """Let every lease run out and the tick notice it."""
        self.expire_leases()
        self.sound.tick.sweep()

    def to_the_end(self, world: Callable[[], object] = lambda: None) -> None:
        """Let every lease, wait and day be over again and again, and the sound process carry what is left.

        Args:
            world: What the world does in each round, once the fleet has done what it can.
        """
        for _ in range(_ROUNDS):
            self.expire_leases()
            self.forget_messages()
            self.sound.run()
            world()
            with self.sound.database.transaction() as work:
                left = Queues(work).horizon()
            if not (left.busy or left.database_due or left.business_due):
                return
            self.make_due()
            self.sound.leap()
        raise AssertionError(f"after {_ROUNDS} rounds something is still due")

    def close(self) -> None:
        """End every process."""
        for process, _ in self._processes.values():
            process.close()
        self.sound.close()

    def _of(self, number: int) -> tuple[InProcessFleet, FaultInjector]:
        if number not in self._processes:
            faults = FaultInjector()
            self._processes[number] = self._start(faults), faults
        return self._processes[number]

    def _start(self, faults: FaultInjector) -> InProcessFleet:
        return InProcessFleet.build(
            self.url,
            database=FaultyDatabase(self.url, Cipher(CIPHER_KEY), faults),
            wire=FaultyPublisher(self.wire, faults),
            gateway=FaultyChannel(self.channel, faults),
            **self.build,
        )


_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class _Beside:
    """Somebody else's act in a thread: begun until it ends or is blocked, then ended."""

    def __init__(self, act: Callable[[], object], blocked: Callable[[], bool]) -> None:
        self._act = act
        self._blocked = blocked
        self._errors: list[BaseException] = []
        self._thread: Thread | None = None

    def begin(self) -> None:
        thread = self._thread = Thread(target=self._run)
        thread.start()
        wait_until(lambda: not thread.is_alive() or self._blocked(), "the other has had its turn")

    def end(self) -> None:
        if self._thread is not None:
            self._thread.join()
        while self._errors:
            raise self._errors.pop()

    def _run(self) -> None:
        try:
            self._act()
        except BaseException as error:  # noqa: BLE001 - it is raised where the turn ends
            self._errors.append(error)
