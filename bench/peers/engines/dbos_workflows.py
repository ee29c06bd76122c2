"""DBOS: a workflow of six steps on a queue."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.peers.peer import STEPS, WORKERS, Ground, Peer, RunningPeer, carrying, mark_ready
from storage.core.database import Database

_QUEUE: Final = "noops"
_CONCURRENCY: Final = 20
"""Workflows at once in one process, in threads: as many as its pool has connections. As coroutines they cost more."""
_POLL_SECONDS: Final = 0.1
"""How often its queue is looked at, which is when free threads are given work; its own 1 s would hold it back."""
_DONE: Final = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'"


@contextmanager
def _run(ground: Ground) -> Iterator[RunningPeer]:
    from dbos import DBOSClient

    commands = {f"worker-{number}": (__name__, str(number)) for number in range(WORKERS)}
    # The workers make its tables when they launch, and before that no client can connect.
    with ground.processes(commands) as parts, Database(ground.sqlalchemy_url, None) as database:
        client = DBOSClient(system_database_url=ground.sqlalchemy_url)

        def enqueue(count: int) -> None:
            with database.transaction() as work:
                for _ in range(count):
                    client.enqueue_in_transaction(
                        work.connection, {"workflow_name": "noops", "queue_name": _QUEUE}
                    )

        try:
            yield RunningPeer(carry=carrying(ground, enqueue, lambda: ground.count(_DONE)), parts=parts)
        finally:
            client.destroy()


def _work(number: str) -> None:
    from dbos import DBOS

    database_url, _ = Ground.environment()
    DBOS(
        config={
            "name": "peers",
            "system_database_url": database_url.replace("postgresql://", "postgresql+psycopg://"),
            "executor_id": f"worker-{number}",
            "application_version": "1",
            "log_level": "WARNING",
        }
    )

    def rest() -> None:
        """Do nothing."""

    step = DBOS.step(name="rest")(rest)

    def noops() -> None:
        for _ in range(STEPS):
            step()

    DBOS.workflow(name="noops")(noops)
    DBOS.launch()
    DBOS.register_queue(_QUEUE, worker_concurrency=_CONCURRENCY, polling_interval_sec=_POLL_SECONDS)
    mark_ready()
    threading.Event().wait()


DBOS_WORKFLOWS: Final = Peer(name="dbos", is_durable_peer=True, packages=("dbos",), run=_run)

if __name__ == "__main__":
    _work(sys.argv[1])
