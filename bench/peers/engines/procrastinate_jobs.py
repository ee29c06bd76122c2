"""Procrastinate: it has no workflows, so six jobs, each of which defers the next one before it ends."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bench.peers.peer import STEPS, WORKERS, Ground, Peer, RunningPeer, carrying, mark_ready

_CONCURRENCY: Final = 10
"""Jobs at once in one process: coroutines, as its guide to concurrency has it. With 1 and with 30 a job cost more."""
_DONE: Final = (
    "SELECT count(*) FROM procrastinate_jobs "
    f"WHERE status = 'succeeded' AND (args->>'number')::integer = {STEPS}"
)


def _app(database_url: str) -> tuple[Any, Any]:
    """The app and its one task."""
    from procrastinate import App, PsycopgConnector

    # A connection for each job at once, and one to listen on; new jobs are told by NOTIFY, as is its default.
    app = App(
        connector=PsycopgConnector(conninfo=database_url, min_size=1, max_size=_CONCURRENCY + 1),
    )

    async def step(number: int) -> None:
        if number < STEPS:
            await task.defer_async(number=number + 1)

    task = app.task(name="step")(step)
    return app, task


@contextmanager
def _run(ground: Ground) -> Iterator[RunningPeer]:
    app, task = _app(ground.database_url)
    with app.open():
        app.schema_manager.apply_schema()

        def enqueue(count: int) -> None:
            task.batch_defer(*({"number": 1} for _ in range(count)))

        commands = {f"worker-{number}": (__name__,) for number in range(WORKERS)}
        with ground.processes(commands) as parts:
            yield RunningPeer(carry=carrying(ground, enqueue, lambda: ground.count(_DONE)), parts=parts)


async def _work() -> None:
    database_url, _ = Ground.environment()
    app, _ = _app(database_url)
    async with app.open_async():
        mark_ready()
        await app.run_worker_async(concurrency=_CONCURRENCY)


PROCRASTINATE_JOBS: Final = Peer(
    name="procrastinate", is_durable_peer=True, packages=("procrastinate",), run=_run
)

if __name__ == "__main__":
    asyncio.run(_work())
