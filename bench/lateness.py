"""Many follow-ups due at one moment: how fast they are woken, and how late each is woken and begun."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bench.fleet import MeasuredFleet
from bench.latency import percentile
from bench.orders import payloads
from bench.throughput import wait_for_rest
from schemas.orders.intake import TaskCreated
from storage.engine.clock import BusinessClock
from storage.engine.queues import Queues
from storage.orders.fleet_view import FleetView
from storage.orders.orders import Orders
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import Submission, accept

_BATCH: Final = 500
_AT_REST: Final = 5_000
"""Orders that are taken in before the fleet is left to carry them."""
_LOOK: Final = 0.02
_PATIENCE: Final = 600.0
_PATIENCE_EACH: Final = 0.05
_FOLLOWUP: Final = "orchestrator.open_round"
_WORDS: Final = ("配件还没到，等配件到了再说", "配件到了，可以安排师傅上门了")


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds from the moment at which all were due until each was woken and begun, in order of size."""

    woken: Sequence[float]
    begun: Sequence[float]
    most_messages: int
    """The most that waited at the broker at a time."""

    @property
    def lines(self) -> list[str]:
        """The figures in words."""
        rate, most = (
            len(self.woken) / self.woken[-1],
            f"{self.most_messages:,} messages at the broker at most",
        )
        return [
            f"{len(self.woken):,} follow-ups due at one moment: {rate:,.0f} woken a second, {most}",
            *(
                f"  lateness {stage}: "
                + ", ".join(f"P{share} {percentile(seconds, share / 100):.2f} s" for share in (50, 95, 99))
                for stage, seconds in (("woken", self.woken), ("begun", self.begun))
            ),
        ]


def followups(fleet: MeasuredFleet, count: int) -> Lateness:
    """Let so many orders wait for a follow-up, and all of them be due at once; the fleet carries them to their end.

    Raises:
        RuntimeError: some of them did not wait for a follow-up, or were not woken.
        TimeoutError: the fleet does not come to rest.
    """
    database = fleet.process.database
    with database.transaction() as work:
        mark = FleetView(work).last_step_id()
        moment = BusinessClock(work).now().business_now + timedelta(hours=1)
    task_ids = _accepted(fleet, count)
    waiting = 0
    for start in range(0, count, _BATCH):
        with fleet.process.engine.transaction() as transaction:
            for order in Orders(transaction.work).find(task_ids[start : start + _BATCH]).values():
                waiting += transaction.bring_forward(order.run_id, moment)
    if waiting != count:
        raise RuntimeError(f"{count - waiting} of {count} orders do not wait for a follow-up")
    with database.transaction() as work:
        BusinessClock(work).set(moment)
    most = _watched(fleet, _PATIENCE + count * _PATIENCE_EACH)
    with database.transaction() as work:
        late = FleetView(work).lateness_since(mark, _FOLLOWUP)
    if len(late) != count:
        raise RuntimeError(f"{len(late)} of {count} follow-ups were woken and begun")
    woken, begun = zip(*late, strict=True)
    return Lateness(sorted(woken), sorted(begun), most)


def _accepted(fleet: MeasuredFleet, count: int) -> list[str]:
    """Orders whose customers want a follow-up first; when this returns, they wait for it."""
    process, task_ids = fleet.process, []
    for start in range(0, count, _AT_REST):
        orders = []
        for payload in payloads(min(_AT_REST, count - start)):
            payload["metadata"]["simulation"] = [
                {"result": "answered", "transcript": words, "delay_seconds": 0} for words in _WORDS
            ]
            orders.append(Submission(TaskCreated.model_validate(payload)))
        for begin in range(0, len(orders), _BATCH):
            accept(process.engine, process.context, orders[begin : begin + _BATCH], EntryPoint.COMMAND)
        wait_for_rest(fleet)
        task_ids += [order.body.task_id for order in orders]
    return task_ids


def _watched(fleet: MeasuredFleet, patience: float) -> int:
    """Wait until nothing is due or under way any more; the most messages that waited at the broker meanwhile."""
    process, most = fleet.process, 0
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        most = max(most, sum(process.publisher.depths(process.engine.queues).values()))
        with process.database.transaction() as work:
            now, ahead = BusinessClock(work).now().business_now, Queues(work).horizon()
        if not ahead.busy and (ahead.business_due is None or ahead.business_due > now):
            return most
        time.sleep(_LOOK)
    raise TimeoutError(f"waited {patience:.0f} s for the follow-ups; see the logs in the bench's folder")
