"""Ours, the whole order: `pending_task` with contact, triage, audit and events, on a fleet as `unpend up` starts it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.fleet import measured_fleet
from bench.peers.candidate import Candidate, Ground, Workers
from bench.throughput import workflows


@contextmanager
def _run(ground: Ground) -> Iterator[Workers]:
    servers = {"UNPEND_DATABASE_URL": ground.sqlalchemy_url, "UNPEND_BROKER_URL": ground.broker_url}
    with measured_fleet("instant", servers) as fleet:

        def carry(count: int) -> None:
            workflows(fleet, count)

        yield Workers(carry=carry, parts=fleet.parts())


WHOLE_ORDERS: Final = Candidate(name="ours-order", run=_run)
