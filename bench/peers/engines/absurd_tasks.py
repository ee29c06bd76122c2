"""Absurd: a task of six steps, each a checkpoint in PostgreSQL."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bench.peers.peer import STEPS, WORKERS, Ground, Peer, RunningPeer, carrying, mark_ready
from fleet.embedded.binaries import postgres_bin

_QUEUE: Final = "noops"
_CONCURRENCY: Final = 10
"""Tasks that a process claims at a time and works on in threads, as `start_worker` does. Coroutines cost more CPU."""
_POLL_SECONDS: Final = 0.05
"""How long an idle process waits; its own 0.25 s would count against it at the start."""
_DONE: Final = f"SELECT count(*) FROM absurd.t_{_QUEUE} WHERE state = 'completed'"


@contextmanager
def _run(ground: Ground) -> Iterator[RunningPeer]:
    from absurd_sdk import Absurd

    _install(ground)
    app = Absurd(ground.database_url, queue_name=_QUEUE)
    app.create_queue()

    def enqueue(count: int) -> None:
        for _ in range(count):
            app.spawn("noops", {}, queue=_QUEUE)

    commands = {f"worker-{number}": (__name__,) for number in range(WORKERS)}
    try:
        with ground.processes(commands) as parts:
            yield RunningPeer(carry=carrying(ground, enqueue, lambda: ground.count(_DONE)), parts=parts)
    finally:
        app.close()


def _install(ground: Ground) -> None:
    """Make its tables with its own command, which brings them along and calls `psql`."""
    path = f"{postgres_bin()}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [sys.executable, "-c", "import absurdctl; absurdctl.main()", "init"],
        env=os.environ | {"PATH": path, "ABSURD_DATABASE_URL": ground.database_url},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _work() -> None:
    from absurd_sdk import Absurd

    database_url, _ = Ground.environment()
    app = Absurd(database_url, queue_name=_QUEUE)

    def rest() -> None:
        """Do nothing."""

    def noops(_: Any, context: Any) -> None:
        for number in range(STEPS):
            context.step(f"step-{number}", rest)

    app.register_task(name="noops")(noops)
    mark_ready()
    app.start_worker(concurrency=_CONCURRENCY, poll_interval=_POLL_SECONDS)


ABSURD_TASKS: Final = Peer(
    name="absurd", is_durable_peer=True, packages=("absurd_sdk", "absurdctl"), run=_run
)

if __name__ == "__main__":
    _work()
