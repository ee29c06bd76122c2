"""Faults at named points of a process: an error before or after a write, a turn of somebody else, a kill."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from types import CodeType, FrameType
from typing import Final

from engine.engine import Engine
from engine.leasing.lease import LeaseKeeper
from engine.leasing.leased_work import LeasedWork
from engine.rescue.tick import Tick
from tasks.orders.agents.sending import send_all
from tasks.orders.inbound.reports import take_reports
from tasks.orders.intake.intake import accept


class Point(StrEnum):
    """Where a fault may strike: a transaction, named after the function that opens it, or a call to the outside."""

    ACCEPT = "accept"
    CLAIM = "claim"
    INTENT = "intent"
    """The transaction that commits contacts as `sending`."""
    SEND = "send"
    """The call to the channel."""
    QUERY = "query"
    """The question to the channel what became of a contact."""
    RECORD = "record"
    PUBLISH = "publish"
    """The call to the broker."""
    REFILL = "refill"
    SURRENDER = "surrender"
    """The transaction that gives the rows of a failed batch back."""
    RENEW = "renew"
    TICK = "tick"
    """Each transaction of a tick."""
    CALLBACK = "callback"
    OTHER = "other"
    """Every other transaction: a cancel, a pause, a person's decision, a signal."""


class When(StrEnum):
    """On which side of the commit or the call."""

    BEFORE = "before"
    """Everything is written and nothing committed; of a call, nothing has left."""
    AFTER = "after"
    """It is committed, or has arrived; whoever waits for the answer has none."""


class Kind(StrEnum):
    """The kinds of faults."""

    ERROR = "error"
    """The connection breaks: before the commit nothing is written, after it the answer is lost."""
    KILL = "kill"
    """The process is gone, and with it everything that it would still have written or sent."""
    TURN = "turn"
    """The process is slow: somebody else has a turn."""


_POINT_OF: Final[Mapping[CodeType, Point]] = {
    accept.__code__: Point.ACCEPT,
    Engine.claim.__code__: Point.CLAIM,
    send_all.__code__: Point.INTENT,
    Engine.record.__code__: Point.RECORD,
    Engine.refill.__code__: Point.REFILL,
    LeasedWork._surrender.__code__: Point.SURRENDER,
    LeaseKeeper._renew.__code__: Point.RENEW,
    Tick.sweep.__code__: Point.TICK,
    take_reports.__code__: Point.CALLBACK,
}


class Killed(BaseException):
    """The process is gone; no handler of the product may go on."""


def point_here() -> Point:
    """The point that the caller's transaction belongs to, by the nearest function on the stack that opens one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        point = _POINT_OF.get(frame.f_code)
        if point is not None:
            return point
        frame = frame.f_back
    return Point.OTHER


def _nobody() -> None:
    """The turn of a fault that is none."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; it strikes once, where this point is reached after it was passed `passed` times."""

    point: Point
    when: When
    kind: Kind
    passed: int = 0
    turn: Callable[[], object] = _nobody
    """What somebody else does meanwhile, of the kind TURN."""

    def __str__(self) -> str:
        """As it is read in a failed example."""
        return f"{self.kind} {self.when} {self.point}" + (f" #{self.passed + 1}" if self.passed else "")


@dataclass(slots=True)
class FaultInjector:
    """The faults that wait for one process, and whether it is dead.

    Attributes:
        killed: Whether the process is gone: its database, publisher and channel refuse everything.
        struck: The faults that have struck, in order.
    """

    killed: bool = False
    struck: list[Fault] = field(default_factory=list)
    _waiting: dict[Fault, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def arm(self, *faults: Fault) -> None:
        """Let these faults wait for the process."""
        with self._lock:
            self._waiting |= {fault: fault.passed for fault in faults}

    def disarm(self) -> None:
        """Drop the faults that have not struck."""
        with self._lock:
            self._waiting.clear()

    def reach(self, point: Point, when: When) -> bool:
        """Let the faults of this point strike; whether the caller is to end in an error of its own kind.

        Raises:
            Killed: the process is gone.
        """
        striking = self._take(point, when)
        self.struck += striking
        for fault in striking:
            if fault.kind is Kind.TURN:
                fault.turn()
        if any(fault.kind is Kind.KILL for fault in striking):
            self.killed = True
            raise Killed(f"{when} {point}")
        return any(fault.kind is Kind.ERROR for fault in striking)

    def _take(self, point: Point, when: When) -> list[Fault]:
        with self._lock:
            here = [fault for fault in self._waiting if (fault.point, fault.when) == (point, when)]
            striking = [fault for fault in here if self._waiting[fault] == 0]
            for fault in here:
                self._waiting[fault] -= 1
            for fault in striking:
                del self._waiting[fault]
            return striking
