"""What an operator who watches Flower is shown of messages and of Celery tasks."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tasks.forms import EntryPoint
from tasks.orders.intake.intake import accept
from tests.support.factories import answered, submission
from tests.support.fleet.worker_process import worker_process
from tests.support.in_process_fleet import settings_for
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from workers.app import make_app
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
    shown: list[str] = []

    def receive(event: Mapping[str, Any]) -> None:
        if event["name"] == "contact.initiate_contact":
            shown.append(event["args"])

    with process.app.connection_for_read() as connection:
        receiver = process.app.events.Receiver(connection, handlers={"task-received": receive})
        with (
            receiver.consumer_context(wakeup=False) as (listening, _, _),
            worker_process("contact", database_url, broker_url, tmp_path),
        ):
            orders = [submission(answered()) for _ in range(5)]
            accept(process.engine, process.context, orders, EntryPoint.COMMAND)

            def told() -> bool:
                with contextlib.suppress(TimeoutError):
                    listening.drain_events(timeout=1)
                return bool(shown)

            wait_until(told, "the worker tells of the message")
    steps = Probe(process.database).rows(
        "SELECT subject_id, step_id FROM steps WHERE queue = 'contact' ORDER BY step_id"
    )
    first = ", ".join(f"{step.subject_id} step {step.step_id}" for step in steps[:3])
    assert shown == [f"({first}, 2 more)"]
