"""What an operator who watches Flower is shown of messages and of Celery tasks."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from fleet.supervisor.ports import free_port
from tasks.forms import EntryPoint
from tasks.orders.intake.intake import accept
from tests.support.factories import answered, submission
from tests.support.fleet.worker_events import hearing
from tests.support.fleet.worker_process import worker_process
from tests.support.in_process_fleet import settings_for
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from workers.agent import soft_limit
from workers.app import HARD_LIMIT_MARGIN, make_app
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


def test_the_page_of_a_worker_shows_the_limits_of_each_of_its_tasks(
    process: Process, database_url: str, broker_url: str, tmp_path: Path
) -> None:
    soft = soft_limit(process.engine.registry.get("contact.initiate_contact"))
    limits = f"contact.initiate_contact [soft_time_limit={soft} time_limit={soft + HARD_LIMIT_MARGIN}]"
    port = free_port()
    flower = {"FLOWER_BASIC_AUTH": "operator:password", "UNPEND_FLOWER_PORT": str(port)}
    with (
        worker_process("contact", database_url, broker_url, tmp_path),
        worker_process("flower", database_url, broker_url, tmp_path, **flower),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", auth=("operator", "password"), timeout=60) as page,
    ):

        def shows_them() -> bool:
            with contextlib.suppress(httpx2.RequestError):
                return limits in page.get(f"/worker/contact@{socket.gethostname()}").text
            return False

        wait_until(shows_them, "the page shows the limits", pause=0.5)
