"""The orders whose rows are copied: the fleet carries a few of each kind as far as they are to come."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from bench.fleet import MeasuredFleet
from bench.orders import payloads
from bench.scale.filling import Share
from schemas.orders.intake import TaskCreated
from statemachine.orders.states import State
from storage.core.unit_of_work import UnitOfWork
from storage.orders.orders import Orders
from storage.people.reviews import Reviews
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import Submission, accept

_EACH: Final = 5
_PATIENCE: Final = 120.0
_LOOK: Final = 0.1

Arrived = Callable[[UnitOfWork, str], bool]


def _in_state(state: State) -> Arrived:
    return lambda work, task_id: Orders(work).find([task_id])[task_id].status == state


def _asked(work: UnitOfWork, task_id: str) -> bool:
    return Reviews(work).open_of(task_id) is not None


_KINDS: Final[tuple[tuple[int, tuple[str, ...], float, Arrived], ...]] = (
    (60, ("配件到了，可以安排师傅上门了", "可以的，你们过来修吧"), 0, _in_state(State.CLOSED)),
    (30, ("配件还没到，等配件到了再说",), 0, _in_state(State.WAITING_FOLLOWUP)),
    (5, ("配件到了，可以安排师傅上门了",), 80_000, _in_state(State.CONTACTING)),
    (5, ("我要投诉你们，太差劲了",), 0, _asked),
)
"""Of each kind: hundredths, what the customers say, after how many seconds, and how far the orders are to come."""


def carry(fleet: MeasuredFleet) -> list[Share]:
    """Let the fleet carry the orders that are copied: closed, waiting for a follow-up or a call, in review."""
    kinds = [
        (hundredths, list(_submissions(words, seconds)), arrived)
        for hundredths, words, seconds, arrived in _KINDS
    ]
    process = fleet.process
    accept(process.engine, process.context, [one for _, some, _ in kinds for one in some], EntryPoint.COMMAND)
    shares = []
    for hundredths, some, arrived in kinds:
        task_ids = [one.body.task_id for one in some]
        _wait(fleet, task_ids, arrived)
        shares.append(Share(hundredths, task_ids))
    return shares


def _submissions(words: Sequence[str], seconds: float) -> Iterator[Submission]:
    for number, payload in enumerate(payloads(_EACH)):
        said = {"result": "answered", "transcript": words[number % len(words)], "delay_seconds": seconds}
        payload["metadata"]["simulation"] = [said]
        yield Submission(TaskCreated.model_validate(payload))


def _wait(fleet: MeasuredFleet, task_ids: Sequence[str], arrived: Arrived) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        with fleet.process.database.transaction() as work:
            late = [task_id for task_id in task_ids if not arrived(work, task_id)]
        if not late:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{', '.join(late)} did not come as far as they should in {_PATIENCE:.0f} s")
        time.sleep(_LOOK)
