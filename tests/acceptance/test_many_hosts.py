"""A fleet whose servers are on hosts of their own: a broker that changes its master, RabbitMQ as the wire."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.fleet.running_fleet import RunningFleet
from tests.support.fleet.scripted_orders import orders
from tests.support.fleet.sentinel import MASTER, WatchedBroker
from tests.support.waiting import wait_until

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
        wait_until(lambda: master.exists("unpend:live:fresh"), "the live state is written there")
        answer = httpx2.get(
            f"{fleet.document['api']}/tasks",
            headers={"Authorization": f"Bearer {fleet.document['keys']['orchestrator']}"},
        )
        assert answer.status_code == httpx2.codes.OK
        assert list(master.scan_iter("unpend:rate*")), "requests are counted there"
    assert {name: fleet.process(name).pid for name in names} == before
