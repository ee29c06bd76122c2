"""Makes the faults of a plan, each at its moment, and takes back in the end what can be taken back."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import redis

from bench.chaos.faults.journal import Journal, Struck
from bench.chaos.faults.messages import Messages
from bench.chaos.faults.plan import FaultKind, PlannedFault
from bench.chaos.fleet import ChaosFleet
from runtime.logs import logger

_log = logger(__name__)

_AT_ONCE: Final = 16
_PAUSE: Final = 0.1
_LONGEST_WAIT: Final = 60.0
"""Seconds in which a server that was ended must answer again."""
_COMMITS_WITHIN: Final = 10.0
_SLOWEST: Final = 8.0

_SERVER_SIGNALS: Final[Mapping[FaultKind, tuple[str, signal.Signals]]] = {
    FaultKind.BROKER_RESTARTED: ("valkey", signal.SIGTERM),
    FaultKind.BROKER_KILLED: ("valkey", signal.SIGKILL),
    FaultKind.DATABASE_RESTARTED: ("postgres", signal.SIGINT),
    FaultKind.DATABASE_CRASHED: ("postgres", signal.SIGQUIT),
    FaultKind.DATABASE_KILLED: ("postgres", signal.SIGKILL),
}


class Injector:
    """Strikes a fleet with the faults of a plan."""

    def __init__(self, fleet: ChaosFleet, journal: Journal, messages: Messages) -> None:
        self._fleet = fleet
        self._journal = journal
        self._messages = messages
        self._frozen: set[int] = set()
        self._ends = 0.0
        self._lock = threading.Lock()

    def make(self, plan: Sequence[PlannedFault], seconds: float, stopped: threading.Event) -> None:
        """Make every fault at its moment, within this time; return when the last is over."""
        began, made = time.monotonic(), list[Future[None]]()
        self._ends = began + seconds
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fault") as pool:
            for fault in plan:
                if stopped.wait(max(began + fault.at - time.monotonic(), 0)):
                    break
                made.append(pool.submit(self._make, fault, stopped))
        for each in made:
            each.result()

    def heal(self) -> None:
        """Let nothing go wrong any more: what is frozen goes on, what is armed is disarmed."""
        for pid in list(self._frozen):
            self._signal(pid, signal.SIGCONT)
        self._fleet.proxy.disarm()
        with contextlib.suppress(OSError):
            self._fleet.provider.disarm()

    def _make(self, fault: PlannedFault, stopped: threading.Event) -> None:
        kind = fault.kind
        try:
            match kind:
                case FaultKind.PROCESS_KILLED | FaultKind.POOL_KILLED:
                    self._kill(fault)
                case FaultKind.PROCESS_FROZEN | FaultKind.POOL_FROZEN:
                    self._freeze(fault, stopped)
                case kind if kind in _SERVER_SIGNALS:
                    self._restart(kind)
                case FaultKind.CLOCK_OFF:
                    with self._journal.fault(kind, fault.target) as tally:
                        self._fleet.start_beside(fault.target, fault.times)
                        tally.number = 1
                case FaultKind.COMMIT_CUT:
                    with self._journal.fault(kind, "committed" if _is_committed(fault) else "lost") as tally:
                        self._cut_commits(fault, tally)
                case _:
                    with self._journal.fault(kind) as tally:
                        tally.number = self._make_message_or_provider(fault)
        except (OSError, redis.RedisError) as error:
            # Another fault was faster: what this one would have struck is away.
            _log.warning("a fault was not made", kind=kind.value, error=type(error).__name__)

    def _struck(self, fault: PlannedFault) -> list[int]:
        """The processes that the fault strikes, once they run; none when they do not before the faults end."""
        while time.monotonic() < self._ends:
            pids = self._fleet.pids(fault.target)
            whole = fault.kind in (FaultKind.PROCESS_KILLED, FaultKind.PROCESS_FROZEN)
            if pids and (whole or len(pids) > 1):
                return pids if whole else pids[1:2]
            time.sleep(_PAUSE)
        return []

    def _kill(self, fault: PlannedFault) -> None:
        pids = self._struck(fault)
        with self._journal.fault(fault.kind, fault.target, pids) as tally:
            # What a killed process had started is killed by its supervisor.
            tally.number = sum(self._signal(pid, signal.SIGKILL) for pid in pids[:1])

    def _freeze(self, fault: PlannedFault, stopped: threading.Event) -> None:
        pids = self._struck(fault)
        with self._journal.fault(fault.kind, fault.target, pids) as tally:
            self._frozen.update(pids)
            tally.number = sum(self._signal(pid, signal.SIGSTOP) for pid in pids)
            stopped.wait(max(min(fault.seconds, self._ends - time.monotonic()), 0))
            for pid in pids:
                self._signal(pid, signal.SIGCONT)
            self._frozen.difference_update(pids)

    def _restart(self, kind: FaultKind) -> None:
        name, number = _SERVER_SIGNALS[kind]
        # One at a time: a server that starts is not struck again before it answers.
        with self._lock:
            pids = self._fleet.pids(name)[:1]
            with self._journal.fault(kind, name, pids) as tally:
                tally.number = sum(self._signal(pid, number) for pid in pids)
                self._wait_for_server(name, pids)

    def _wait_for_server(self, name: str, before: Sequence[int]) -> None:
        deadline = time.monotonic() + _LONGEST_WAIT
        while time.monotonic() < deadline:
            pids = self._fleet.pids(name)[:1]
            if pids and pids != list(before) and (name != "postgres" or self._fleet.is_database_ready):
                return
            time.sleep(_PAUSE)

    def _cut_commits(self, fault: PlannedFault, tally: Struck) -> None:
        proxy = self._fleet.proxy
        before, deadline = proxy.cuts, time.monotonic() + _COMMITS_WITHIN
        proxy.cut_next(fault.times, committed=_is_committed(fault))
        while proxy.cuts - before < fault.times and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        tally.number = proxy.cuts - before

    def _make_message_or_provider(self, fault: PlannedFault) -> int:
        match fault.kind:
            case FaultKind.BROKER_FLUSHED:
                return self._messages.flush()
            case FaultKind.MESSAGES_REPEATED:
                return self._messages.repeat(fault.times)
            case FaultKind.MESSAGES_REORDERED:
                return self._messages.reorder(fault.times)
            case FaultKind.MESSAGES_TRUNCATED:
                return self._messages.truncate(fault.times)
            case _:
                self._fleet.provider.arm(_written(fault), requests=fault.times)
                return fault.times

    @staticmethod
    def _signal(pid: int, number: signal.Signals) -> int:
        """1 when the process was there to be signalled."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return 0
        return 1


def _is_committed(fault: PlannedFault) -> bool:
    return fault.times % 2 == 0


def _written(fault: PlannedFault) -> object:
    """The fault as the provider reads it."""
    match fault.kind:
        case FaultKind.PROVIDER_SLOW:
            return {"kind": "slow", "seconds": min(fault.seconds, _SLOWEST)}
        case FaultKind.PROVIDER_FAILING:
            return {"kind": "status", "status": 503, "times": 2}
        case FaultKind.PROVIDER_ANSWER_LOST:
            return "accept_then_drop"
        case FaultKind.CALLBACK_LOST:
            return "no_callback"
        case FaultKind.CALLBACKS_REPEATED:
            return {"kind": "duplicate_callback", "times": 3}
        case _:
            return "callback_before_response"
