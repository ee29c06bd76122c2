"""A bare Celery chain of six tasks: nothing of it is durable, and it shows what the wire alone costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import redis
from celery import Celery, chain
from celery.signals import worker_ready

from bench.peers.peer import STEPS, WORKERS, Ground, Peer, RunningPeer, carrying, mark_ready

_DONE: Final = "peers.done"
_PREFETCHED: Final = 64
"""Celery's guide to optimizing wants a multiplier of 50 or 150 for many short tasks."""


def _chain_app(broker_url: str) -> Celery:
    app = Celery("chain", broker=broker_url, set_as_current=False)
    app.conf.update(
        result_backend=None,
        task_ignore_result=True,
        worker_prefetch_multiplier=_PREFETCHED,
        task_default_queue="chain",
    )

    def rest() -> None:
        """Do nothing."""

    def finish() -> None:
        """Count the chain whose last task this is."""
        _client(broker_url).incr(_DONE)

    app.task(rest, name="chain.rest", shared=False)
    app.task(finish, name="chain.finish", shared=False)
    return app


@cache
def _client(broker_url: str) -> redis.Redis:
    return redis.Redis.from_url(broker_url)


@contextmanager
def _run(ground: Ground) -> Iterator[RunningPeer]:
    app = _chain_app(ground.broker_url)
    client = redis.Redis.from_url(ground.broker_url)
    rest, finish = app.tasks["chain.rest"], app.tasks["chain.finish"]

    def enqueue(count: int) -> None:
        with app.producer_or_acquire() as producer:
            for _ in range(count):
                steps = [rest.si() for _ in range(STEPS - 1)]
                chain(*steps, finish.si(), app=app).apply_async(producer=producer)

    def done() -> int:
        counted: Any = client.get(_DONE)
        return int(counted or 0)

    try:
        with ground.processes({"worker": (__name__,)}) as parts:
            yield RunningPeer(carry=carrying(ground, enqueue, done), parts=parts)
    finally:
        client.close()
        app.close()


def _work() -> None:
    _, broker_url = Ground.environment()
    worker_ready.connect(lambda **_: mark_ready(), weak=False)
    _chain_app(broker_url).worker_main(
        [
            "worker",
            f"--concurrency={WORKERS}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=WARNING",
        ]
    )


CELERY_CHAIN: Final = Peer(name="celery-chain", run=_run)

if __name__ == "__main__":
    _work()
