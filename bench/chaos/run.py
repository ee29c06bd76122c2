"""One run: a fleet is started, orders are sent while faults are made, everything comes to rest and is judged."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.chaos.checks.checker import Judgement, check
from bench.chaos.customers import ChaosOrder, draw_orders
from bench.chaos.faults.injection import Injector
from bench.chaos.faults.journal import Journal
from bench.chaos.faults.messages import Messages
from bench.chaos.faults.plan import FaultKind, PlannedFault, draw_plan
from bench.chaos.fleet import ChaosFleet
from bench.chaos.lives import Lives
from bench.chaos.producers import SentOrders, producers_of
from fleet.simulator.ledger import KeyCount, ProviderLedger
from fleet.time_jump import JumpResult, TimeJumper
from schemas.core.agents import read_agents
from storage.core.unavailable import StorageUnavailable
from storage.orders.consistency.ledger import WholeLedger
from storage.orders.consistency.pauses import Pauses
from storage.orders.consistency.rescues import RescueLog
from storage.orders.consistency.violations import Consistency
from storage.orders.figures.figures import Ledger
from workers.intake.queue import QUEUE

_LONGEST_SCALE: Final = 20_000.0
_BUSINESS_SECONDS: Final = 80 * 86_400.0
"""How far the business clock may go in a run: what is old is removed, and the checker wants to see it."""
_LOOK: Final = 0.5
_REST_SECONDS: Final = 1200.0
"""Seconds within which everything must rest once the faults are over."""
_CALLBACK_SECONDS: Final = 30.0
_PAUSES_EVERY: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOptions:
    """What a run is to be."""

    seed: int
    seconds: float
    """How long faults are made."""
    orders: int
    kills: int
    """The least number of processes that are killed."""


@dataclass(frozen=True, slots=True)
class ChaosProgress:
    """How far a run is."""

    phase: str
    elapsed: float
    sent: int
    accepted: int
    ledger: Ledger
    faults: int
    kills: int


@dataclass(frozen=True, slots=True)
class ChaosResult:
    """What came of a run."""

    judgement: Judgement
    ledger: Ledger
    sent: SentOrders
    faults: Counter[FaultKind]
    kills: int
    provider: tuple[KeyCount, ...]
    callbacks: int
    """Callbacks that were taken in, each once."""
    review_reasons: Counter[str]
    rested: bool


@dataclass(slots=True)
class ChaosRun:
    """A run in a folder of its own; `run` belongs to the main thread."""

    options: ChaosOptions
    folder: Path
    show: Callable[[ChaosProgress], None]
    journal: Journal
    _fleet: ChaosFleet = field(init=False)
    _lives: Lives = field(default_factory=Lives)
    _sent: SentOrders = field(default_factory=SentOrders)
    _phase: str = "starting"
    _began: float = 0.0
    is_under_way: bool = False
    """Whether everything has started, so that it can be stopped in order."""
    _ledger: Ledger = field(default_factory=lambda: Ledger(0, 0, 0, 0))

    def __post_init__(self) -> None:
        scale = min(_LONGEST_SCALE, _BUSINESS_SECONDS / (2 * self.options.seconds))
        self._fleet = ChaosFleet(self.folder, time_scale=scale)

    def run(self, stopped: threading.Event) -> ChaosResult | None:
        """Carry the run out and return what came of it; `None` when it was stopped. Everything has ended then."""
        try:
            self._fleet.start()
            with self._fleet.database.transaction() as work:
                RescueLog(work).install()
            self.is_under_way = True
            return self._under_way(stopped)
        finally:
            self._fleet.stop()

    def remove(self) -> None:
        """Delete every file."""
        self._fleet.remove()

    def places(self) -> list[str]:
        """Where the files are: the folder, and the servers' own where they run as another account."""
        return sorted({str(self.folder), str(self._fleet.postgres.folder.parent)})

    def _under_way(self, stopped: threading.Event) -> ChaosResult | None:
        self._began = time.monotonic()
        over = threading.Event()
        with ThreadPoolExecutor(3, thread_name_prefix="chaos") as pool:
            running = [pool.submit(self._lives.watch), pool.submit(self._tend, over)]
            conducted = pool.submit(self._conduct, stopped)
            try:
                self._fleet.watch(
                    lambda: stopped.is_set() or conducted.done() or any(each.done() for each in running)
                )
            finally:
                stopped.set()
                over.set()
                self._lives.stop()
        for each in running:
            each.result()
        return conducted.result()

    def _conduct(self, stopped: threading.Event) -> ChaosResult | None:
        options = self.options
        orders = draw_orders(options.seed, number=options.orders, seconds=options.seconds)
        agents = read_agents(self._fleet.settings.config_folder)
        messages = Messages(self._fleet.operator_url, [*agents.queues, str(QUEUE.name)], options.seed)
        injector = Injector(self._fleet, self.journal, messages)
        self._phase = "faults"
        producers = producers_of(self._fleet, orders, self._sent)
        with ThreadPoolExecutor(len(producers), thread_name_prefix="producer") as pool:
            sending = [pool.submit(producer.run, stopped) for producer in producers]
            try:
                injector.make(self._plan(), options.seconds, stopped)
                stopped.wait(max(self._began + options.seconds - time.monotonic(), 0))
            finally:
                injector.heal()
                messages.close()
            self._phase = "coming to rest"
            rested = self._come_to_rest(sending, stopped)
            if stopped.is_set():
                return None
            self._phase = "judging"
            result = self._judge(orders, rested=rested)
            stopped.set()
        for each in sending:
            each.result()
        return result

    def _plan(self) -> tuple[PlannedFault, ...]:
        names = self._fleet.names()
        return draw_plan(
            self.options.seed,
            seconds=self.options.seconds,
            kills=self.options.kills,
            processes=names,
            pools=[name for name in names if name.startswith("worker-")],
        )

    def _come_to_rest(self, sending: list[Future[None]], stopped: threading.Event) -> bool:
        """Wait until every order is in and nothing is to happen any more; `False` when that took too long."""
        deadline = time.monotonic() + _REST_SECONDS
        wait(sending, timeout=_REST_SECONDS)
        owed_until = time.monotonic() + _CALLBACK_SECONDS
        jumper = TimeJumper(self._fleet.database)
        while not stopped.wait(_LOOK):
            if time.monotonic() > deadline:
                return False
            with contextlib.suppress(StorageUnavailable, OSError):
                if jumper.look() is not JumpResult.SETTLED:
                    continue
                owed = self._fleet.provider.ledger()["callbacks_owed"]
                if (not owed or time.monotonic() > owed_until) and jumper.look() is JumpResult.SETTLED:
                    return True
        return False

    def _judge(self, orders: tuple[ChaosOrder, ...], *, rested: bool) -> ChaosResult:
        ledger = ProviderLedger(self._fleet.provider_ledger)
        counts = tuple(ledger.keys())
        ledger.close()
        with self._fleet.database.transaction() as work:
            judgement = check(
                work,
                orders=orders,
                sent=self._sent,
                ledger=counts,
                faults=self.journal.records,
                lives=self._lives,
                lease_seconds=self._fleet.settings.lease_seconds,
            )
            return ChaosResult(
                judgement=judgement,
                ledger=WholeLedger(work).look(),
                sent=self._sent,
                faults=self.journal.counts(),
                kills=self.journal.kills,
                provider=counts,
                callbacks=Consistency(work).callbacks(),
                review_reasons=Counter(Consistency(work).review_reasons()),
                rested=rested,
            )

    def _tend(self, over: threading.Event) -> None:
        """Show how far it is; end pauses that would outlast the run."""
        paused_at = 0.0
        while not over.wait(_LOOK):
            with contextlib.suppress(StorageUnavailable), self._fleet.database.transaction() as work:
                self._ledger = WholeLedger(work).look()
                if time.monotonic() - paused_at > _PAUSES_EVERY:
                    Pauses(work).end_long()
                    paused_at = time.monotonic()
            self.show(
                ChaosProgress(
                    phase=self._phase,
                    elapsed=time.monotonic() - self._began,
                    sent=len(self._sent.times),
                    accepted=len(self._sent.accepted),
                    ledger=self._ledger,
                    faults=len(self.journal.records),
                    kills=self.journal.kills,
                )
            )
