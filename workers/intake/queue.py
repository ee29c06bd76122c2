"""The kombu queue `unpend.task.created`, on RabbitMQ or on kombu's Redis transport: drained in batches.

On RabbitMQ a message is redelivered until it is acknowledged, which happens after the commit. On kombu's Redis
transport a message is popped before it is noted as taken: a SIGKILL between the two loses it
(docs/publishing.md). Whoever cannot have that uses the stream, or RabbitMQ.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from kombu import Connection, Consumer, Exchange, Message, Queue

from runtime.logs import logger
from schemas.core.problems import Problem
from storage.core.unavailable import StorageUnavailable
from tasks.forms import EntryPoint
from workers.intake.admission import LARGEST_BATCH, Arrival, admit, request_id_of
from workers.process import Process

EXCHANGE: Final = Exchange("tasks", type="direct", durable=True)
"""Where producers publish, with the routing key `task.created`."""
QUEUE: Final = Queue("unpend.task.created", exchange=EXCHANGE, routing_key="task.created", durable=True)
"""Where the messages wait for us."""

_LARGEST: Final = 1000
_WAIT: Final = 1.0
"""Seconds to wait for a first message; also how often a stop, and a broken connection, is noticed."""
_PAUSE: Final = 0.05
"""Seconds without a further message after which a batch is complete."""
_GATHERING: Final = 0.25
"""Seconds after which a batch is complete in any case: messages that trickle in must not hold the first back."""
_RETRY: Final = 1.0
_LONGEST_RETRY: Final = 15.0
_HEARTBEAT: Final = 60.0

_REDIS_SCHEMES: Final = ("redis", "rediss", "redis+socket", "unix", "sentinel")
_REDIS_OPTIONS: Final = {
    # A Celery worker of the same server restores what is noted under its names by its own, longer timeout.
    "unacked_key": "unpend.intake.unacked",
    "unacked_index_key": "unpend.intake.unacked_index",
    "unacked_mutex_key": "unpend.intake.unacked_mutex",
    "visibility_timeout": 30,
    "unacked_restore_throttle": 5,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}
"""How the queue is read on Redis; what a dead consumer had taken is delivered again after 30 to 35 s."""

_NO_MESSAGE: Final = Problem(
    field="message",
    message="is not in kombu's form, and kombu gave none of it away; publish with kombu, or XADD to the stream",
)
_UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What kombu ends in over an entry of the Redis list that no kombu has written."""
_ENVELOPE: Final = ("properties", "delivery_tag", "exchange", "routing_key")
"""What it misses then; another key that is missing means a connection that is gone."""

_log = logger(__name__)


def _is_redis(url: str) -> bool:
    """Whether kombu reaches this address by its Redis transport."""
    return url.partition("://")[0] in _REDIS_SCHEMES


class QueueIntake:
    """Takes orders from the queue; accepted means committed in PostgreSQL, then the batch is acknowledged."""

    def __init__(self, process: Process) -> None:
        self._process = process
        settings = process.settings
        self._url = (settings.intake_amqp_url or settings.broker_url).get_secret_value()
        self._arrived: list[Message] = []
        self._bytes = 0

    def run(self, stopped: threading.Event) -> None:
        """Drain the queue until told to stop; what is away is waited for."""
        pause = _RETRY
        while not stopped.is_set():
            connection = self._connection()
            try:
                with self._consuming(connection):
                    pause = _RETRY
                    while not stopped.is_set():
                        self._take(connection, stopped)
            except (*connection.connection_errors, *connection.channel_errors) as error:
                _log.warning("queue intake waits", error=f"{type(error).__name__}: {error}")
                stopped.wait(pause)
                pause = min(2 * pause, _LONGEST_RETRY)
            finally:
                # What was taken and not acknowledged goes back to the queue.
                connection.release()

    def _connection(self) -> Connection:
        options = _REDIS_OPTIONS | self._process.settings.sentinel_options if _is_redis(self._url) else {}
        return Connection(self._url, heartbeat=_HEARTBEAT, connect_timeout=5, transport_options=dict(options))

    @contextmanager
    def _consuming(self, connection: Connection) -> Iterator[None]:
        connection.connect()
        consumer = Consumer(
            connection.channel(),
            queues=[QUEUE],
            prefetch_count=_LARGEST,
            on_message=self._arrive,
            on_decode_error=lambda message, _: self._arrive(message),
        )
        with consumer:
            yield

    def _take(self, connection: Connection, stopped: threading.Event) -> None:
        """Take one batch: gather, admit, acknowledge."""
        unreadable = self._gather(connection)
        if not self._arrived and not unreadable:
            return
        arrivals = [_arrival(message) for message in self._arrived]
        if self._admit(connection, [*arrivals, *unreadable], stopped):
            self._acknowledge(connection, self._arrived)

    def _gather(self, connection: Connection) -> list[Arrival]:
        """Let messages arrive until there is a pause; what arrived that was no message at all."""
        self._arrived.clear()
        self._bytes = 0
        unreadable: list[Arrival] = []
        ends: float | None = None
        _keep_alive(connection)
        while len(self._arrived) + len(unreadable) < _LARGEST and self._bytes < LARGEST_BATCH:
            left = _WAIT if ends is None else min(_PAUSE, ends - time.monotonic())
            if left <= 0:
                break
            try:
                connection.drain_events(timeout=left)
            except TimeoutError:
                break
            except _UNREADABLE as error:
                if isinstance(error, KeyError) and error.args[0] not in _ENVELOPE:
                    raise
                _log.warning("an entry of the queue is no message", error=type(error).__name__)
                unreadable.append(Arrival(b"", fault=_NO_MESSAGE))
            ends = ends or time.monotonic() + _GATHERING
        return unreadable

    def _arrive(self, message: Message) -> None:
        self._arrived.append(message)
        self._bytes += len(message.body or b"")

    def _admit(self, connection: Connection, arrivals: Sequence[Arrival], stopped: threading.Event) -> bool:
        """Admit a batch, again while PostgreSQL is away; `False` when told to stop before it was back."""
        while not stopped.is_set():
            try:
                admit(self._process, arrivals, EntryPoint.QUEUE)
            except StorageUnavailable as error:
                _log.warning("queue intake waits", error=f"{type(error).__name__}: {error}")
                stopped.wait(_RETRY)
                _keep_alive(connection)
            else:
                return True
        return False

    def _acknowledge(self, connection: Connection, messages: Sequence[Message]) -> None:
        """Acknowledge a batch that is committed, all at once where the protocol can."""
        if messages and connection.transport.driver_type == "amqp":
            messages[-1].ack(multiple=True)
            return
        for message in messages:
            message.ack()


def _keep_alive(connection: Connection) -> None:
    if connection.supports_heartbeats:
        connection.heartbeat_check()


def _arrival(message: Message) -> Arrival:
    given = message.headers.get("request_id") or message.properties.get("correlation_id")
    return Arrival(_bytes(message.body), request_id_of(given))


def _bytes(body: Any) -> bytes:
    """A body as it travelled; on Redis whoever writes kombu's form by hand may have put an object there."""
    match body:
        case None:
            return b""
        case str():
            return body.encode(errors="surrogatepass")
        case bytes() | bytearray() | memoryview():
            return bytes(body)
        case _:
            try:
                return json.dumps(body).encode()
            except RecursionError:
                return repr(type(body)).encode()
