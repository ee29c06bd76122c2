"""The servers behind the fleet: a broker that forgets everything, a database that goes away."""

import signal

import pytest
import redis

from tests.support.fleet.running_fleet import RunningFleet
from tests.support.fleet.scripted_orders import ScriptedOrder, orders
from tests.support.waiting import wait_until


def test_a_broker_that_forgets_everything_loses_no_order(fleet: RunningFleet) -> None:
    batch = orders(40, pause=1.0)
    fleet.accept(batch)
    wait_until(lambda: fleet.value(_DONE, _ids(batch)) > 20, "the orders are under way")
    fleet.broker.flushall()
    further = orders(15)
    fleet.send(*(order.message for order in further))
    wait_until(lambda: fleet.value(_KNOWN, _ids(further)) == 15, "the stream is read again")
    fleet.broker.flushall()
    fleet.carry_to_the_end(batch + further)


def test_a_broker_that_is_killed_loses_no_order_and_ends_no_worker(fleet: RunningFleet) -> None:
    names = ("tick", "worker-contact", "worker-triage", "worker-action", "worker-audit")
    before = {name: fleet.process(name).pid for name in names}
    batch = orders(40, pause=1.0)
    fleet.accept(batch)
    wait_until(lambda: fleet.value(_DONE, _ids(batch)) > 20, "the orders are under way")
    fleet.kill_process("valkey")
    further = orders(15)
    fleet.accept(further)
    fleet.carry_to_the_end(batch + further)
    assert {name: fleet.process(name).pid for name in names} == before


def test_a_broker_that_is_frozen_for_longer_than_anybody_waits_leaves_no_worker_deaf(
    fleet: RunningFleet,
) -> None:
    names = ("tick", "worker-contact", "worker-triage", "worker-action", "worker-audit")
    before = {name: fleet.process(name).pid for name in names}
    batch = orders(40, pause=1.0)
    fleet.accept(batch)
    wait_until(lambda: fleet.value(_DONE, _ids(batch)) > 20, "the orders are under way")
    fleet.broker.client_pause(_FROZEN_MS, all=False)
    fleet.carry_to_the_end(batch)
    assert {name: fleet.process(name).pid for name in names} == before


def test_an_order_is_taken_in_at_once_while_the_broker_is_frozen(fleet: RunningFleet) -> None:
    further = orders(5)
    fleet.broker.client_pause(_FROZEN_MS, all=True)
    fleet.accept(further)
    with (
        pytest.raises(redis.TimeoutError),
        redis.Redis.from_url(fleet.document["broker_url"], socket_timeout=0.1) as impatient,
    ):
        impatient.ping()
    fleet.carry_to_the_end(further)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_database_that_restarts_finds_the_workers_waiting(
    fleet: RunningFleet, number: signal.Signals
) -> None:
    names = ["worker-contact", "worker-triage", "worker-action", "worker-audit", "worker-orchestrator", "api"]
    before = {name: fleet.process(name).pid for name in names}
    batch = orders(40, pause=1.0)
    fleet.accept(batch)
    wait_until(lambda: fleet.value(_DONE, _ids(batch)) > 20, "the orders are under way")
    fleet.kill_process("postgres", number)
    fleet.carry_to_the_end(batch)
    assert {name: fleet.process(name).pid for name in names} == before


_FROZEN_MS = 13_000
"""Longer than a worker's socket waits for the broker."""
_DONE = "SELECT count(*) FROM steps WHERE subject_id = ANY(%s) AND kind = 'action' AND state = 'done'"
_KNOWN = "SELECT count(*) FROM tasks WHERE task_id = ANY(%s)"


def _ids(batch: list[ScriptedOrder]) -> list[str]:
    return [order.task_id for order in batch]
