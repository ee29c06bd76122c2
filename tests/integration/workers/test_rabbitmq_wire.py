"""RabbitMQ as the wire: what the engine asks of a broker, a worker on it, and Flower."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from kombu import Connection, pools

from engine.publisher import Message, WireUnavailable
from engine.rescue.tick import Tick
from fleet.supervisor.ports import free_port
from storage.engine.steps import StepKey
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import accept
from tests.support.agents import QUEUES
from tests.support.factories import answered, submission
from tests.support.fleet.worker_process import kill, worker_process
from tests.support.in_process_fleet import settings_for
from tests.support.probe import Probe
from tests.support.rabbitmq import RabbitServer
from tests.support.waiting import wait_until
from workers.app import make_app
from workers.process import Process
from workers.wire import CeleryWire

MESSAGE = Message("contact", "contact.initiate_contact", (StepKey(1, 1),), ("HT1",))


@pytest.fixture
def process(database_url: str, rabbit_server: RabbitServer) -> Iterator[Process]:
    """The parts of one process of the fleet, over a RabbitMQ without any queue."""
    with Connection(rabbit_server.url) as connection:
        for queue in (*QUEUES, "tick", "upkeep"):
            connection.channel().queue_delete(queue)
    # Which queues a connection has made it remembers.
    pools.reset()
    settings = settings_for(database_url, rabbit_server.url)
    parts = Process(settings, make_app(settings), name="test")
    yield parts
    parts.engine.close()
    parts.database.close()
    parts.app.close()


def test_a_queue_that_no_worker_has_made_yet_is_empty_and_holds_up_no_other(process: Process) -> None:
    wire = CeleryWire(process.app)
    assert wire.depths(QUEUES) == dict.fromkeys(QUEUES, 0)
    wire.publish([MESSAGE, MESSAGE])
    # Nobody waits until the broker has confirmed a message.
    wait_until(lambda: wire.depths(QUEUES) == dict.fromkeys(QUEUES, 0) | {"contact": 2}, "they wait there")
    wire.purge("contact")
    assert wire.depths(["contact"]) == {"contact": 0}


def test_a_broker_that_does_not_answer_is_away_and_its_late_answers_are_nobodys(
    process: Process, rabbit_server: RabbitServer
) -> None:
    moment = [0.0]
    wire = CeleryWire(process.app, clock=lambda: moment[0])
    wire.publish([MESSAGE])
    wait_until(lambda: wire.depths(["contact"]) == {"contact": 1}, "it waits there")
    with rabbit_server.frozen(), pytest.raises(WireUnavailable):
        wire.depths(["triage", "contact"])
    moment[0] += 60
    assert wire.depths(["contact", "triage"]) == {"contact": 1, "triage": 0}


def test_what_a_killed_worker_held_is_delivered_to_the_next_and_worked_once(
    process: Process, database_url: str, rabbit_server: RabbitServer, tmp_path: Path
) -> None:
    orders = [submission(answered()) for _ in range(20)]
    with worker_process("contact", database_url, rabbit_server.url, tmp_path) as worker:
        names = [f"contact@{socket.gethostname()}"]
        wait_until(lambda: process.app.control.inspect(names).ping(), "the worker answers")
        worker.send_signal(signal.SIGSTOP)
        accept(process.engine, process.context, orders, EntryPoint.COMMAND)
        wait_until(lambda: process.publisher.depths(["contact"])["contact"] == 0, "it has been handed over")
        kill(worker)
    wait_until(lambda: process.publisher.depths(["contact"])["contact"] > 0, "it is given back")
    tick = Tick(process.engine, process.publisher)
    look = Probe(process.database)

    def is_done() -> bool:
        tick.sweep()
        return bool(look.value("SELECT count(*) FROM contact_logs WHERE status = 'concluded'") == len(orders))

    with worker_process("contact", database_url, rabbit_server.url, tmp_path):
        wait_until(is_done, "every contact is made")
    assert look.value("SELECT count(*) FROM contact_logs") == len(orders)


def test_flower_shows_workers_and_tasks_and_not_the_lengths_of_queues(
    process: Process, database_url: str, rabbit_server: RabbitServer, tmp_path: Path
) -> None:
    port = free_port()
    flower = {"FLOWER_BASIC_AUTH": "operator:password", "UNPEND_FLOWER_PORT": str(port)}
    with (
        worker_process("contact", database_url, rabbit_server.url, tmp_path),
        worker_process("flower", database_url, rabbit_server.url, tmp_path, **flower),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", auth=("operator", "password"), timeout=60) as page,
    ):

        def shows(path: str, *words: str) -> bool:
            with contextlib.suppress(httpx2.RequestError):
                shown = page.get(path).text
                return all(word in shown for word in words)
            return False

        host = socket.gethostname()
        wait_until(
            lambda: shows(f"/worker/contact@{host}", "contact.initiate_contact ["), "limits", pause=0.5
        )
        wait_until(lambda: shows("/workers?json=1", f"contact@{host}", "worker-heartbeat"), "events come")
        accept(process.engine, process.context, [submission(answered())], EntryPoint.COMMAND)
        wait_until(lambda: shows("/api/tasks", "contact.initiate_contact"), "the task is listed", pause=0.5)
        assert page.get("/api/queues/length").json() == {"active_queues": []}
