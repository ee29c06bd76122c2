"""Runs the sample orders: loads them once, advances the clock until all are settled, and sums them up."""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from fleet.time_jump import JumpResult, TimeJumper
from runtime.logs import logger
from schemas.orders.intake import TaskCreated
from statemachine.orders.states import State
from storage.core.unavailable import StorageUnavailable
from storage.engine.clock import BusinessClock
from storage.orders.fleet_view import FleetView, OrderStatus
from storage.orders.orders import Orders
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import Submission, accept
from workers.process import Process

_log = logger(__name__)

FIRST_MORNING: Final = datetime(2026, 3, 16, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
"""A Monday at 09:00: when the samples' customers are first called."""

_HORIZON_DAYS: Final = 7
"""Working days ahead beyond which a wait is left standing."""

_LOOK: Final = 0.03
_LOOK_AT_LEISURE: Final = 2.0
_SHOW_EVERY: Final = 0.25
"""Seconds between two readings of every order while the fleet is at work."""

_LONGEST_HORIZON: Final = timedelta(days=30)
_CLOSED_BECAUSE: Final = {
    "visit_arranged": "客户同意上门",
    "cancelled_by_customer": "客户取消",
    "contact_failed": "多次联系未果",
    "closed_by_person": "人工关闭",
    "cancelled": "上游取消",
    "timed_out": "超时",
}


@dataclass(frozen=True, slots=True)
class SampleProgress:
    """The progress of the sample orders."""

    business_now: datetime
    states: Counter[str]
    settled: int
    total: int
    jumps: int


@dataclass(slots=True)
class Demonstration:
    """Moves the business clock over idle time, in a thread beside the supervisor."""

    process: Process
    time_jump: bool
    show: Callable[[SampleProgress], None]
    finished: Callable[[Sequence[OrderStatus], datetime], None]
    stopped: threading.Event = field(default_factory=threading.Event)
    _jumps: int = 0
    _settled: bool = False
    _shown: float = 0.0

    def run(self, samples: Sequence[Path]) -> None:
        """Load the samples if the installation is new, then continue until everything is settled.

        Each file arrives on a morning of its own, when what came before is settled; so what the last one asks of
        people is of today. Without samples there is no end: the clock jumps whenever orders wait, also those that
        arrive later.
        """
        try:
            for nth, sample in enumerate(samples, 1):
                if nth > 1:
                    self._wait_for_morning(sample)
                self.load(sample)
                self._carry(ends=True, is_last=nth == len(samples))
            if not samples and self.time_jump:
                self._carry(ends=False)
        except StorageUnavailable as error:
            _log.error("the demonstration ended: PostgreSQL is away", error=str(error))

    def load(self, sample: Path) -> int:
        """Accept the sample orders; those already known change nothing."""
        submissions = _submissions(sample)
        accept(self.process.engine, self.process.context, submissions, EntryPoint.COMMAND)
        return len(submissions)

    def _wait_for_morning(self, sample: Path) -> None:
        """Let it be the next working day at nine, unless these orders have arrived before."""
        if not self.time_jump or self.stopped.is_set():
            return
        names = [submission.body.task_id for submission in _submissions(sample)]
        with self.process.database.transaction() as work:
            now = BusinessClock(work).now().business_now.astimezone(FIRST_MORNING.tzinfo)
            day = self.process.context.calendar.add_working_days(now.date(), 1)
            if not Orders(work).find(names):
                BusinessClock(work).set(datetime.combine(day, FIRST_MORNING.timetz()))

    def _carry(self, *, ends: bool, is_last: bool = True) -> None:
        jumper = TimeJumper(self.process.database)
        while not self.stopped.wait(self._pause()):
            try:
                if self._look(jumper, ends=ends, is_last=is_last):
                    return
            except StorageUnavailable:
                # The supervisor brings PostgreSQL back; the orders are safe meanwhile.
                self.stopped.wait(0.5)

    def _pause(self) -> float:
        if not self.time_jump:
            return _LOOK_AT_LEISURE
        return _SHOW_EVERY if self._settled else _LOOK

    def _look(self, jumper: TimeJumper, *, ends: bool, is_last: bool) -> bool:
        """Show the progress; jump if the fleet is idle and orders wait. Whether this is the end."""
        busy = jumper.look(timedelta(0)) is JumpResult.BUSY
        if busy and time.monotonic() - self._shown < _SHOW_EVERY:
            return False
        self._shown = time.monotonic()
        with self.process.database.transaction() as work:
            now = BusinessClock(work).now().business_now
            statuses = FleetView(work).statuses()
        horizon = self._horizon(now)
        settled = sum(status.is_settled(horizon) for status in statuses)
        was_settled, self._settled = self._settled, settled == len(statuses)
        if not (was_settled and self._settled):
            self.show(
                SampleProgress(now, Counter(s.status for s in statuses), settled, len(statuses), self._jumps)
            )
        if busy:
            return False
        if self._settled:
            if ends and is_last:
                self.finished(statuses, now)
            return ends
        if self.time_jump and jumper.look(_LONGEST_HORIZON) is JumpResult.JUMPED:
            self._jumps += 1
        return False

    def _horizon(self, now: datetime) -> datetime:
        day = self.process.context.calendar.add_working_days(now.date(), _HORIZON_DAYS)
        return now + timedelta(days=(day - now.date()).days)


def _submissions(sample: Path) -> list[Submission]:
    lines = sample.read_text(encoding="utf-8").splitlines()
    return [Submission(TaskCreated.model_validate(json.loads(line))) for line in lines if line.strip()]


def summary(statuses: Sequence[OrderStatus]) -> list[tuple[str, str, list[str]]]:
    """Group every order by outcome and reason: (outcome, reason, task ids)."""
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for status in statuses:
        groups[_outcome(status)].append(status.task_id)
    order = {"closed": 0, "in review": 1, "parked": 2}
    ranked = sorted(groups.items(), key=lambda group: (order.get(group[0][0], 3), -len(group[1])))
    return [(outcome, reason, ids) for (outcome, reason), ids in ranked]


def _outcome(status: OrderStatus) -> tuple[str, str]:
    if status.status == State.CLOSED:
        reason = status.finish_reason or ""
        return "closed", f"{reason} ({_CLOSED_BECAUSE.get(reason, '')})"
    if status.review_reason is not None:
        return "in review", status.review_reason
    if status.due_at is not None:
        return (
            "parked",
            f"{status.status} until {status.due_at.astimezone(FIRST_MORNING.tzinfo):%Y-%m-%d %H:%M}",
        )
    return status.status, f"{status.node} is {status.step_state}"
