"""Orders a second: through whole workflows, through the accept path alone, through the stream."""

import time
from collections.abc import Callable
from typing import Final

import redis

from bench.fleet import MeasuredFleet
from bench.orders import documents, submissions
from storage.engine.queues import Queues
from storage.orders.orders import Orders
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import accept
from workers.intake.stream import STREAM

_BATCH: Final = 500
_LOOK: Final = 0.02
_PATIENCE: Final = 600.0


def workflows(fleet: MeasuredFleet, count: int) -> float:
    """Whole workflows a second: from the first order's accept to the last one's close."""
    process, orders = fleet.process, submissions(count)
    open_before = _not_closed(fleet)
    began = time.perf_counter()
    for start in range(0, count, _BATCH):
        accept(process.engine, process.context, orders[start : start + _BATCH], EntryPoint.COMMAND)
    _wait(lambda: _not_closed(fleet) <= open_before, "the orders to be closed")
    return count / (time.perf_counter() - began)


def wait_for_close(fleet: MeasuredFleet) -> None:
    """Wait until every order is closed and the stream is empty, so that one measurement leaves nothing to the next."""
    client = redis.Redis.from_url(fleet.process.settings.broker_url.get_secret_value())
    _wait(lambda: client.xlen(STREAM) == 0 and _not_closed(fleet) == 0, "every order to be closed")
    client.close()


def wait_for_rest(fleet: MeasuredFleet) -> None:
    """Wait until nothing is under way; orders that outside agents are to drive stay as they are."""
    client = redis.Redis.from_url(fleet.process.settings.broker_url.get_secret_value())
    _wait(lambda: client.xlen(STREAM) == 0 and not _busy(fleet), "the fleet to rest")
    client.close()


def _busy(fleet: MeasuredFleet) -> bool:
    with fleet.process.database.transaction() as work:
        return Queues(work).horizon().busy


def accept_only(fleet: MeasuredFleet, count: int) -> float:
    """Orders a second through the accept path of one process."""
    process, orders = fleet.process, submissions(count)
    began = time.perf_counter()
    for start in range(0, count, 2 * _BATCH):
        accept(process.engine, process.context, orders[start : start + 2 * _BATCH], EntryPoint.COMMAND)
    return count / (time.perf_counter() - began)


def stream_intake(fleet: MeasuredFleet, count: int) -> float:
    """Orders a second through the stream, from the last one sent to the last one committed and deleted."""
    client = redis.Redis.from_url(fleet.process.settings.broker_url.get_secret_value())
    intake = fleet.parts()["intake"]
    intake.suspend()
    try:
        with client.pipeline(transaction=False) as pipeline:
            for document in documents(count):
                pipeline.xadd(STREAM, {"payload": document})
            pipeline.execute()
    finally:
        intake.resume()
    began = time.perf_counter()
    _wait(lambda: client.xlen(STREAM) == 0, "the stream to be empty")
    seconds = time.perf_counter() - began
    client.close()
    return count / seconds


def _not_closed(fleet: MeasuredFleet) -> int:
    with fleet.process.database.transaction() as work:
        return Orders(work).open_count()


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {_PATIENCE:.0f} s for {what}; see the logs in the bench's folder")
        time.sleep(_LOOK)
