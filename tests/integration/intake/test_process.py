"""The process that takes messages in serves both entry points, and ends when told to."""

import threading

import pytest
from structlog.testing import capture_logs

from tests.support.factories import payload
from tests.support.in_process_fleet import settings_for
from tests.support.intake.intake_process import IntakeProcess
from tests.support.rabbitmq import RabbitServer
from tests.support.waiting import wait_until
from workers.intake.process import take_in
from workers.intake.stream import StreamIntake
from workers.process import Process


class BothDoors:
    """The whole process, as a test serves one entry point."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def run(self, stopped: threading.Event) -> None:
        take_in(self._process, stopped)


def test_one_process_serves_the_stream_and_the_queue(ground: IntakeProcess) -> None:
    queued, streamed = payload(), payload()
    ground.publish(queued)
    ground.add(streamed)
    with ground.served_by(BothDoors(ground.process)):
        ground.wait_for(queued, streamed)
        wait_until(ground.stream_is_done, "the stream is empty")
    assert ground.sources() == {queued["task_id"]: "queue", streamed["task_id"]: "stream"}


def test_orders_of_one_task_at_both_entry_points_make_one_order(ground: IntakeProcess) -> None:
    order, last = payload(), payload()
    ground.publish(*[order] * 20)
    for _ in range(20):
        ground.add(order)
    with ground.served_by(BothDoors(ground.process)):
        ground.publish(last)
        ground.wait_for(order, last)
        wait_until(ground.stream_is_done, "the stream is empty")
    assert ground.value("SELECT count(*) FROM runs WHERE subject_id = %s", order["task_id"]) == 1
    assert ground.rejects() == []


def test_a_process_that_has_no_redis_says_so_when_it_starts_and_serves_the_queue_alone(
    database_url: str, rabbit_server: RabbitServer, broker_url: str
) -> None:
    ground = IntakeProcess.build(database_url, broker_url)
    alone = Process(settings_for(database_url, rabbit_server.url), ground.process.app, name="intake")
    ground.queue_url = rabbit_server.url
    ground.forget_queue()
    order = payload()
    ground.publish(order)
    with capture_logs() as lines, ground.served_by(BothDoors(alone)):
        ground.wait_for(order)
    (told,) = (line for line in lines if line["log_level"] == "warning")
    assert told["reason"] == "UNPEND_BROKER_URL is no Redis, and UNPEND_LIMITS_URL is not set"
    with pytest.raises(ValueError, match="there is no stream to read: UNPEND_BROKER_URL is no Redis"):
        StreamIntake(alone)
    alone.engine.close()
    alone.database.close()
    ground.close()
