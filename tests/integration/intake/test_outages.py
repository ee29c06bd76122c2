"""Doors for messages while something is away: nothing is lost, nothing is done twice (SPEC.md §5)."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from redis import Redis
from structlog.testing import capture_logs

from runtime.settings import Settings
from tests.support.factories import payload
from tests.support.intake.intake_process import IntakeProcess
from tests.support.rabbitmq import RabbitServer
from tests.support.servers import Servers
from tests.support.waiting import wait_until
from workers.intake.queue import QueueIntake
from workers.intake.stream import StreamIntake


def connect(url: str) -> "psycopg.Connection[Any]":
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


@contextmanager
def without_postgres(servers: Servers, ground: IntakeProcess) -> Iterator[None]:
    """This test's database lets nobody in, as one that is away."""
    name = ground.settings.database_url.get_secret_value().rsplit("/", 1)[1]
    with connect(servers.admin_url) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        yield
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def environment_of(settings: Settings) -> dict[str, str]:
    """Settings as another process is told them."""
    told = dict(os.environ)
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if value is not None:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            told[f"UNPEND_{name.upper()}"] = text
    return told


def kill_between_commit_and_acknowledgement(ground: IntakeProcess, kind: str, project: Path) -> None:
    died = subprocess.run(
        [sys.executable, "-m", "tests.support.intake.dying", kind],
        cwd=project,
        env=environment_of(ground.settings),
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-2000:]


def runs_of(ground: IntakeProcess, order: Mapping[str, Any]) -> int:
    return int(ground.value("SELECT count(*) FROM runs WHERE subject_id = %s", order["task_id"]))


def test_messages_in_the_queue_wait_for_postgres(queued: IntakeProcess, servers: Servers) -> None:
    order = payload()
    with queued.served_by(QueueIntake(queued.process)):
        with without_postgres(servers, queued):
            queued.publish(order)
            wait_until(lambda: queued.waiting() == 0, "the message is in the hands of intake")
        queued.wait_for(order)


def test_an_intake_that_is_stopped_while_postgres_is_away_gives_its_messages_back(
    queued: IntakeProcess, servers: Servers
) -> None:
    with without_postgres(servers, queued):
        queued.publish(payload(), payload())
        with queued.served_by(QueueIntake(queued.process)):
            wait_until(lambda: queued.waiting() == 0, "the messages are in the hands of intake")
        assert queued.waiting() == 2


def test_a_broken_connection_to_redis_is_made_again(ground: IntakeProcess, operator_url: str) -> None:
    first, second = payload(), payload()
    with ground.served_by(QueueIntake(ground.process)), Redis.from_url(operator_url) as operator:
        ground.publish(first)
        ground.wait_for(first)
        for client in operator.client_list():
            if "brpop" in client["cmd"]:
                operator.client_kill_filter(_id=client["id"])
        ground.publish(second)
        ground.wait_for(second)


def test_a_rabbitmq_that_is_started_again_is_found_again_with_what_it_kept(
    rabbit: IntakeProcess, rabbit_server: RabbitServer
) -> None:
    first, second = payload(), payload()
    with rabbit.served_by(QueueIntake(rabbit.process)):
        rabbit.publish(first)
        rabbit.wait_for(first)
    rabbit.publish(second)
    with rabbit.served_by(QueueIntake(rabbit.process)):
        rabbit.wait_for(second)
        rabbit_server.stop()
        rabbit_server.start()
        third = payload()
        rabbit.publish(third)
        rabbit.wait_for(third)


def test_after_a_kill_between_commit_and_acknowledgement_rabbitmq_delivers_again_and_no_second_order_is_made(
    rabbit: IntakeProcess, project: Path
) -> None:
    order = payload()
    rabbit.publish(order)
    kill_between_commit_and_acknowledgement(rabbit, "queue", project)
    assert runs_of(rabbit, order) == 1
    wait_until(lambda: rabbit.waiting() == 1, "RabbitMQ has the message again")
    with rabbit.served_by(QueueIntake(rabbit.process)):
        wait_until(lambda: rabbit.waiting() == 0, "the message is taken again")
    assert runs_of(rabbit, order) == 1
    assert rabbit.rejects() == []


def test_after_a_kill_between_commit_and_acknowledgement_redis_delivers_again_and_no_second_order_is_made(
    ground: IntakeProcess, project: Path
) -> None:
    order, after = payload(), payload()
    ground.publish(order)
    kill_between_commit_and_acknowledgement(ground, "queue", project)
    assert runs_of(ground, order) == 1
    # The half minute after which it counts as abandoned is over.
    ground.broker.zincrby("unpend.intake.unacked_index", -60, ground.broker.hkeys("unpend.intake.unacked")[0])
    with ground.served_by(QueueIntake(ground.process)):
        wait_until(lambda: ground.broker.hlen("unpend.intake.unacked") == 0, "the message is taken again")
        ground.publish(after)
        ground.wait_for(after)
    assert runs_of(ground, order) == 1
    assert ground.rejects() == []


def test_after_a_kill_between_commit_and_deletion_the_stream_delivers_again_and_no_second_order_is_made(
    ground: IntakeProcess, project: Path
) -> None:
    order = payload()
    ground.add(order)
    kill_between_commit_and_acknowledgement(ground, "stream", project)
    assert runs_of(ground, order) == 1
    assert not ground.stream_is_done()
    with ground.served_by(StreamIntake(ground.process)):
        wait_until(ground.stream_is_done, "the message is taken again and deleted")
    assert runs_of(ground, order) == 1
    assert ground.rejects() == []


@pytest.mark.parametrize("url", ["amqp://guest:wrong@127.0.0.1:{port}//", "amqp://guest:wrong@127.0.0.1:1//"])
def test_an_intake_that_is_not_let_in_says_so_without_the_password_and_waits(
    rabbit: IntakeProcess, rabbit_server: RabbitServer, url: str
) -> None:
    address = SecretStr(url.format(port=rabbit_server.port))
    rabbit.process.settings = rabbit.settings.model_copy(update={"intake_amqp_url": address})
    with capture_logs() as lines, rabbit.served_by(QueueIntake(rabbit.process)):
        wait_until(lambda: _said(lines, "queue intake waits"), "intake says that it waits")
    assert "wrong" not in repr(lines)


def _said(lines: Sequence[Mapping[str, Any]], event: str) -> bool:
    return any(line["event"] == event for line in lines)
