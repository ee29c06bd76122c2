"""What an operator who watches Flower is shown of messages and of Celery tasks."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from celery import Celery
from redis import Redis
from sqlalchemy import make_url

from fleet.supervisor.ports import free_port
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import accept
from tests.support.factories import answered, submission
from tests.support.fleet.worker_events import hearing
from tests.support.fleet.worker_process import worker_process
from tests.support.in_process_fleet import settings_for
from tests.support.probe import Probe
from tests.support.servers import Servers
from tests.support.waiting import wait_until
from workers.agent import soft_limit
from workers.app import HARD_LIMIT_MARGIN, make_app
from workers.inspection import watch_alone
from workers.process import Process


@pytest.fixture
def process(database_url: str, broker_url: str) -> Iterator[Process]:
    """The parts of one more process of the fleet, which takes orders in."""
    settings = settings_for(database_url, broker_url)
    parts = Process(settings, make_app(settings), name="test")
    yield parts
    parts.engine.close()
    parts.database.close()
    parts.app.close()


def test_a_message_shows_the_task_ids_and_the_steps_of_its_first_rows_and_the_number_of_the_others(
    process: Process, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    with (
        hearing(process.app, "task-received") as received,
        worker_process("contact", database_url, broker_url, tmp_path),
    ):
        orders = [submission(answered()) for _ in range(5)]
        accept(process.engine, process.context, orders, EntryPoint.COMMAND)
        wait_until(received, "the worker tells of the message")
        shown = [event["args"] for event in received()]
    steps = Probe(process.database).rows(
        "SELECT subject_id, step_id FROM steps WHERE queue = 'contact' ORDER BY step_id"
    )
    first = ", ".join(f"{step.subject_id} step {step.step_id}" for step in steps[:3])
    assert shown == [f"({first}, 2 more)"]


@pytest.fixture
def asking(servers: Servers, database_url: str, broker_url: str) -> Iterator[Celery]:
    """An app that asks workers as Flower does, as Flower's user of the broker."""
    app = make_app(settings_for(database_url, servers.broker_url_as("flower")))
    watch_alone(app)
    yield app
    app.close()


def test_flower_shows_workers_tasks_and_queues_and_needs_no_more_than_its_user_may_do(
    process: Process, servers: Servers, operator_url: str, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    soft = soft_limit(process.engine.registry.get("contact.initiate_contact"))
    limits = f"contact.initiate_contact [soft_time_limit={soft} time_limit={soft + HARD_LIMIT_MARGIN}]"
    port = free_port()
    flower = {"FLOWER_BASIC_AUTH": "operator:password", "UNPEND_FLOWER_PORT": str(port)}
    flower_url = servers.broker_url_as("flower")
    with (
        Redis.from_url(operator_url, decode_responses=True) as operator,
        worker_process("contact", database_url, broker_url, tmp_path),
        worker_process("flower", database_url, flower_url, tmp_path, **flower),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", auth=("operator", "password"), timeout=60) as page,
    ):

        def shows(path: str, *words: str) -> bool:
            with contextlib.suppress(httpx2.RequestError):
                shown = page.get(path).text
                return all(word in shown for word in words)
            return False

        operator.acl_log_reset()
        host = socket.gethostname()
        wait_until(lambda: shows(f"/worker/contact@{host}", limits), "the page shows the limits", pause=0.5)
        wait_until(lambda: shows("/workers?json=1", f"contact@{host}", "worker-heartbeat"), "events come")
        accept(process.engine, process.context, [submission(answered())], EntryPoint.COMMAND)
        wait_until(lambda: shows("/api/tasks", "contact.initiate_contact"), "the task is listed", pause=0.5)
        length = '"name": "contact", "messages": '
        wait_until(lambda: shows("/api/queues/length", length), "the queue is listed", pause=0.5)
        assert not [line for line in operator.acl_log() if line["username"] == "flower"]


def test_who_watches_commands_no_worker(
    asking: Celery, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    with worker_process("contact", database_url, broker_url, tmp_path) as worker:
        names = [f"contact@{socket.gethostname()}"]
        wait_until(lambda: asking.control.inspect(names).ping(), "the worker answers")
        for command in ("cancel_consumer", "pool_shrink", "rate_limit", "revoke", "shutdown", "hello"):
            asking.control.broadcast(command, {"queue": "contact", "n": 1, "task_id": "x"})
        assert asking.control.inspect(names, timeout=30, limit=1).ping()
        assert asking.control.inspect(names, timeout=30, limit=1).active_queues()
        assert worker.poll() is None


def test_no_answer_of_a_worker_holds_the_word_by_which_it_reaches_the_broker(
    asking: Celery, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    word = make_url(broker_url).password
    assert word
    names = [f"contact@{socket.gethostname()}"]
    with worker_process("contact", database_url, broker_url, tmp_path):
        wait_until(lambda: asking.control.inspect(names).ping(), "the worker answers")
        for question in ("active_queues", "conf", "registered", "stats"):
            answer = getattr(asking.control.inspect(names, timeout=30, limit=1), question)()
            assert answer
            assert word not in repr(answer)
