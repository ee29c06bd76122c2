"""A fleet whose servers are on hosts of their own: a broker that changes its master, RabbitMQ as the wire."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import httpx2
import pytest
import redis
from kombu import Connection

from fleet.probes import answers
from fleet.supervisor.ports import free_port
from tests.support.fleet.running_fleet import RunningFleet
from tests.support.fleet.scripted_orders import ScriptedOrder, orders
from tests.support.fleet.sentinel import MASTER, WatchedBroker
from tests.support.rabbitmq import RabbitServer
from tests.support.scanned_figures import counted, scanned
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
    further, streamed, queued = orders(20), orders(20), orders(10)
    fleet.accept(further)
    with watched_broker.master() as master:
        # What is no message ends no worker, there as on a server of its own.
        master.lpush("contact", "no message")
        for order in streamed:
            master.xadd("task.created", {"payload": order.message})
        publish(queued, watched_broker.url, master_name=MASTER)
        fleet.carry_to_the_end([*batch, *further, *streamed, *queued])
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
        publish(queued, rabbit_server.url)
        fleet.catch_at_work("contact")
        fleet.kill_process("worker-contact")
        # The broker, too: what a producer has sent and nobody confirmed is lost with it.
        rabbit_server.stop()
        rabbit_server.start()
        fleet.carry_to_the_end([*batch, *streamed, *queued])
        follow_and_count(fleet, beside)
        assert not beside.exists("contact", "tick", "_kombu.binding.contact"), (
            "messages are on RabbitMQ alone"
        )


@pytest.fixture
def several(tmp_path: Path) -> Iterator[tuple[RunningFleet, str]]:
    """Two APIs, with the address of the second, two intakes and upkeeps, three ticks and beats, as on three hosts."""
    fleet = RunningFleet(tmp_path / "fleet")
    try:
        fleet.start()
        port = free_port()
        with ExitStack() as stack:
            for name in ("tick", "tick", "beat", "beat", "intake", "upkeep", "outbound"):
                like = "worker-outbound" if name == "outbound" else name
                stack.enter_context(fleet.beside(like, "-m", "workers", name))
            stack.enter_context(
                fleet.beside(
                    "api",
                    *("-m", "fleet.api_process"),
                    ready=answers(f"http://127.0.0.1:{port}/v1/health/live"),
                    UNPEND_API_PORT=str(port),
                )
            )
            yield fleet, f"http://127.0.0.1:{port}/v1"
    finally:
        fleet.remove()


def test_several_of_each_process_share_the_work_and_do_nothing_twice(
    several: tuple[RunningFleet, str],
) -> None:
    fleet, second_api = several
    posted, streamed, queued = orders(80, pause=1.0), orders(60, pause=1.0), orders(60)
    batch = [*posted, *streamed, *queued]
    ids = [order.task_id for order in batch]
    begun = Barrier(4)

    def post(api: str) -> Counter[int]:
        key = {"Authorization": f"Bearer {fleet.document['keys']['orchestrator']}"}
        begun.wait()
        with httpx2.Client(base_url=api, headers=key, timeout=180) as client:
            return Counter(
                client.post("/agents/orchestrator/tasks/start", json=order.payload).status_code
                for order in posted
            )

    def stream() -> None:
        begun.wait()
        fleet.send(*(order.message for order in (*streamed, *streamed)))

    def queue() -> None:
        begun.wait()
        publish([*queued, *queued], fleet.document["broker_url"])

    with ThreadPoolExecutor(4) as pool:
        answers_of = [pool.submit(post, api) for api in (fleet.document["api"], second_api)]
        sent = [pool.submit(stream), pool.submit(queue)]
        assert [answered.result() for answered in answers_of] == [Counter({200: len(posted)})] * 2
        for one in sent:
            one.result()
    wait_until(lambda: fleet.value(_ORDERS, ids) == len(ids), "every order is in", explain=fleet.log)
    fleet.carry_to_the_end(batch)
    assert fleet.value(_RUNS, ids) == len(ids)
    assert not fleet.value(_TWICE)
    assert not fleet.value("SELECT count(*) FROM rejects")
    wait_until(lambda: counted(fleet.database) == scanned(fleet.database), "each row is counted once")
    assert counted(fleet.database)["orders", "closed"] == len(ids)


_ORDERS = "SELECT count(*) FROM tasks WHERE task_id = ANY(%s)"
_RUNS = "SELECT count(*) FROM runs WHERE subject_id = ANY(%s)"
_TWICE = "SELECT count(*) - count(DISTINCT (task_id, round, contact_no)) FROM contact_logs"
"""A step worked twice would have contacted, moved or acted twice; `check` looks at the last two."""


def follow_and_count(fleet: RunningFleet, server: "redis.Redis") -> None:
    """The live state is written to this Redis, requests are counted there, and the API says that all is well."""
    wait_until(lambda: server.exists("unpend:live:fresh"), "the live state is written there")
    answer = httpx2.get(
        f"{fleet.document['api']}/tasks",
        headers={"Authorization": f"Bearer {fleet.document['keys']['orchestrator']}"},
    )
    assert answer.status_code == httpx2.codes.OK
    ready = httpx2.get(f"{fleet.document['api']}/health/ready")
    assert ready.status_code == httpx2.codes.OK, ready.text
    assert list(server.scan_iter("unpend:rate*")), "requests are counted there"


def publish(batch: Sequence[ScriptedOrder], url: str, **options: str) -> None:
    """Publish orders to the queue of the intake, as upstream does with kombu."""
    with Connection(url, transport_options=options) as connection:
        for order in batch:
            connection.Producer().publish(
                order.payload, exchange=EXCHANGE, routing_key="task.created", declare=[QUEUE]
            )
