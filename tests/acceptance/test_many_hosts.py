"""A fleet whose servers are on hosts of their own: a broker that changes its master, RabbitMQ as the wire."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import redis
from kombu import Connection

from tests.support.fleet.running_fleet import RunningFleet
from tests.support.fleet.scripted_orders import orders
from tests.support.fleet.sentinel import MASTER, WatchedBroker
from tests.support.rabbitmq import RabbitServer
from tests.support.waiting import wait_until
from workers.intake.queue import EXCHANGE, QUEUE

_CLOSED = "SELECT count(*) FROM tasks WHERE status = 'closed'"


@pytest.fixture
def watched_broker(tmp_path: Path) -> Iterator[WatchedBroker]:
    with WatchedBroker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def watched_fleet(watched_broker: WatchedBroker, database_url: str, tmp_path: Path) -> Iterator[RunningFleet]:
    fleet = RunningFleet(
        tmp_path / "fleet",
        UNPEND_DATABASE_URL=database_url,
        UNPEND_BROKER_URL=watched_broker.url,
        UNPEND_SENTINEL_MASTER=MASTER,
    )
    try:
        yield fleet.start()
    finally:
        fleet.remove()


def test_orders_before_and_after_a_failover_of_the_broker_all_end_and_nobody_is_called_twice(
    watched_fleet: RunningFleet, watched_broker: WatchedBroker
) -> None:
    fleet = watched_fleet
    names = ("tick", "intake", "worker-contact", "worker-triage", "worker-action", "worker-audit")
    before = {name: fleet.process(name).pid for name in names}
    batch = orders(40, pause=1.0)
    fleet.accept(batch)
    wait_until(lambda: fleet.value(_CLOSED) > 5, "the orders are under way")
    watched_broker.lose_master()
    further, streamed = orders(20), orders(20)
    fleet.accept(further)
    with watched_broker.master() as master:
        # What is no message ends no worker, there as on a server of its own.
        master.lpush("contact", "no message")
        for order in streamed:
            master.xadd("task.created", {"payload": order.message})
        fleet.carry_to_the_end([*batch, *further, *streamed])
        assert master.xlen("task.created") == 0
        assert not master.llen("contact")
        follow_and_count(fleet, master)
    assert {name: fleet.process(name).pid for name in names} == before


@pytest.fixture
def fleet_on_rabbitmq(
    rabbit_server: RabbitServer, broker_url: str, database_url: str, tmp_path: Path
) -> Iterator[RunningFleet]:
    """The messages on RabbitMQ, and what may be lost in a Redis."""
    fleet = RunningFleet(
        tmp_path / "fleet",
        UNPEND_DATABASE_URL=database_url,
        UNPEND_BROKER_URL=rabbit_server.url,
        UNPEND_LIMITS_URL=broker_url,
    )
    try:
        yield fleet.start()
    finally:
        fleet.remove()


def test_on_rabbitmq_every_order_ends_though_a_worker_is_killed_in_mid_step(
    fleet_on_rabbitmq: RunningFleet, rabbit_server: RabbitServer, operator_url: str
) -> None:
    fleet = fleet_on_rabbitmq
    batch, streamed, queued = orders(160, pause=1.0), orders(20), orders(20)
    fleet.accept(batch)
    with redis.Redis.from_url(operator_url, decode_responses=True) as beside:
        for order in streamed:
            beside.xadd("task.created", {"payload": order.message})
        with Connection(rabbit_server.url) as connection:
            for order in queued:
                connection.Producer().publish(
                    order.payload, exchange=EXCHANGE, routing_key="task.created", declare=[QUEUE]
                )
        fleet.catch_at_work("contact")
        fleet.kill_process("worker-contact")
        fleet.carry_to_the_end([*batch, *streamed, *queued])
        follow_and_count(fleet, beside)
        assert not beside.exists("contact", "tick", "_kombu.binding.contact"), (
            "messages are on RabbitMQ alone"
        )


def follow_and_count(fleet: RunningFleet, server: "redis.Redis") -> None:
    """The live state is written to this Redis, and requests are counted there."""
    wait_until(lambda: server.exists("unpend:live:fresh"), "the live state is written there")
    answer = httpx2.get(
        f"{fleet.document['api']}/tasks",
        headers={"Authorization": f"Bearer {fleet.document['keys']['orchestrator']}"},
    )
    assert answer.status_code == httpx2.codes.OK
    assert list(server.scan_iter("unpend:rate*")), "requests are counted there"
