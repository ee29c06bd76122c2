"""A process of the fleet as the entry points for messages want it, and the verbs of a producer."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from kombu import Connection

from runtime.settings import Settings
from storage.people.rejects import Reject, Rejects
from tests.support.factories import payload
from tests.support.in_process_fleet import settings_for
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from workers.app import make_app
from workers.intake.process import Intake
from workers.intake.queue import EXCHANGE, QUEUE
from workers.intake.stream import GROUP, STREAM
from workers.process import Process

ALERTS = "SELECT count(*) FROM alerts WHERE alert_type = 'intake_rejected'"


@dataclass(slots=True)
class IntakeProcess:
    """One process's parts, a client of its broker, and the queue's server."""

    settings: Settings
    process: Process
    broker: redis.Redis
    queue_url: str

    @classmethod
    def build(cls, database_url: str, broker_url: str, queue_url: str | None = None) -> "IntakeProcess":
        """The parts; the queue is on the broker unless told otherwise."""
        settings = settings_for(database_url, broker_url, intake_amqp_url=queue_url)
        process = Process(settings, make_app(settings), name="intake")
        process.warm()
        return cls(settings, process, redis.Redis.from_url(broker_url), queue_url or broker_url)

    @contextmanager
    def served_by(self, *intakes: Intake) -> Iterator[None]:
        """Let these take messages in; each ends when told to, and without a fault."""
        stopped = threading.Event()
        faults: list[BaseException] = []

        def serve(intake: Intake) -> None:
            try:
                intake.run(stopped)
            except BaseException as error:
                faults.append(error)
                raise

        threads = [threading.Thread(target=serve, args=(intake,)) for intake in intakes]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopped.set()
            for thread in threads:
                thread.join(180)
        assert not any(thread.is_alive() for thread in threads)
        assert faults == []

    def publish(self, *bodies: object, **properties: Any) -> None:
        """Publish to the queue with kombu: an object as JSON, text and bytes as they are."""
        with Connection(self.queue_url) as connection:
            producer = connection.Producer()
            for body in bodies:
                raw = isinstance(body, str | bytes)
                form: dict[str, Any] = (
                    {"content_type": "application/json", "content_encoding": "utf-8"} if raw else {}
                )
                form |= properties
                producer.publish(
                    body,
                    exchange=EXCHANGE,
                    routing_key="task.created",
                    declare=[QUEUE],
                    **form,
                )

    def waiting(self) -> int:
        """Messages in the queue that nobody has taken."""
        with Connection(self.queue_url) as connection:
            return int(QUEUE(connection.default_channel).queue_declare().message_count)

    def forget_queue(self) -> None:
        """Begin with no queue and no exchange."""
        with Connection(self.queue_url) as connection:
            channel = connection.default_channel
            QUEUE(channel).delete()
            EXCHANGE(channel).delete()

    def add(self, payload: object, **fields: str) -> None:
        """Put a message into the stream."""
        text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        entry: dict[Any, Any] = {"payload": text, **fields}
        self.broker.xadd(STREAM, entry)

    @property
    def own_consumer(self) -> str:
        """The name under which this machine's intake reads the stream."""
        return f"intake@{socket.gethostname()}"

    def leave_behind(self, consumer: str, orders: Sequence[Mapping[str, Any]], idle_ms: int = 60_000) -> None:
        """Put orders into the stream that this consumer took so long ago and never finished."""
        for order in orders:
            self.add(order)
        self.broker.xgroup_create(STREAM, GROUP, id="0")
        self.broker.xreadgroup(GROUP, consumer, {STREAM: ">"})
        self.broker.xclaim(STREAM, GROUP, consumer, 0, self.entries(), idle=idle_ms)

    def entries(self) -> list[Any]:
        """The ids of what lies in the stream."""
        entries: Any = self.broker.xrange(STREAM)
        return [entry_id for entry_id, _ in entries]

    def consumers(self) -> set[str]:
        """The names of the group's consumers."""
        return {known["name"].decode() for known in self.broker.xinfo_consumers(STREAM, GROUP)}

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Let orders come in by the stream without a pause."""
        ended = threading.Event()

        def flow() -> None:
            while not ended.wait(0.05):
                self.add(payload())

        thread = threading.Thread(target=flow)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(180)

    def refuse_in_database(self, task_id: str) -> None:
        """Let PostgreSQL refuse this order for a reason that no validation knows."""
        with self.process.database.transaction() as work:
            work.connection.exec_driver_sql(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'no such order is wanted here'; END $$"
            )
            work.connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON tasks FOR EACH ROW "
                f"WHEN (NEW.task_id = '{task_id}') EXECUTE FUNCTION refuse()"
            )

    def stream_is_done(self) -> bool:
        """Whether nothing is left in the stream, taken or not."""
        pending: Any = self.broker.xpending(STREAM, GROUP)
        return self.broker.xlen(STREAM) == 0 and pending["pending"] == 0

    def sources(self) -> Mapping[str, str]:
        """Every order that is in, with the entry point it came in at."""
        rows = Probe(self.process.database).rows("SELECT task_id, source FROM tasks")
        return {row.task_id: row.source for row in rows}

    def wait_for(self, *bodies: Mapping[str, Any]) -> None:
        """Return when these orders are in."""
        wanted = {body["task_id"] for body in bodies}
        wait_until(lambda: wanted <= self.sources().keys(), "the orders are in")

    def rejects(self) -> list[Reject]:
        """What was refused, the oldest first."""
        with self.process.database.transaction() as work:
            return list(reversed(Rejects(work).recent()))

    def wait_for_rejects(self, count: int) -> list[Reject]:
        """What was refused, once there is so much of it."""
        wait_until(lambda: len(self.rejects()) >= count, f"{count} messages are refused")
        return self.rejects()

    def value(self, statement: str, *parameters: object) -> Any:
        """The one value that a query answers."""
        return Probe(self.process.database).value(statement, *parameters)

    def close(self) -> None:
        """Give connections back."""
        self.process.engine.close()
        self.process.database.close()
        self.process.app.close()
        self.broker.close()
