"""Ours, the whole order: `pending_task` with contact, triage, audit and events, on a fleet as `unpend up` starts it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.fleet import measured_fleet
from bench.peers.peer import Ground, Peer, RunningPeer
from bench.throughput import workflows


@contextmanager
def _run(ground: Ground) -> Iterator[RunningPeer]:
    servers = {"UNPEND_DATABASE_URL": ground.sqlalchemy_url, "UNPEND_BROKER_URL": ground.broker_url}
    with measured_fleet("instant", servers) as fleet:

        def carry(count: int) -> None:
            workflows(fleet, count)

        yield RunningPeer(carry=carry, parts=fleet.parts())


WHOLE_ORDERS: Final = Peer(name="ours-order", run=_run)
